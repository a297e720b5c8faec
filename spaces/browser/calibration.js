// Calibrated confidence, as in u2u_hf/recognition/calibration.py and confidence_features.py beside it.
import { CALIBRATION, END, WORD_DELIMITER } from "./constants.js";
import { Problem } from "./problem.js";

const { leastLogProb, leastMargin, mostMargin, some, secondsPerFrame } = CALIBRATION;
const RAW = CALIBRATION.segmentFeatures.indexOf("raw");

/** How confidence is computed for one way of decoding. */
export class Calibration {
  /**
   * @param {{words: object, errors: object}} plain a part of calibration.json
   * @param {boolean} withLanguageModel
   * @throws {Problem} "calibration": a number is missing or invalid
   */
  constructor({ words, errors }, withLanguageModel) {
    const columns = CALIBRATION.wordFeatures.length - (withLanguageModel ? 0 : 1);
    this.words = form(words, columns);
    this.errors = form(errors, CALIBRATION.segmentFeatures.length);
    if (this.words.weights && !Number.isFinite(words.intercept)) throw damaged("a number is missing");
  }

  /** Return the chance that a word with these features is right. */
  chance(features) {
    const { x, y, weights, intercept } = this.words;
    if (!weights) return interpolated(Math.exp(features[0]), x, y);
    return 1 / (1 + Math.exp(-Math.min(30, Math.max(-30, intercept + dot(weights, features)))));
  }

  /** Return the character errors to expect in a segment with these features and characters. */
  expectedErrors(features, characters) {
    const { x, y, weights } = this.errors;
    const length = characters + 1;
    const found = weights ? dot(weights, features) : length * interpolated(features[RAW] / length, x, y);
    return Math.max(found, 0);
  }
}

/**
 * Return the calibrations of decoding without and with the language model; null where there is none.
 * @param {object} plain calibration.json
 */
export function calibrationsOf({ alone, with_language_model }) {
  return {
    alone: alone ? new Calibration(alone, false) : null,
    together: with_language_model ? new Calibration(with_language_model, true) : null,
  };
}

/** Return the error of a damaged calibration. */
export const damaged = (detail) => new Problem("calibration", "", detail);

function form({ x, y, weights, intercept }, columns) {
  const numbers = (row) => Array.isArray(row) && row.every(Number.isFinite);
  const right = weights ? numbers(weights) && weights.length === columns : numbers(x) && numbers(y) && x.length;
  if (!right || (!weights && x.length !== y.length)) throw damaged("a number is missing");
  return { x, y, weights, intercept };
}

const dot = (weights, features) => weights.reduce((sum, weight, i) => sum + weight * features[i], 0);

/** Return the value at `at` of a curve through points, level beyond them; `x` rises. */
function interpolated(at, x, y) {
  if (at >= x.at(-1)) return y.at(-1);
  const next = x.findIndex((knot) => knot > at);
  if (next === 0) return y[0];
  return y[next - 1] + ((y[next] - y[next - 1]) * (at - x[next - 1])) / (x[next] - x[next - 1]);
}

/**
 * Return the calibrated confidence of a segment.
 * @param {Calibration} calibration of decoding with this language model, or without
 * @param {Float32Array} logProbs [T · V], natural logarithms of probabilities
 * @param {{label: number, first: number, last: number, logProb: number}[][]} words as their characters
 * @param {{symbols: string[], blank: number}} labels
 * @param {import("./language-model.js").LanguageModel | null} languageModel
 * @returns {{chances: number[], expectedErrors: number, confidence: number}}
 */
export function calibrated(calibration, logProbs, words, labels, languageModel) {
  const chances = wordFeatures(logProbs, words, labels, languageModel).map((row) => calibration.chance(row));
  const features = segmentFeatures(logProbs, words, labels, chances);
  const characters = words.reduce((sum, word) => sum + word.length, 0) + Math.max(words.length - 1, 0);
  const expectedErrors = calibration.expectedErrors(features, characters);
  return { chances, expectedErrors, confidence: characters ? characters / (characters + expectedErrors) : 0 };
}

