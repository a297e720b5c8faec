import assert from "node:assert/strict";
import { test } from "node:test";
import { resample } from "./resample.js";

const sine = (rate, seconds, hertz = 440) =>
  Float32Array.from({ length: rate * seconds }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));

// Rates that share no large factor with 16,000, as old sound cards and video cameras have.
for (const rate of [44_099, 44_101, 22_254, 11_127]) {
  test(`a tone at ${rate} Hz is the same tone at 16 kHz`, () => {
    const found = resample(sine(rate, 2), rate);
    const expected = sine(16_000, 2);
    assert.equal(found.length, expected.length);
    for (let n = 100; n < expected.length - 100; n++) assert.ok(Math.abs(found[n] - expected[n]) < 2e-3, `${n}`);
  });
}

test("a rate with a fraction of 1 Hz ends", () => {
  assert.equal(resample(new Float32Array(22_254), 22_254.5454).length, Math.ceil((22_254 * 16_000) / 22_255));
});

test("any rate ends", () => {
  for (const rate of [1, 3, 7919, 15_999, 16_001, 96_001, 191_999]) {
    const found = resample(new Float32Array(1000).fill(1), rate);
    assert.equal(found.length, Math.ceil((1000 * 16_000) / rate));
  }
});

test("no rate, no loop", () => {
  for (const rate of [0, -8000, Number.NaN, undefined]) assert.throws(() => resample(new Float32Array(10), rate));
});
