// Greedy CTC decoding, as in u2u_hf/recognition/decoding.py.
import { WORD_DELIMITER } from "./constants.js";
import { frameEndMs, frameStartMs } from "./frames.js";

/**
 * Return the words of the best label of each frame, each as its characters: repeats merged and blanks removed.
 * @param {Float32Array} logits [T · V]
 * @param {{symbols: string[], blank: number}} labels output index → character; empty for special tokens
 * @returns {{label: number, first: number, last: number, logProb: number}[][]} in order of time: frames, and the highest
 *   log-probability
 */
export function greedyRuns(logits, labels) {
  const words = [];
  let current = [];
  for (const run of [...runs(logits, labels), null]) {
    if (run && labels.symbols[run.label] === "") continue; // a special token
    if (run && labels.symbols[run.label] !== WORD_DELIMITER) current.push(run);
    else if (current.length) {
      words.push(current);
      current = [];
    }
  }
  return words;
}

/** Return runs of frames with one label, without blanks; `logProb` is the highest in the run. */
function runs(logits, labels) {
  const width = labels.symbols.length;
  const found = [];
  let run = null;
  for (let frame = 0; frame * width < logits.length; frame++) {
    const { label, logProb } = best(logits.subarray(frame * width, (frame + 1) * width));
    if (run?.label === label) {
      run.last = frame;
      run.logProb = Math.max(run.logProb, logProb);
    } else {
      run = { label, first: frame, last: frame, logProb };
      found.push(run);
    }
  }
  return found.filter(({ label }) => label !== labels.blank);
}

function best(row) {
  let label = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[label]) label = i;
  let sum = 0;
  for (const value of row) sum += Math.exp(value - row[label]);
  return { label, logProb: -Math.log(sum) };
}

/**
 * Return the word that these characters spell, with its times and its raw confidence.
 * @param {number} startMs time in the recording of the first sample of frame 0
 * @returns {{text: string, start_ms: number, end_ms: number, confidence: number}}
 */
export function wordOf(current, labels, startMs) {
  const logProb = current.reduce((sum, run) => sum + run.logProb, 0) / current.length;
  return {
    text: current.map((run) => labels.symbols[run.label]).join(""),
    start_ms: startMs + frameStartMs(current[0].first),
    end_ms: startMs + frameEndMs(current.at(-1).last),
    confidence: Math.exp(logProb),
  };
}

/** Return a segment's confidence: the geometric mean over its characters; 0 without words. */
export function confidence(words) {
  const lengths = words.map((w) => [...w.text].length);
  const characters = lengths.reduce((a, b) => a + b, 0);
  if (!characters) return 0;
  const sum = words.reduce((total, w, i) => total + lengths[i] * Math.log(Math.max(w.confidence, 1e-9)), 0);
  return Math.exp(sum / characters);
}

/**
 * Return the log-probabilities of logits.
 * @param {Float32Array} logits [T · V]
 * @param {number} width V
 */
export function logSoftmax(logits, width) {
  const found = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += width) {
    const row = logits.subarray(at, at + width);
    const highest = row.reduce((a, b) => Math.max(a, b));
    const sum = row.reduce((total, value) => total + Math.exp(value - highest), 0);
    for (let label = 0; label < width; label++) found[at + label] = row[label] - highest - Math.log(sum);
  }
  return found;
}