/** Return what tells right words from wrong ones, a row for each word. */
export function wordFeatures(logProbs, words, labels, languageModel) {
  const frames = new Frames(logProbs, labels);
  const language = languageModel ? languageOf(words, labels, languageModel) : null;
  return words.map((word, number) => {
    const first = word[0].first;
    const last = word.at(-1).last;
    const begin = number ? words[number - 1].at(-1).last + 1 : 0;
    const end = number + 1 < words.length ? words[number + 1][0].first : frames.count;
    const logs = word.map(({ logProb }) => Math.max(logProb, leastLogProb));
    const left = number ? frames.most(frames.between, begin, first + 1) : 1;
    const right = number + 1 < words.length ? frames.most(frames.between, last, end) : 1;
    const inside = frames.most(frames.between, first, last + 1);
    const row = [
      sum(logs) / logs.length,
      Math.min(...logs),
      Math.min(...word.map((run) => frames.margin(run))),
      Math.log(word.length),
      Math.log((last - first + 1) / word.length),
      Math.log(sum(frames.doubt.slice(begin, end)) / word.length + some),
      Math.log(Math.min(left, right) + some),
      Math.log(Math.max(1 - inside, 0) + some),
    ];
    return language ? [...row, language[number]] : row;
  });
}

/** Return sums over a segment that grow with its errors. */
export function segmentFeatures(logProbs, words, labels, chances) {
  const frames = new Frames(logProbs, labels);
  const runs = words.flat();
  const wrong = sum(words.map((word, i) => (1 - chances[i]) * word.length));
  const raw = sum(runs.map(({ logProb }) => 1 - Math.exp(Math.max(logProb, leastLogProb))));
  return [wrong, raw, frames.missed(runs), sum(frames.doubt), frames.count * secondsPerFrame];
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

/** What the frames of a segment say, probabilities [T] each. */
class Frames {
  constructor(logProbs, labels) {
    this.logProbs = logProbs;
    this.width = labels.symbols.length;
    this.count = logProbs.length / this.width;
    this.probs = Float64Array.from(logProbs, Math.exp);
    this.between = new Array(this.count).fill(0); // of a space
    this.quiet = new Array(this.count).fill(0); // of a space, the blank or a special token
    this.doubt = new Array(this.count).fill(0); // of all labels but the best
    for (let frame = 0; frame < this.count; frame++) {
      let best = 0;
      labels.symbols.forEach((symbol, label) => {
        const prob = this.probs[frame * this.width + label];
        best = Math.max(best, prob);
        if (symbol === WORD_DELIMITER) this.between[frame] += prob;
        if (symbol === WORD_DELIMITER || symbol === "") this.quiet[frame] += prob;
      });
      this.doubt[frame] = 1 - best;
    }
  }

  most(values, begin, end) {
    return Math.max(...values.slice(begin, end));
  }

  /** Return how far the next best label lies below a character where the character peaks, natural logarithm. */
  margin({ label, first, last }) {
    let peak = first;
    const at = (frame, other) => this.logProbs[frame * this.width + other];
    for (let frame = first + 1; frame <= last; frame++) if (at(frame, label) > at(peak, label)) peak = frame;
    let next = -Infinity;
    for (let other = 0; other < this.width; other++) if (other !== label) next = Math.max(next, at(peak, other));
    return Math.min(Math.max(at(peak, label) - next, leastMargin), mostMargin);
  }

  /** Return how many characters may lie unwritten between those of the text. */
  missed(runs) {
    let total = 0;
    for (let i = 0; i <= runs.length; i++) {
      const [left, right] = [runs[i - 1], runs[i]];
      const beside = new Set([left, right].filter(Boolean).map(({ label }) => label));
      let most = 0;
      for (let frame = left ? left.last + 1 : 0; frame < (right ? right.first : this.count); frame++) {
        let known = this.quiet[frame];
        for (const label of beside) known += this.probs[frame * this.width + label];
        most = Math.max(most, 1 - known);
      }
      total += most;
    }
    return total;
  }
}

/** Return the language model's mean log-probability of each word's characters and of what ends it. */
function languageOf(words, labels, languageModel) {
  let state = languageModel.start();
  return words.map((word, number) => {
    let total = 0;
    for (const { label } of word) {
      const character = labels.symbols[label];
      total += state.logProb(character);
      state = state.after(character);
    }
    const ending = number + 1 < words.length ? WORD_DELIMITER : END;
    total += state.logProb(ending);
    if (ending === WORD_DELIMITER) state = state.after(WORD_DELIMITER);
    return total / (word.length + 1);
  });
}
