// A transcript in the editor: opened from the server, saved there as one types. Its texts come with the element.
import "./editor.js";

const SAVE_AFTER_MS = 400; // without another correction
const AGAIN_MS = 3000; // until what failed is tried again, and until the file is looked at again

let left = Promise.resolve(); // the last save of an editor that is no longer there

class StudioTranscript extends HTMLElement {
  static observedAttributes = ["lang", "data-checked", "data-theirs", "data-mine"];

  /** The page's language was changed while the transcript is open. */
  attributeChangedCallback() {
    if (!this.editor) return;
    this.editor.lang = this.lang;
    this.check.textContent = this.dataset.checked;
    const [theirs, mine] = this.choice.children;
    theirs.textContent = this.dataset.theirs;
    mine.textContent = this.dataset.mine;
  }

  async connectedCallback() {
    const { checked, done, theirs, mine } = this.dataset;
    const button = (textContent, onclick) => {
      return Object.assign(document.createElement("button"), { type: "button", className: "button", textContent, onclick });
    };
    this.status = document.createElement("p");
    this.status.role = "status";
    this.status.className = "soft";
    this.editor = document.createElement("u2u-editor");
    this.editor.lang = this.lang;
    this.check = button(checked, () => {
      this.checking = this.unsaved = true;
      this.changes += 1;
      this.save().then((saved) => saved && this.say(done));
    });
    this.choice = document.createElement("div"); // between two versions
    this.choice.className = "row";
    this.choice.append(
      button(theirs, () => this.show(false)),
      button(mine, () => this.replace()),
    );
    this.check.hidden = this.choice.hidden = true;
    this.replaceChildren(this.status, this.choice, this.editor, this.check);
    this.changes = 0;
    this.editor.addEventListener("corrected", () => this.corrected());
    this.leaving = () => this.leave(); // the tab is closed or hidden: timers may not run any more
    addEventListener("pagehide", this.leaving);
    this.asking = (event) => this.unsaved && event.preventDefault(); // the browser asks whether to leave the page
    addEventListener("beforeunload", this.asking);
    this.watching = setInterval(() => this.follow(), AGAIN_MS);
    await left;
    await this.show();
  }

  disconnectedCallback() {
    removeEventListener("pagehide", this.leaving);
    removeEventListener("beforeunload", this.asking);
    clearInterval(this.watching);
    this.leave();
  }

  /**
   * Open what the server has; with what was written before and could not be saved, unless that is given up.
   * `whenIdle`: not if a person writes meanwhile. Returns whether it was opened.
   */
  async show(withUnsaved = true, whenIdle = false) {
    const { transcript, sound } = this.dataset;
    let answer;
    try {
      answer = await fetch(transcript);
      if (!answer.ok) this.fail(await answer.text());
    } catch {
      this.fail(window.studioWords?.gone ?? "");
    }
    if (!answer?.ok) {
      if (!whenIdle) setTimeout(() => this.isConnected && this.show(withUnsaved), AGAIN_MS);
      return false;
    }
    const recording = await answer.json();
    if (!this.isConnected || (whenIdle && this.unsaved)) return false;
    const unsaved = this.unsavedBefore();
    this.version = answer.headers.get("x-version");
    this.unsaved = this.conflict = this.checking = false;
    this.choice.hidden = true;
    const { segments, chosen, list, shadowRoot } = this.editor;
    const before = segments?.get(chosen);
    const [top, hasFocus] = [list?.element.scrollTop, shadowRoot.activeElement?.localName === "textarea"];
    const restored = withUnsaved && unsaved;
    this.editor.open(restored ? { ...recording, segments: unsaved.segments } : recording);
    if (this.check.hidden) this.editor.sound = sound;
    this.check.hidden = false;
    if (top) this.editor.list.element.scrollTop = top;
    const same = (s) => s.channel === before?.channel && s.start_ms === before.start_ms;
    const found = this.editor.segments.list.find(same);
    if (found) this.editor.choose(found.id, hasFocus);
    this.say("");
    this.draw(recording.channels);
    if (!restored) return true;
    this.version = unsaved.version; // the server refuses it if the file was changed since
    this.unsaved = true;
    await this.save();
    return true;
  }

