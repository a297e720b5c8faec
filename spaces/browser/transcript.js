// One recording's transcript on the page: waveform, player, table to correct, downloads.
import { DETECTION_FRAME_SAMPLES, SAMPLING_RATE, TRANSCRIPT_FORMATS, UNSURE_BELOW } from "./constants.js";
import { download, formatTime, make, showProblem } from "./dom.js";
import { t } from "./language.js";
import { plain } from "./problem.js";
import { python } from "./python.js";
import { withTrueLength } from "./sound-headers.js";

const FRAME_MS = (DETECTION_FRAME_SAMPLES * 1000) / SAMPLING_RATE;
const QUIET_DB = -70;
const UNREADABLE = ["audio", "silent", "incomplete", "joined", "damaged"]; // problems of recordings

/**
 * `element` shows a recording and its transcript; `unsaved` is whether leaving the page would lose what the visitor
 * recorded or corrected. The methods named after messages of transcription-worker.js (opened, detecting, found,
 * recognized, done) take these messages.
 */
export class TranscriptView {
  /**
   * @param {File} file
   * @param {boolean} recorded with the page's microphone: the page offers to save it
   */
  constructor(file, recorded) {
    this.file = file;
    this.state = ["waiting", {}];
    this.segments = [];
    this.rows = [];
    this.status = make("p", { role: "status" });
    this.bar = make("progress", { max: 1, value: 0 });
    this.problem = make("p", { className: "problem", hidden: true });
    this.problem.role = "alert";
    this.canvas = make("canvas", { hidden: true, onclick: (event) => this.seek(event) });
    this.canvas.role = "img";
    this.player = make("audio", { controls: true, preload: "metadata" });
    const play = (whole) => (this.player.src = URL.createObjectURL(whole));
    withTrueLength(file).then(play, () => play(file));
    this.player.ontimeupdate = () => {
      if (this.until !== undefined && this.player.currentTime * 1000 >= this.until) this.player.pause();
    };
    this.player.onpause = () => {
      this.until = undefined;
    };
    this.downloads = make("div", { className: "downloads", hidden: true });
    this.downloads.append(
      ...Object.entries(TRANSCRIPT_FORMATS).map(([format, textContent]) =>
        make("button", { type: "button", textContent, onclick: () => this.save(format) }),
      ),
    );
    this.corrected = false; // and not saved since
    this.recorded = recorded; // likewise
    this.keep = make("button", { type: "button", hidden: !recorded, onclick: () => this.saveRecording() });
    this.body = make("tbody");
    this.head = ["time", "channel", "text", "confidence"].map((name) => make("th", { scope: "col", abbr: name }));
    this.table = make("table", { hidden: true }, make("thead", {}, make("tr", {}, ...this.head)), this.body);
    this.title = make("h2", { textContent: file.name });
    const above = [this.title, this.status, this.bar, this.problem, this.canvas];
    this.element = make("article", {}, ...above, this.player, this.keep, this.downloads, this.table);
    this.show();
  }

  get unsaved() {
    return this.corrected || this.recorded;
  }

  /** Show everything in the language now chosen. */
  show() {
    this.showStatus();
    this.canvas.setAttribute("aria-label", t("waveform"));
    this.keep.textContent = t("keep");
    for (const cell of this.head) cell.textContent = t(cell.abbr);
    this.rows.forEach((row, i) => {
      row.play.setAttribute("aria-label", t("play", { time: formatTime(this.segments[i].start_ms) }));
      row.input.setAttribute("aria-label", `${t("text")} ${formatTime(this.segments[i].start_ms)}`);
    });
    this.showProblems();
  }

  showStatus() {
    const notes = [this.same && t("same"), this.unheard && t("unheard")].filter(Boolean);
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
    this.bar.hidden = state === "done" || state === "nothing";
    this.showStatus();
  }

  fail(problem) {
    this.failure = problem;
    this.player.hidden = UNREADABLE.includes(problem.code);
    this.bar.hidden = true;
    this.status.hidden = true;
    // Segments recognised before the problem can still be saved.
    if (this.segments.some(({ text }) => text)) this.downloads.hidden = false;
    this.show();
  }

  opened({ durationMs, channels, unheard }) {
    Object.assign(this, { durationMs, channels, unheard });
  }

  detecting({ share }) {
    if (!this.segments.length) this.set("detecting", { percent: Math.round(share * 100) }, share / 10);
  }

