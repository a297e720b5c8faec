import assert from "node:assert/strict";
import { test } from "node:test";
import { Calibration, calibrated, calibrationsOf, wordFeatures } from "./calibration.js";
import { greedyRuns } from "./decoding.js";

const LABELS = { symbols: ["", "|", "a", "b"], blank: 0 };
const PROBABILITIES = [
  [0.2, 0.1, 0.6, 0.1],
  [0.9, 0.05, 0.02, 0.03],
  [0.2, 0.7, 0.05, 0.05],
  [0.1, 0.1, 0.1, 0.7],
];
const LOG_PROBS = Float32Array.from(PROBABILITIES.flat(), Math.log);
const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-5, `${found} is not ${expected}`);

test("features worked out by hand, the same as in tests/recognition/test_calibration.py", () => {
  const [a, b] = wordFeatures(LOG_PROBS, greedyRuns(LOG_PROBS, LABELS), LABELS, null);
  const expected = [Math.log(0.6), Math.log(0.6), Math.log(3), 0, 0, Math.log(0.801), Math.log(0.701), Math.log(0.901)];
  a.forEach((value, i) => near(value, expected[i]));
  near(b[5], Math.log(0.701)); // frames 1 to 3: 0.1 + 0.3 + 0.3
});

test("a curve is linear between its knots and level beyond them", () => {
  const own = new Calibration({ words: { x: [0.2, 0.6], y: [0.1, 0.5] }, errors: { weights: [1, 0, 0, 0, 0] } }, false);
  const cases = { 0.1: 0.1, 0.2: 0.1, 0.4: 0.3, 0.9: 0.5 };
  for (const [raw, chance] of Object.entries(cases)) near(own.chance([Math.log(raw)]), chance);
  // "a b": raw 0.6 and 0.7, chances 0.5 and 0.5, so one wrong character of three; confidence 3 / (3 + 1).
  const found = calibrated(own, LOG_PROBS, greedyRuns(LOG_PROBS, LABELS), LABELS, null);
  near(found.expectedErrors, 1);
  near(found.confidence, 3 / 4);
});

test("what is missing is null, and what is damaged a problem", () => {
  assert.deepEqual(calibrationsOf({}), { alone: null, together: null });
  const words = { intercept: 0, weights: [1, 2] };
  assert.throws(() => calibrationsOf({ alone: { words, errors: { weights: [] } } }), { code: "calibration" });
});
