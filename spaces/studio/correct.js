// A transcript in the editor: opened from the server, saved there as one types. Its texts come with the element.
import "./editor.js";

const SAVE_AFTER_MS = 400; // without another correction

class StudioTranscript extends HTMLElement {
  async connectedCallback() {
    const { transcript, sound, checked, done } = this.dataset;
    this.status = document.createElement("p");
    this.status.role = "status";
    this.status.className = "soft";
    this.editor = document.createElement("u2u-editor");
    this.editor.lang = this.lang;
    this.check = document.createElement("button");
    Object.assign(this.check, { type: "button", className: "button", textContent: checked, hidden: true });
    this.check.onclick = () => this.save(true).then((saved) => saved && this.say(done));
    this.replaceChildren(this.status, this.editor, this.check);
    const answer = await fetch(transcript);
    if (!answer.ok) return this.fail(await answer.text());
    const recording = await answer.json();
    this.version = answer.headers.get("x-version");
    if (!this.isConnected) return;
    this.editor.open(recording);
    this.editor.sound = sound;
    this.check.hidden = false;
    this.editor.addEventListener("corrected", () => {
      this.unsaved = true; // until the save of it has succeeded
      clearTimeout(this.waiting);
      this.say(this.dataset.saving);
      this.waiting = setTimeout(() => this.save(), SAVE_AFTER_MS);
    });
    this.leaving = () => this.unsaved && this.save(); // the tab is closed or hidden: timers may not run any more
    addEventListener("pagehide", this.leaving);
    this.asking = (event) => this.unsaved && event.preventDefault(); // the browser asks whether to leave the page
    addEventListener("beforeunload", this.asking);
  }

  disconnectedCallback() {
    removeEventListener("pagehide", this.leaving);
    removeEventListener("beforeunload", this.asking);
    if (this.unsaved) this.save();
  }

  /** Save what stands in the editor, one after the other. Returns whether it was saved. */
  save(checked = false) {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const body = JSON.stringify({ segments: this.editor.written(), checked });
    const before = this.saving ?? Promise.resolve();
    const saving = before.then(async () => {
      try {
        const headers = { "content-type": "application/json", "x-version": this.version }; // of the save before
        const keepalive = body.length < 60_000; // browsers refuse more
        const answer = await fetch(this.dataset.transcript, { method: "POST", body, headers, keepalive });
        if (!answer.ok) return this.fail(await answer.text());
        this.version = answer.headers.get("x-version");
        if (!this.waiting && this.saving === saving) {
          this.unsaved = false;
          this.say(this.dataset.saved);
        }
        return true;
      } catch {
        return this.fail(window.studioWords?.gone ?? "");
      }
    });
    this.saving = saving;
    return saving;
  }

  say(text) {
    this.status.className = "soft";
    this.status.textContent = text;
  }

  fail(text) {
    this.status.className = "problem";
    this.status.textContent = this.dataset.failed.replace("{problem}", text);
    return false;
  }
}

customElements.define("studio-transcript", StudioTranscript);