  /** Add segments, all later than those before, and replace the levels. */
  found({ segments, levels, same }) {
    Object.assign(this, { levels, same });
    this.started ??= performance.now();
    const more = segments.map((segment) => ({ ...segment, text: "", confidence: 0, words: [] }));
    const rows = more.map((segment) => this.row(segment));
    this.segments.push(...more);
    this.rows.push(...rows);
    this.body.append(...rows.map(({ row }) => row));
    this.canvas.hidden = false;
    this.table.hidden = !this.segments.length;
    this.show();
    this.draw();
  }

  row(segment) {
    const play = make("button", { type: "button", textContent: `▶ ${formatTime(segment.start_ms)}` });
    play.onclick = () => this.play(segment.start_ms, segment.end_ms);
    const input = make("textarea", { rows: 1, disabled: true, spellcheck: false });
    const confidence = make("td");
    const row = make("tr", {}, make("td", {}, play), make("td", { textContent: segment.channel + 1 }));
    row.append(make("td", {}, input), confidence);
    // A corrected segment has full confidence, and no times of words.
    input.oninput = () => {
      Object.assign(segment, { text: input.value, confidence: 1, words: [] });
      this.corrected = true;
      confidence.textContent = "✓";
      row.classList.remove("unsure");
    };
    return { row, play, input, confidence };
  }

  recognized({ index, recognized }) {
    const segment = Object.assign(this.segments[index], recognized);
    const { row, input, confidence } = this.rows[index];
    input.value = segment.text;
    input.disabled = false;
    confidence.textContent = `${Math.round(segment.confidence * 100)} %`;
    row.classList.toggle("unsure", segment.confidence < UNSURE_BELOW);
    const share = segment.end_ms / this.durationMs;
    const left = formatTime(((performance.now() - this.started) / share) * (1 - share));
    this.set("transcribing", { percent: Math.round(share * 100), left }, 0.1 + 0.9 * share);
  }

  done() {
    this.set(this.segments.length ? "done" : "nothing", { all: this.segments.length }, 1);
    this.downloads.hidden = false;
  }

  play(startMs, endMs) {
    this.player.currentTime = startMs / 1000;
    this.until = endMs;
    this.player.play();
  }

  seek(event) {
    this.play((event.offsetX / this.canvas.clientWidth) * this.durationMs, undefined);
  }

  /** Draw the level of each channel as a symmetric bar per pixel, over the segments of speech. */
  draw() {
    const { canvas, levels } = this;
    const width = canvas.clientWidth * devicePixelRatio;
    const height = canvas.clientHeight * devicePixelRatio;
    Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    const lane = height / levels.length;
    pen.fillStyle = getComputedStyle(canvas).color;
    pen.globalAlpha = 0.25;
    for (const { channel, start_ms, end_ms } of this.segments) {
      const x = (start_ms / this.durationMs) * width;
      pen.fillRect(x, channel * lane, Math.max(1, ((end_ms - start_ms) / this.durationMs) * width), lane);
    }
    pen.globalAlpha = 1;
    levels.forEach((row, channel) => {
      for (let x = 0; x < width; x++) {
        const [from, to] = [x, x + 1].map((at) => Math.floor(((at / width) * this.durationMs) / FRAME_MS));
        let loudest = QUIET_DB;
        for (let f = from; f < Math.max(to, from + 1); f++) loudest = Math.max(loudest, row[f] ?? QUIET_DB);
        const size = Math.max(1, (1 - loudest / QUIET_DB) * lane);
        pen.fillRect(x, channel * lane + (lane - size) / 2, 1, size);
      }
    });
  }

  saveRecording() {
    download(this.file.name, this.file);
    this.recorded = false;
  }

  async save(format) {
    const { corrected } = this;
    this.corrected = false; // what is corrected from here on is not in the file
    this.saveFailure = null;
    try {
      showProblem();
      const transcript = {
        audio: this.file.name,
        duration_ms: this.durationMs,
        channels: this.channels,
        segments: this.segments.toSorted((a, b) => a.channel - b.channel || a.start_ms - b.start_ms),
      };
      const { name, text } = await python("transcript_file", { transcript, format });
      download(name, new Blob([text]));
    } catch (error) {
      this.corrected ||= corrected;
      this.saveFailure = plain(error);
    }
    this.showProblems();
  }
}
