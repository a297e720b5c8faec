// Forced alignment: the times of the words of a known text, as in u2u_hf/recognition/alignment.py.
import { WORD_DELIMITER } from "./constants.js";

/**
 * Return the words of a text, each as its characters, as `greedyRuns` does; none if there are too few frames.
 * @param {Float32Array} logProbs [T · V], natural logarithms of probabilities
 * @param {string} text words separated by spaces, of the labels' characters
 * @param {{symbols: string[], blank: number}} labels
 * @returns {{label: number, first: number, last: number, logProb: number}[][]}
 */
export function alignedRuns(logProbs, text, labels) {
  const width = labels.symbols.length;
  const frames = logProbs.length / width;
  const index = new Map(labels.symbols.map((symbol, label) => [symbol, label]).filter(([symbol]) => symbol));
  const words = text.split(" ").filter(Boolean).map((word) => [...word].map((c) => index.get(c)));
  const between = index.has(WORD_DELIMITER) ? [index.get(WORD_DELIMITER)] : [];
  const targets = words.flatMap((spelled) => [...between, ...spelled]).slice(between.length);
  const needed = targets.length + targets.filter((label, i) => i && label === targets[i - 1]).length;
  if (!targets.length || needed > frames) return [];
  const path = bestPath(logProbs, frames, width, targets, labels.blank);
  const first = new Array(targets.length);
  const last = new Array(targets.length);
  path.forEach((state, frame) => {
    if (state % 2 === 0) return;
    first[(state - 1) / 2] ??= frame;
    last[(state - 1) / 2] = frame;
  });
  let at = 0;
  return words.map((spelled, number) => {
    if (number) at += between.length;
    return spelled.map((label) => {
      let logProb = -Infinity;
      for (let f = first[at]; f <= last[at]; f++) logProb = Math.max(logProb, logProbs[f * width + label]);
      return { label, first: first[at], last: last[at++], logProb };
    });
  });
}

/** Return the most probable CTC path that spells `targets` (Viterbi's algorithm), the state of each frame. */
function bestPath(logProbs, frames, width, targets, blank) {
  const states = 2 * targets.length + 1;
  const spelled = Int32Array.from({ length: states }, (_, state) => (state % 2 ? targets[(state - 1) / 2] : blank));
  const steps = new Uint8Array(frames * states); // how many states back the best path to a state was before
  let best = new Float32Array(states).fill(-Infinity);
  best[0] = logProbs[spelled[0]];
  best[1] = logProbs[spelled[1]];
  for (let frame = 1; frame < frames; frame++) {
    const after = new Float32Array(states).fill(-Infinity);
    // The states that a path can be in by now, and from which it can still come to the end.
    const low = Math.max(0, states - 2 * (frames - frame));
    const high = Math.min(states, 2 * frame + 2);
    for (let state = low; state < high; state++) {
      let step = 0;
      let either = best[state];
      if (state > 0 && best[state - 1] > either) [step, either] = [1, best[state - 1]];
      // A path goes from a label to the next one without a blank between, unless the two are equal.
      const skips = state % 2 && state > 1 && spelled[state] !== spelled[state - 2];
      if (skips && best[state - 2] > either) [step, either] = [2, best[state - 2]];
      steps[frame * states + state] = step;
      after[state] = either + logProbs[frame * width + spelled[state]];
    }
    best = after;
  }
  const path = new Int32Array(frames);
  let place = best[states - 1] > best[states - 2] ? states - 1 : states - 2;
  for (let frame = frames - 1; frame >= 0; frame--) {
    path[frame] = place;
    place -= steps[frame * states + place];
  }
  return path;
}
