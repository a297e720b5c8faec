// The texts of the segments, one below the other. Only the rows in sight exist.
import { actionOf } from "./keys.js";
import { timed, tokens } from "./segments.js";
import { clock } from "./time.js";

const GUESS_PX = 46; // height of a row that was never seen
const MARGIN_PX = 300; // rows above and below those in sight

/** Return a new element with these properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A view of `Segments` in the scrolling box `element`. */
export class List {
  /**
   * @param {HTMLElement} element empty
   * @param segments `Segments`
   * @param {{type: (id: number, text: string) => void, choose: (id: number) => void, play: (id: number) => void,
   *   check: (id: number) => void, caret: (id: number) => void}} on what a person does with a row
   */
  constructor(element, segments, on) {
    Object.assign(this, { element, segments, on });
    this.rows = new Map(); // id → row in the page
    this.heights = new Map(); // id → px, as measured
    this.space = element.appendChild(make("div", { className: "space" }));
    this.space.role = "list";
    const longest = clock(segments.durationMs, 1).length;
    this.space.style.setProperty("--time", `${longest * 0.55}rem`); // room for the latest time
    this.sizes = new ResizeObserver((entries) => this.measured(entries));
    element.onscroll = () => this.draw();
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /** Draw all anew, as after a change of the language or of what counts as unsure. */
  restart({ say, unsureBelow, unsureWordBelow }) {
    Object.assign(this, { say, unsureBelow, unsureWordBelow });
    for (const row of this.rows.values()) row.segment = undefined;
    this.space.ariaLabel = say("segments");
    this.place();
  }

  /** Segments came, went or moved. */
  place() {
    const tops = [0];
    for (const { id } of this.segments.list) tops.push(tops.at(-1) + (this.heights.get(id) ?? GUESS_PX));
    this.tops = tops;
    this.space.style.height = `${tops.at(-1)}px`;
    this.draw();
  }

  measured(entries) {
    let moved = false;
    for (const { target } of entries) {
      const id = Number(target.dataset.id);
      const height = target.offsetHeight;
      if (!height || this.heights.get(id) === height) continue;
      this.heights.set(id, height);
      moved = true;
    }
    if (moved) this.place();
  }

  placeAt(px) {
    let [low, high] = [0, this.segments.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= px) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Put the rows in sight into the page, and that with the focus, which would else be lost. */
  draw() {
    const { list } = this.segments;
    const { scrollTop, clientHeight } = this.element;
    const first = this.placeAt(scrollTop - MARGIN_PX);
    const last = Math.min(list.length, this.placeAt(scrollTop + clientHeight + MARGIN_PX) + 1);
    const wanted = new Set(list.slice(first, last).map(({ id }) => id));
    for (const [id, row] of this.rows) {
      if (wanted.has(id) || (this.segments.get(id) && row.element.contains(this.element.getRootNode().activeElement)))
        continue;
      this.sizes.unobserve(row.element);
      row.element.remove();
      this.rows.delete(id);
    }
    let before = null; // in order, so that Tab goes from row to row
    const shown = [...wanted, ...[...this.rows.keys()].filter((id) => !wanted.has(id))];
    shown.sort((a, b) => this.segments.indexOf(a) - this.segments.indexOf(b));
    for (const id of shown) {
      const place = this.segments.indexOf(id);
      const row = this.rows.get(id) ?? this.add(id);
      const at = before ? before.nextSibling : this.space.firstChild;
      if (at !== row.element) this.space.insertBefore(row.element, at);
      before = row.element;
      row.element.style.transform = `translateY(${this.tops[place]}px)`;
      row.element.ariaSetSize = list.length;
      row.element.ariaPosInSet = place + 1;
      if (row.segment !== list[place]) this.fill(row, list[place]);
      row.element.classList.toggle("chosen", id === this.chosen);
    }
  }

  add(id) {
    const play = make("button", { type: "button", className: "play", onclick: () => this.on.play(id) });
    const channel = make("span", { className: "channel" });
    const mirror = make("div", { className: "mirror", ariaHidden: "true" });
    const input = make("textarea", { rows: 1, spellcheck: false });
    input.oninput = () => this.on.type(id, input.value);
    const check = make("button", { type: "button", className: "check", onclick: () => this.on.check(id) });
    const text = make("div", { className: "text" }, mirror, input);
    const element = make("div", { className: "row" }, play, channel, text, check);
    element.role = "listitem";
    element.dataset.id = id;
    element.onfocus = element.onpointerdown = () => this.on.choose(id);
    input.onfocus = () => this.on.choose(id);
    input.onpointerdown = () => this.on.caret(id);
    // Also Ctrl with an arrow moves the cursor; the editor's own keys, and Ctrl alone, do not.
    input.onkeydown = (event) => /^(Control|Meta)$/.test(event.key) || actionOf(event) || this.on.caret(id);
    const row = { element, play, channel, mirror, input, check };
    this.rows.set(id, row);
    this.sizes.observe(element);
    return row;
  }

  fill(row, segment) {
    const { say, unsureBelow } = this;
    const time = clock(segment.start_ms, 1);
    row.segment = segment;
    row.play.textContent = time;
    row.play.ariaLabel = say("play_from", { time });
    row.channel.textContent = segment.channel + 1;
    row.channel.ariaLabel = `${say("channel")} ${segment.channel + 1}`;
    row.channel.role = "img"; // a label needs a role
    row.input.ariaLabel = `${say("text")} ${time}`;
    row.input.readOnly = segment.pending;
    if (row.input.value !== segment.text) row.input.value = segment.text;
    row.words = timed(segment) ? segment.words : [];
    row.mirror.replaceChildren(...this.mirrored(segment, row.words));
    row.lit = undefined;
    const unsure = !segment.checked && segment.confidence < unsureBelow && !segment.pending;
    const percent = Math.round(segment.confidence * 100);
    const states = ["checked", "pending", "corrected"].filter((name) => segment[name]);
    row.check.textContent = say(states[0] ?? (unsure ? "not_sure" : "sure"), { percent });
    row.check.ariaLabel = `${row.check.textContent}, ${say("check", { time })}`;
    row.check.ariaPressed = segment.checked;
    row.check.disabled = segment.pending;
    row.element.classList.toggle("unsure", unsure);
    row.element.classList.toggle("checked", segment.checked);
  }

  /** Return the text as it lies behind the input, with an element for each word that has its time. */
  mirrored({ text, checked }, words) {
    const parts = [];
    let at = 0;
    for (const [i, { from, to }] of words.length ? tokens(text).entries() : []) {
      const word = make("span", { textContent: text.slice(from, to) });
      word.classList.toggle("unsure", !checked && words[i].confidence < this.unsureWordBelow);
      parts.push(text.slice(at, from), word);
      at = to;
    }
    return [...parts, `${text.slice(at)}\u200b`]; // so that an empty last line has its height
  }

  /** Choose a row, and scroll it into sight. */
  choose(id) {
    this.chosen = id;
    const place = this.segments.indexOf(id);
    if (place >= 0) {
      const [top, bottom] = [this.tops[place], this.tops[place + 1]];
      const { scrollTop, clientHeight } = this.element;
      if (top < scrollTop) this.element.scrollTop = top;
      else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
    }
    this.draw();
  }

  /** Give a row's text the focus. */
  focus(id) {
    this.choose(id);
    this.rows.get(id)?.input.focus({ preventScroll: true });
  }

  /** Return where the text cursor stands in a row. */
  caretIn(id) {
    return this.rows.get(id)?.input.selectionStart ?? 0;
  }

  /** Light the words that sound at this time; null: none. */
  light(ms) {
    for (const row of this.rows.values()) {
      const lit = ms === null ? -1 : row.words.findIndex((word) => word.start_ms <= ms && ms < word.end_ms);
      if (row.lit === lit) continue;
      const spans = row.mirror.children;
      spans[row.lit]?.classList.remove("lit");
      spans[lit]?.classList.add("lit");
      row.lit = lit;
    }
  }
}
