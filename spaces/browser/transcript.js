// One recording's transcript on the page: the editor, downloads, and what is kept of it over a reload.
import { TRANSCRIPT_FORMATS, UNSURE_BELOW, UNSURE_WORD_BELOW } from "./constants.js";
import { download, formatTime, make, showProblem } from "./dom.js";
import "./editor/editor.js";
import { canHold, forget, hold, keep } from "./kept.js";
import { currentLanguage, t } from "./language.js";
import { PEAK_MS } from "./peaks.js";
import { plain } from "./problem.js";
import { python } from "./python.js";
import { withTrueLength } from "./sound-headers.js";

const KEEP_AFTER_MS = 200; // without another correction

/**
 * `element` shows a recording and its transcript; `unsaved` is whether leaving the page would lose what the visitor
 * recorded, or corrections that are in no file. The methods named after messages of transcription-worker.js (opened,
 * detecting, found, recognized, done) take these messages.
 */
export class TranscriptView {
  /**
   * @param {File | {name: string, size: number, lastModified: number}} file without its sound, if it was kept
   * @param {boolean} recorded with the page's microphone: the page offers to save it
   */
  constructor(file, recorded) {
    this.file = file;
    this.id = crypto.randomUUID?.() ?? String(Math.random()); // the former only on https:// and on this computer
    this.begun = Date.now();
    this.state = ["waiting", {}];
    this.ids = []; // of the editor's segments, in the order in which they were found
    this.ends = []; // of these segments as they were found, in ms
    this.complete = false; // whether the whole recording was recognised
    this.status = make("p", { role: "status" });
    this.bar = make("progress", { max: 1, value: 0 });
    this.problem = make("p", { className: "problem", hidden: true });
    this.problem.role = "alert";
    this.editor = make("u2u-editor", { hidden: true, lang: currentLanguage() });
    this.editor.addEventListener("corrected", () => this.correct());
    this.downloads = make("div", { className: "downloads", hidden: true });
    this.downloads.append(
      ...Object.entries(TRANSCRIPT_FORMATS).map(([format, textContent]) =>
        make("button", { type: "button", textContent, onclick: () => this.save(format) }),
      ),
    );
    this.corrected = false; // and not saved since
    this.saving = 0; // files of corrections that are being written
    this.forgotten = false; // by the visitor's wish: nothing is kept any more
    this.recorded = recorded; // likewise
    this.keepSound = make("button", { type: "button", hidden: !recorded, onclick: () => this.saveRecording() });
    this.forgetButton = make("button", { type: "button", hidden: true, onclick: () => this.forget() });
    this.note = make("p", { className: "note", hidden: true });
    this.title = make("h2", { textContent: file.name });
    const above = [this.title, this.status, this.bar, this.problem, this.keepSound, this.editor];
    this.element = make("article", {}, ...above, this.downloads, this.note, this.forgetButton);
    if (file instanceof Blob) this.hear(file);
    this.show();
  }

  /** Show a transcript that was kept, as `parent`'s last child. Returns its view, or null if another tab has it. */
  static async restored(transcript, peaks, parent) {
    if (!(await hold(transcript.id))) return null;
    const view = new TranscriptView(transcript.file, false);
    const { id, begun, corrected, complete = true, opened, segments } = transcript;
    Object.assign(view, { id, begun, corrected, complete, peaks, held: true, isKept: true, peaksKept: true });
    parent.append(view.element); // the editor measures its place on the page
    try {
      view.opened(opened);
      view.start(segments);
      view.set("kept", {}, 1);
      view.finish();
    } catch (error) {
      view.element.remove();
      throw error;
    }
    return view;
  }

  get unsaved() {
    return !this.forgotten && (this.corrected || this.saving > 0 || this.recorded);
  }

  /** Return whether this may be the transcript of that file, and only its sound is missing. */
  misses({ name, size }) {
    const { file } = this;
    return file.name === name && file.size === size && !(file instanceof Blob) && this.element.isConnected;
  }

  /** Take the sound of a recording. */
  hear(file) {
    this.file = file;
    const play = (whole) => {
      this.editor.sound = URL.createObjectURL(whole);
      if (this.state[0] === "kept") this.set("kept_sound", {}, 1); // not before it can be played
    };
    withTrueLength(file).then(play, () => play(file));
  }

  /** Show everything in the language now chosen. */
  show() {
    this.showStatus();
    this.editor.lang = currentLanguage();
    this.keepSound.textContent = t("keep");
    this.forgetButton.textContent = t("forget");
    if (!canHold) this.note.textContent = t("not_secure");
    else this.note.textContent = t(this.keepFailure ? "not_kept" : "kept_here");
    this.showProblems();
  }

  showStatus() {
    const cut = this.state[0].startsWith("kept") && !this.complete;
    const notes = [this.same && t("same"), this.unheard && t("unheard"), cut && t("cut")].filter(Boolean);
    this.status.textContent = [t(...this.state), ...notes].join(" ");
  }

  showProblems() {
    const problems = [this.failure, this.saveFailure].filter(Boolean);
    this.problem.hidden = !problems.length;
    this.problem.textContent = problems.map((problem) => t(`problem_${problem.code}`, problem)).join(" ");
  }

  set(state, values, share) {
    this.state = [state, values];
    this.bar.value = share;
    this.bar.hidden = share === 1;
    this.showStatus();
  }

  fail(problem) {
    this.failure = problem;
    this.bar.hidden = true;
    this.status.hidden = true;
    this.finish();
    this.keepEnd();
    this.show();
  }

