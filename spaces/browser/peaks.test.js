import assert from "node:assert/strict";
import { test } from "node:test";
import { peaks } from "./peaks.js";

test("the waveform is as high as its loudest sample: 0, -20 and -60 dB are all, two thirds and none", () => {
  const samples = new Float32Array(4 * 160 + 1);
  samples[5] = -1;
  samples[170] = 0.1;
  samples[330] = 0.001;
  samples[640] = 2; // beyond the scale
  assert.deepEqual([...peaks(samples)], [255, 170, 0, 0, 255]);
});
