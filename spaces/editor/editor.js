// <u2u-editor>: hears and corrects the transcript of one recording. See README.md for its use in a page.
import { actionOf, KEYS } from "./keys.js";
import { List, make } from "./list.js";
import { Segments } from "./segments.js";
import { STYLE } from "./style.js";
import { clock, parseClock } from "./time.js";
import { Wave } from "./wave.js";
import { wordsIn } from "./words.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5];
const FIELD_STEP_MS = 10; // arrow keys in the fields of the times; with Shift a tenth
const BUTTONS = ["undo", "redo", "split", "join", "insert", "remove", "zoom_out", "zoom_in", "help"];
const SIGNS = { undo: "↶", redo: "↷", zoom_out: "−", zoom_in: "+", help: "⌨" };

/**
 * Attribute `lang`: the language of its texts. Property `sound`: address of the recording, or the empty string.
 * Event `corrected`: a person has changed something; `written()` returns the segments as files shall hold them, and
 * `state()` all that `open` needs to show the same again.
 */
export class Editor extends HTMLElement {
  static observedAttributes = ["lang"];

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.shadowRoot.addEventListener("keydown", (event) => this.keydown(event));
    // The browser's own undo of a text, also from its menu, would know nothing of the other changes.
    this.shadowRoot.addEventListener("beforeinput", (event) => {
      const action = { historyUndo: "undo", historyRedo: "redo" }[event.inputType];
      if (!action || event.target.localName !== "textarea") return;
      event.preventDefault();
      this.act(action);
    });
    this.say = wordsIn(this.lang);
    this.audio = make("audio", { preload: "metadata", hidden: true });
    this.audio.onplay = () => this.playing();
    this.audio.onpause = () => this.showPlay();
    this.audio.onloadedmetadata = this.audio.onemptied = () => this.showPlay();
    this.audio.onerror = () => {
      if (this.segments && this.audio.getAttribute("src")) this.tell("no_sound", {}, true);
      this.showPlay();
    };
  }

  attributeChangedCallback(_, before, now) {
    if (before === now) return;
    this.say = wordsIn(this.lang);
    if (this.segments) this.translate();
  }

  disconnectedCallback() {
    this.audio.pause();
  }

  /**
   * Show a recording.
   * @param {{duration_ms: number, channels: number, segments?: object[], unsure_below: number,
   *   unsure_word_below?: number, peaks?: ArrayLike<number>[]}} recording `unsure_below`: of a segment's confidence, and
   *   unless there is another number, of a word's; `segments`: {channel, start_ms, end_ms, text, confidence, words, checked},
   *   those still to be recognised with `pending: true`; `peaks`: see `setPeaks`
   * @returns {number[]} the segments' ids
   */
  open({ duration_ms, channels, segments = [], unsure_below, unsure_word_below = unsure_below, peaks }) {
    this.wave?.destroy();
    this.unsureBelow = unsure_below;
    this.unsureWordBelow = unsure_word_below;
    this.segments = new Segments({ durationMs: duration_ms, channels });
    this.chosen = undefined;
    this.channel = 0; // of the segment chosen last
    this.build();
    this.wave = new Wave(this.parts.wave, this.segments, {
      seek: (ms) => {
        this.seek(ms);
        const segment = this.segments.get(this.chosen);
        if (segment && !has(segment, ms)) this.choose(undefined); // to play is then to play from here
      },
      choose: (id) => this.choose(id),
      move: (id, from, to) => {
        this.segments.setBorders(id, from, to);
        this.wave.draw();
      },
      insert: (channel, ms) => this.insert(channel, ms),
    });
    this.list = new List(this.parts.list, this.segments, {
      type: (id, text) => this.segments.setText(id, text),
      choose: (id) => this.choose(id),
      play: (id) => this.playSegment(id),
      check: (id) => this.segments.check(id, !this.segments.get(id).checked),
      caret: (id) => {
        this.caretId = id;
      },
    });
    this.segments.onchange = (step) => this.changed(step);
    this.translate();
    if (peaks) this.setPeaks(peaks);
    return this.segments.load(segments);
  }

  /** Draw the waveform: one row of 0…255 for each channel, over the whole recording: the louder, the higher. */
  setPeaks(peaks) {
    this.wave.setPeaks(peaks.map((row) => Float32Array.from(row, (value) => value / 255)));
  }

  set sound(address) {
    if (address) this.audio.src = address;
    else this.audio.removeAttribute("src");
  }

  /** Add segments while a recording is being recognised; returns their ids. */
  add(segments) {
    return this.segments.load(segments);
  }

  /** Fill in a pending segment. */
  recognised(id, fields) {
    this.segments.recognised(id, fields);
  }

  written() {
    return this.segments.written();
  }

  state() {
    return this.segments.list.map((segment) => ({ ...segment, id: undefined }));
  }

  build() {
    const { shadowRoot } = this;
    const parts = { wave: make("div", { className: "wave" }) };
    this.buttons = Object.fromEntries(
      ["play", "loop", ...BUTTONS, "unsure", "done"].map((name) => {
        return [name, make("button", { type: "button", onclick: () => this.act(name) })];
      }),
    );
    const { play, loop, undo, redo, split, join, insert, remove, zoom_out, zoom_in, help, unsure, done } = this.buttons;
    done.className = "primary";
    parts.clock = make("span", { className: "clock" });
    parts.speed = make("select", { onchange: () => this.setSpeed(Number(parts.speed.value)) });
    parts.speed.append(...SPEEDS.map((speed) => new Option(`${speed} ×`, speed, speed === 1, speed === 1)));
    parts.start = this.field("start_ms");
    parts.end = this.field("end_ms");
    parts.channel = make("select", { onchange: () => this.setChannel(Number(parts.channel.value)) });
    for (let i = 0; i < this.segments.channels; i++) parts.channel.append(new Option(i + 1, i));
    parts.labels = {
      start: make("label", {}, make("span"), parts.start),
      end: make("label", {}, make("span"), parts.end),
      channel: make("label", { hidden: this.segments.channels < 2, className: "channels" }, make("span"), parts.channel),
    };
    parts.say = make("p", { className: "say" });
    parts.say.role = "status";
    parts.list = make("div", { className: "list" });
    parts.help = make("dialog");
    const gap = () => make("span", { className: "gap" });
    shadowRoot.replaceChildren(
      parts.wave,
      make("div", { className: "bar" }, play, loop, parts.speed, parts.clock, gap(), zoom_out, zoom_in, help),
      make("div", { className: "fields" }, ...Object.values(parts.labels), split, join, insert, remove),
      make("div", { className: "bar" }, done, unsure, gap(), undo, redo),
      parts.say,
      parts.list,
      parts.help,
      this.audio,
    );
    this.parts = parts;
  }

  field(name) {
    const set = (ms) => {
      const segment = this.segments.get(this.chosen);
      if (segment) this.segments.setBorders(segment.id, ...Object.values({ ...pick(segment), [name]: ms }));
      this.showFields();
    };
    const input = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    input.onchange = () => {
      const ms = parseClock(input.value);
      if (ms !== null) return set(ms);
      input.ariaInvalid = "true";
      this.tell("wrong_time", { cell: input.value.slice(0, 20) }, true);
    };
    input.onkeydown = (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const step = direction * FIELD_STEP_MS * (event.shiftKey ? 0.1 : 1);
      const segment = this.segments.get(this.chosen);
      if (segment) set(segment[name] + step);
    };
    return input;
  }

  /** Show everything in the language of the attribute. */
  translate() {
    const { say, parts } = this;
    this.wave.slider.ariaLabel = say("waveform");
    parts.speed.ariaLabel = say("speed");
    parts.channel.ariaLabel = say("channel"); // else its name would have the options in it
    for (const [name, label] of Object.entries(parts.labels)) label.firstChild.textContent = say(name);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.textContent = SIGNS[name] ?? say(name);
      button.ariaLabel = say(name);
      const [, keys] = KEYS[name] ?? [];
      button.title = keys ? `${say(name)} (${keys})` : say(name);
      if (keys) button.setAttribute("aria-keyshortcuts", keys.replaceAll(" ", "").replace("Ctrl+", "Control+"));
    }
    const rows = Object.entries(KEYS).flatMap(([action, [, keys]]) => {
      return [make("dt", {}, make("kbd", { textContent: keys })), make("dd", { textContent: say(action) })];
    });
    const close = make("button", { type: "button", textContent: say("close"), onclick: () => parts.help.close() });
    const title = make("p", { textContent: say("help_title"), id: "help-title", className: "title" });
    parts.help.setAttribute("aria-labelledby", "help-title");
    parts.help.replaceChildren(title, make("p", { textContent: say("help_text") }), make("dl", {}, ...rows), close);
    this.list.restart(this);
    this.showPlay();
    this.showFields();
    this.showCount();
  }

  changed({ kind, removed, added }) {
    const [before, after] = [removed[0], added[0]];
    if (kind === "text") this.list.draw();
    else this.list.place();
    if (kind !== "text" || before.confidence !== after.confidence) this.wave.draw(this.chosen);
    if (!this.segments.get(this.chosen)) this.chosen = undefined;
    const concerned = [...removed, ...added].some(({ id }) => id === this.chosen);
    if (kind !== "load" || concerned) this.showFields(); // else a time that is just being typed would be lost
    this.showCount();
    if (kind !== "load") this.dispatchEvent(new CustomEvent("corrected", { bubbles: true, composed: true }));
  }

  /** Choose a segment; with `focus`, also give its text the focus. */
  choose(id, focus = false) {
    const segment = this.segments.get(id);
    if (id !== this.chosen) {
      const right = this.enterTimes();
      this.chosen = id;
      this.channel = segment?.channel ?? this.channel;
      if (right) this.tell();
      this.wave.draw(id);
      if (segment) this.wave.show(segment.start_ms);
      if (segment && this.audio.paused && !has(segment, this.wave.cursorMs)) this.wave.setCursor(segment.start_ms);
      this.showClock();
      this.list.choose(id);
      this.showFields();
    }
    if (focus) this.list.focus(id);
  }

  /** Take over a time that is typed but not yet entered. Returns whether it is one. */
  enterTimes() {
    const { start, end } = this.parts;
    const typed = [start, end].filter((field) => field.value !== field.defaultValue);
    for (const field of typed) field.onchange();
    return typed.every((field) => field.value === field.defaultValue);
  }

  keydown(event) {
    if (this.parts.help.open) return;
    const typing = /^(textarea|input|select|button)$/.test(event.target.localName);
    const action = event.key === " " && !typing && !event.ctrlKey ? "play" : actionOf(event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    this.act(action);
  }

  /** Do what a key or a button asks for. */
  act(action) {
    this.enterTimes();
    const { segments, chosen } = this;
    const steps = {
      play: () => (this.audio.paused ? this.playChosen() : this.audio.pause()),
      loop: () => this.setLoop(!this.loop),
      slower: () => this.setSpeed(SPEEDS[Math.max(0, SPEEDS.indexOf(this.audio.playbackRate) - 1)]),
      faster: () => this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.audio.playbackRate) + 1)]),
      done: () => {
        if (chosen !== undefined) segments.check(chosen, true);
        this.move(1);
      },
      unsure: () => this.nextUnsure(),
      next: () => this.move(1),
      previous: () => this.move(-1),
      split: () => this.structure(this.splitChosen(), "too_short"),
      join: () => this.structure(segments.join(chosen), "no_next"),
      insert: () => this.insert(this.channel, this.wave.cursorMs),
      remove: () => this.removeChosen(),
      undo: () => this.turnBack(segments.undo()),
      redo: () => this.turnBack(segments.redo()),
      zoom_in: () => this.wave.zoomBy(1),
      zoom_out: () => this.wave.zoomBy(-1),
      help: () => this.parts.help.showModal(),
    };
    steps[action]();
  }

  /** Show the segment that a change has left, or say why there was no change. */
  structure(id, problem) {
    if (id === null) {
      if (problem) this.tell(problem, {}, true);
      return;
    }
    this.chosen = undefined; // so that what belongs to it is drawn anew
    this.choose(id, finePointer());
  }

  turnBack(id) {
    this.structure(id);
    this.showFields(); // there may be nothing more to undo or redo
  }

  /** Split where a person last put a cursor: in the text or in the waveform; else in the middle. */
  splitChosen() {
    const segment = this.segments.get(this.chosen);
    if (!segment) return null;
    const caret = this.caretId === segment.id ? this.list.caretIn(segment.id) : 0;
    if (caret > 0 && caret < segment.text.length) return this.segments.split(segment.id, { caret });
    const { cursorMs } = this.wave;
    const inside = has(segment, cursorMs) && cursorMs > segment.start_ms;
    const atMs = inside ? cursorMs : (segment.start_ms + segment.end_ms) / 2;
    return this.segments.split(segment.id, { atMs });
  }

  insert(channel, ms) {
    this.structure(this.segments.insert(channel, ms), "no_room");
  }

  removeChosen() {
    const place = this.segments.indexOf(this.chosen);
    if (this.segments.remove(this.chosen) === null) return;
    const { list } = this.segments;
    if (list.length) this.choose(list[Math.min(place, list.length - 1)].id, finePointer());
  }

  /** Choose the next (1) or previous (-1) segment. */
  move(direction) {
    const { list } = this.segments;
    const place = this.chosen === undefined ? (direction > 0 ? -1 : 0) : this.segments.indexOf(this.chosen);
    const next = list[place + direction];
    if (!next) return;
    this.choose(next.id, true);
    if (!this.audio.paused) this.playSegment(next.id);
  }

  nextUnsure() {
    const { list } = this.segments;
    const from = this.segments.indexOf(this.chosen) + 1;
    const after = [...list.slice(from), ...list.slice(0, from)];
    const found = after.find((s) => !s.checked && !s.pending && s.confidence < this.unsureBelow);
    if (!found) return this.tell("no_unsure");
    this.choose(found.id, true);
    if (!this.audio.paused) this.playSegment(found.id);
  }

  setChannel(channel) {
    this.structure(this.segments.setChannel(this.chosen, channel), "occupied");
    this.showFields();
  }

  setLoop(on) {
    this.loop = on;
    this.buttons.loop.ariaPressed = on;
  }

  setSpeed(speed) {
    this.audio.playbackRate = speed;
    this.parts.speed.value = speed;
  }

  seek(ms) {
    this.caretId = undefined; // from here on, to split is to split at this cursor
    this.audio.currentTime = ms / 1000;
    this.until = undefined;
    this.wave.setCursor(ms);
    this.showClock();
  }

  /** Play the chosen segment from the cursor, or from its start if the cursor is not in it; else all from there. */
  playChosen() {
    const segment = this.segments.get(this.chosen);
    if (!segment) return this.play(this.wave.cursorMs, undefined);
    const { cursorMs } = this.wave;
    this.play(has(segment, cursorMs) ? cursorMs : segment.start_ms, segment.id);
  }

  playSegment(id) {
    this.choose(id);
    this.play(this.segments.get(id).start_ms, id);
  }

  play(fromMs, until) {
    if (!this.audio.getAttribute("src") || this.audio.error) return this.tell("no_sound", {}, true);
    this.seek(fromMs);
    this.until = until;
    this.audio.play().catch(() => {}); // "error" has told why
  }

  /** While it plays: move the cursor, light the words, stop or go back at the end of the segment. */
  playing() {
    this.showPlay();
    const follow = () => {
      const ms = this.audio.currentTime * 1000;
      const segment = this.segments.get(this.until);
      if (this.audio.paused) {
        this.list.light(null);
        return;
      }
      if (segment && ms >= segment.end_ms) {
        if (this.loop) this.audio.currentTime = segment.start_ms / 1000;
        else this.audio.pause();
      } else if (this.loop && this.audio.ended) this.audio.currentTime = 0;
      this.wave.setCursor(Math.round(Math.min(ms, segment?.end_ms ?? ms)));
      this.wave.show(ms);
      this.list.light(ms);
      this.showClock();
      this.frame = requestAnimationFrame(follow);
    };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(follow);
  }

  showPlay() {
    if (!this.buttons) return;
    const { play } = this.buttons;
    const name = this.audio.paused ? "play" : "pause";
    play.textContent = `${this.audio.paused ? "▶" : "❚❚"} ${this.say(name)}`;
    play.ariaLabel = this.say(name);
    play.disabled = !this.audio.getAttribute("src");
    this.showClock();
  }

  showClock() {
    if (!this.wave) return;
    this.parts.clock.textContent = clock(this.wave.cursorMs);
  }

  showFields() {
    const segment = this.segments.get(this.chosen);
    const { start, end, channel } = this.parts;
    const still = !segment || segment.pending;
    // What a field shows until a person types into it is its default value, too.
    start.value = start.defaultValue = segment ? clock(segment.start_ms) : "";
    end.value = end.defaultValue = segment ? clock(segment.end_ms) : "";
    channel.value = segment ? segment.channel : "";
    for (const field of [start, end, channel]) {
      field.disabled = still;
      field.ariaInvalid = null;
    }
    for (const name of ["split", "join", "remove"]) this.buttons[name].disabled = still;
    this.buttons.undo.disabled = !this.segments.canUndo;
    this.buttons.redo.disabled = !this.segments.canRedo;
  }

  showCount() {
    const { list } = this.segments;
    this.count = this.say("checked_count", { checked: list.filter((s) => s.checked).length, all: list.length });
    this.tell();
  }

  /** Say something in the line above the list; without a message, how much is checked. */
  tell(name, values, wrong = false) {
    this.parts.say.textContent = name ? this.say(name, values) : this.count;
    this.parts.say.classList.toggle("wrong", wrong);
  }
}

/** Return whether a time is in a segment; its last ms, where playing stops, is not. */
const has = ({ start_ms, end_ms }, ms) => ms >= start_ms && ms < end_ms - 1;

const pick = ({ start_ms, end_ms }) => ({ start_ms, end_ms });

/** Return whether a keyboard is likely: on a phone, a focused text would open one on the screen. */
const finePointer = () => matchMedia("(pointer: fine)").matches;

customElements.define("u2u-editor", Editor);
