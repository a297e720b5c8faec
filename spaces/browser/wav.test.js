import assert from "node:assert/strict";
import { test } from "node:test";
import { wav } from "./wav.js";

const samplesOf = (bytes) => [...new Int16Array(bytes.buffer, 44)];

test("samples up to full scale are written as they are", () => {
  assert.deepEqual(samplesOf(wav(Float32Array.of(0, 0.5, -1, 1))), [0, 16384, -32767, 32767]);
});

test("samples beyond full scale are divided by the largest, not clipped", () => {
  assert.deepEqual(samplesOf(wav(Float32Array.of(1, 2, -4, 0.5))), [8192, 16384, -32767, 4096]);
});