  /** Draw the waveform, for which the whole recording is read: the texts do not wait for it. */
  async draw(channels) {
    try {
      const answer = await fetch(`${this.dataset.peaks}/${channels}`);
      if (!answer.ok) return this.fail(await answer.text());
      const all = new Uint8Array(await answer.arrayBuffer());
      const points = all.length / channels;
      this.editor.setPeaks(Array.from({ length: channels }, (_, i) => all.subarray(i * points, (i + 1) * points)));
    } catch {
      setTimeout(() => this.isConnected && this.draw(channels), AGAIN_MS);
    }
  }

  corrected() {
    this.changes += 1;
    this.unsaved = true; // until the save of it has succeeded
    if (this.conflict) return;
    this.say(this.dataset.saving);
    this.saveAfter(SAVE_AFTER_MS);
  }

  saveAfter(ms) {
    clearTimeout(this.waiting);
    // An hour takes the server a second: it is not kept busy all the time.
    this.waiting = setTimeout(() => this.save(), Math.max(ms, this.took ?? 0));
  }

  /** Save what stands in the editor, one after the other: one is on its way, and one waits. Returns whether it was. */
  save() {
    clearTimeout(this.waiting);
    this.next ??= (this.sending ?? Promise.resolve()).then(() => {
      this.next = undefined;
      this.sending = this.send();
      return this.sending;
    });
    return this.next;
  }

  /** `replaces`: the version of another window that this is to be saved over. */
  async send(replaces = "") {
    if (this.conflict && !replaces) return false;
    const { changes, checking } = this;
    const version = replaces || this.version; // of the save before
    const text = JSON.stringify({ segments: this.editor.written(), checked: checking === true });
    const body = new TextEncoder().encode(text);
    const headers = { "content-type": "application/json", "x-version": version };
    if (replaces) headers["x-replaces"] = version;
    const begun = performance.now();
    const keepalive = body.length < 60_000; // bytes: browsers refuse more
    let answer;
    try {
      answer = await fetch(this.dataset.transcript, { method: "POST", body, headers, keepalive });
      if (!answer.ok) this.notSaved(await answer.text());
    } catch {
      this.notSaved(window.studioWords?.gone ?? "");
    }
    if (answer?.status === 409) {
      this.conflict = true;
      this.choice.hidden = false;
    } else if (!answer?.ok && this.isConnected) this.saveAfter(AGAIN_MS);
    if (!answer?.ok) return false;
    this.took = performance.now() - begun;
    this.version = answer.headers.get("x-version");
    if (checking) this.checking = false;
    this.conflict = false;
    this.choice.hidden = true;
    sessionStorage.removeItem(this.dataset.transcript);
    if (this.changes !== changes) this.saveAfter(SAVE_AFTER_MS);
    else {
      this.unsaved = false;
      this.say(this.dataset.saved);
    }
    return true;
  }

  /** Save over what another window or program wrote; the server keeps a copy of that. */
  async replace() {
    const version = await this.versionThere();
    if (version) await this.send(version);
  }

  /** Show what another window or program has written, unless a person is at work here. */
  async follow() {
    if (this.unsaved || this.check.hidden || document.hidden || !this.editor.audio.paused) return;
    const version = await this.versionThere();
    if (!version || version === this.version || this.unsaved || !this.isConnected) return;
    if (await this.show(true, true)) this.say(this.dataset.followed);
  }

  async versionThere() {
    try {
      const answer = await fetch(this.dataset.transcript, { method: "HEAD" });
      return answer.ok ? answer.headers.get("x-version") : null;
    } catch {
      return null; // alive.js tells it
    }
  }

  /** What cannot be sent any more is kept by the tab, for when the transcript is opened again. */
  leave() {
    if (!this.unsaved || !this.version) return;
    const state = { version: this.version, segments: this.editor.state() };
    try {
      sessionStorage.setItem(this.dataset.transcript, JSON.stringify(state));
    } catch {
      // too large, or not allowed
    }
    left = this.save();
  }

  unsavedBefore() {
    const kept = sessionStorage.getItem(this.dataset.transcript);
    sessionStorage.removeItem(this.dataset.transcript);
    return kept && JSON.parse(kept);
  }

  say(text) {
    this.status.className = "soft";
    this.status.textContent = text;
  }

  fail(text) {
    this.status.className = "problem";
    this.status.textContent = text;
  }

  notSaved(text) {
    this.fail(this.dataset.failed.replace("{problem}", text));
  }
}

customElements.define("studio-transcript", StudioTranscript);
