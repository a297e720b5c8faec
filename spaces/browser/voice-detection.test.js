import assert from "node:assert/strict";
import { test } from "node:test";
import { DETECTION_SETTINGS as SETTINGS } from "./constants.js";
import { finished, levelsDb, sameOnAllChannels, segments } from "./voice-detection.js";

const speech = (...runs) => Float32Array.from(runs.flatMap(([value, frames]) => new Array(frames).fill(value)));

test("a run of speech is padded by 120 ms on both sides", () => {
  // Frames 10 to 19: 320 to 640 ms.
  assert.deepEqual(segments(speech([0, 10], [1, 10], [0, 30]), SETTINGS, 1600), [[200, 760]]);
});

test("192 ms of speech are dropped, 224 ms are kept", () => {
  assert.deepEqual(segments(speech([0, 10], [1, 6], [0, 10]), SETTINGS, 832), []);
  assert.equal(segments(speech([0, 10], [1, 7], [0, 10]), SETTINGS, 864).length, 1);
});

test("a pause of 384 ms joins two runs, one of 416 ms separates them", () => {
  assert.equal(segments(speech([1, 10], [0, 12], [1, 10]), SETTINGS, 1024).length, 1);
  assert.equal(segments(speech([1, 10], [0, 13], [1, 10]), SETTINGS, 1056).length, 2);
});

test("speech that is too long is cut at its least probable frame", () => {
  const runs = speech([1, 500], [0.8, 1], [1, 400]);
  assert.deepEqual(segments(runs, SETTINGS, 901 * 32), [
    [0, 500 * 32],
    [500 * 32, 901 * 32],
  ]);
});

test("finished segments are the first of all segments, after any number of frames", () => {
  const settings = { ...SETTINGS, max_segment_ms: 3000 };
  const frames = Float32Array.from({ length: 2000 }, (_, i) => 0.5 + 0.5 * Math.sin(i / 9) * Math.sin(i / 61 + i * i));
  const all = segments(frames, settings, 64_000);
  assert.ok(all.length > 20);
  let most = 0;
  for (let count = 0; count <= 2000; count += 7) {
    const some = finished(frames.subarray(0, count), settings, 64_000);
    assert.deepEqual(some, all.slice(0, some.length));
    assert.ok(some.length >= most);
    most = some.length;
  }
  assert.ok(most >= all.length - 2);
});

test("a square wave of half of full scale is at -6 dB, whatever its DC offset", () => {
  const wave = Float32Array.from({ length: 512 }, (_, i) => (i % 2 ? 0.75 : -0.25));
  assert.ok(Math.abs(levelsDb(wave)[0] - 20 * Math.log10(0.5)) < 1e-4);
});

test("equal levels are one microphone, levels 0.2 dB apart are not", () => {
  assert.ok(sameOnAllChannels([Float32Array.of(-20, -30), Float32Array.of(-20.05, -30)]));
  assert.ok(!sameOnAllChannels([Float32Array.of(-20, -30), Float32Array.of(-20.2, -30)]));
  assert.ok(!sameOnAllChannels([Float32Array.of(-20)]));
});
