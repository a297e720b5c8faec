import assert from "node:assert/strict";
import { test } from "node:test";
import { confidence, greedyRuns, wordOf } from "./decoding.js";

const LABELS = { symbols: ["", "", "|", "a", "ñ"], blank: 0 };

const greedyWords = (given, labels, startMs = 0) =>
  greedyRuns(given, labels).map((own) => wordOf(own, labels, startMs));

/** Logits whose best labels are `path`, each with probability 1/2. */
function logits(path) {
  const rows = path.map((best) => LABELS.symbols.map((_, i) => Math.log(i === best ? 1 / 2 : 1 / 8)));
  return Float32Array.from(rows.flat());
}

test("repeats are merged, then blanks removed: aa needs a blank in between", () => {
  // Frame 1 begins at (320 + 40) / 16 = 22.5 ms, frame 6 ends where frame 7 begins: 142.5 ms.
  const [word, ...others] = greedyWords(logits([0, 3, 3, 0, 3, 4, 4]), LABELS, 1000);
  assert.deepEqual(others, []);
  assert.equal(word.text, "aañ");
  assert.deepEqual([word.start_ms, word.end_ms], [1022, 1142]);
  assert.ok(Math.abs(word.confidence - 0.5) < 1e-6);
});

test("delimiters separate words, and no word is empty", () => {
  const words = greedyWords(logits([2, 3, 2, 2, 0, 2, 4]), LABELS);
  assert.deepEqual(
    words.map((word) => word.text),
    ["a", "ñ"],
  );
  const special = greedyWords(logits([3, 2, 1, 2, 4]), LABELS);
  assert.deepEqual(
    special.map((word) => word.text),
    ["a", "ñ"],
  );
});

test("only blanks: no word, confidence 0", () => {
  assert.deepEqual(greedyWords(logits([0, 0]), LABELS), []);
  assert.equal(confidence([]), 0);
});

test("a segment's confidence weights words by their characters", () => {
  const words = [
    { text: "ñ", confidence: 0.25 },
    { text: "aaa", confidence: 1 },
  ];
  assert.ok(Math.abs(confidence(words) - 0.25 ** (1 / 4)) < 1e-12);
});