  opened({ durationMs, channels, unheard, calibrated }) {
    Object.assign(this, { durationMs, channels, unheard, calibrated });
  }

  detecting({ share }) {
    if (!this.ids.length) this.set("detecting", { percent: Math.round(share * 100) }, share / 10);
  }

  /** Open the editor with these segments. */
  start(segments) {
    this.editor.hidden = false;
    const recording = { duration_ms: this.durationMs, channels: this.channels, unsure_below: UNSURE_BELOW };
    if (this.calibrated) recording.unsure_word_below = UNSURE_WORD_BELOW; // more likely wrong than right
    this.ids = this.editor.open({ ...recording, segments });
    this.drawPeaks();
  }

  /** Add segments, all later than those before, and replace the peaks. */
  found({ segments, peaks, same }) {
    Object.assign(this, { peaks, same, peaksKept: false });
    this.started ??= performance.now();
    const more = segments.map((segment) => ({ ...segment, pending: true }));
    this.ends.push(...segments.map(({ end_ms }) => end_ms));
    if (this.editor.hidden) this.start(more);
    else {
      this.ids.push(...this.editor.add(more));
      this.drawPeaks();
    }
    this.show();
  }

  /** Draw the peaks, with silence where the recording was not yet read. */
  drawPeaks() {
    const length = Math.ceil(this.durationMs / PEAK_MS);
    const rows = Array.from({ length: this.channels }, (_, channel) => {
      const row = new Uint8Array(length);
      row.set((this.peaks[channel] ?? []).slice(0, length));
      return row;
    });
    this.editor.setPeaks(rows);
  }

  recognized({ index, recognized }) {
    this.editor.recognised(this.ids[index], recognized);
    const share = this.ends[index] / this.durationMs;
    const left = formatTime(((performance.now() - this.started) / share) * (1 - share));
    this.set("transcribing", { percent: Math.round(share * 100), left }, Math.min(0.99, 0.1 + 0.9 * share));
  }

  done() {
    this.complete = true;
    this.set(this.ids.length ? "done" : "nothing", { all: this.ids.length }, 1);
    this.finish();
    this.keepEnd();
    this.downloads.hidden = false;
  }

  /** Nothing more will be recognised: what was not can still be typed, and what there is be saved. */
  finish() {
    this.finished = true;
    for (const id of this.ids) this.editor.recognised(id, {});
    if (!this.editor.hidden && this.editor.written().some(({ text }) => text)) this.downloads.hidden = false;
    this.forgetButton.hidden = this.note.hidden = !this.isKept;
  }

  /** What was recognised after the last correction belongs to the kept transcript too. */
  keepEnd() {
    if (this.corrected || this.isKept || this.keeping !== undefined) this.keepSoon();
  }

  correct() {
    this.corrected = true;
    if (this.finished) this.downloads.hidden = false; // there may have been no text before
    this.keepSoon();
  }

  keepSoon() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keepNow(), KEEP_AFTER_MS);
  }

  /** Keep the transcript over a reload, as it is now. */
  async keepNow() {
    clearTimeout(this.keeping);
    this.keeping = undefined;
    if (this.forgotten) return;
    if (!canHold) {
      this.note.hidden = false; // it says why
      return;
    }
    this.held ??= hold(this.id);
    const { id, begun, complete, durationMs, channels, unheard, calibrated } = this;
    const corrected = this.corrected || this.saving > 0;
    const { name, size, lastModified } = this.file;
    const segments = this.editor.state().map((segment) => ({ ...segment, pending: false }));
    const opened = { durationMs, channels, unheard, calibrated };
    const transcript = { id, begun, corrected, complete, file: { name, size, lastModified }, opened, segments };
    try {
      const { peaks, peaksKept } = this;
      this.peaksKept = true;
      await keep(transcript, peaksKept ? undefined : peaks);
      this.isKept = true;
      this.keepFailure = false;
      this.forgetButton.hidden = !this.finished;
    } catch {
      this.peaksKept = false;
      this.keepFailure = true;
    }
    this.note.hidden = false;
    this.show();
  }

  /** Keep what was corrected or recognised in the last moment before the page goes. */
  leave() {
    if (this.keeping !== undefined || (this.isKept && !this.finished)) this.keepNow();
  }

  async forget() {
    if (this.unsaved && !confirm(t("forget_sure"))) return;
    clearTimeout(this.keeping);
    this.keeping = undefined;
    this.forgotten = true; // before waiting, so that nothing is written back
    try {
      await forget(this.id);
      this.element.remove();
    } catch (error) {
      this.forgotten = false;
      this.saveFailure = plain(error);
      this.showProblems();
    }
  }

  saveRecording() {
    download(this.file.name, this.file);
    this.recorded = false;
  }

  async save(format) {
    const { corrected } = this;
    this.corrected = false; // what is corrected from here on is not in the file
    if (corrected) this.saving++;
    this.saveFailure = null;
    try {
      showProblem();
      const transcript = {
        audio: this.file.name,
        duration_ms: this.durationMs,
        channels: this.channels,
        segments: this.editor.hidden ? [] : this.editor.written(),
      };
      const { name, text } = await python("transcript_file", { transcript, format });
      download(name, new Blob([text]));
    } catch (error) {
      this.corrected ||= corrected;
      this.saveFailure = plain(error);
    }
    if (corrected) this.saving--;
    if (this.isKept) this.keepSoon();
    this.showProblems();
  }
}
