// Reads cases as JSON, prints what the page's modules compute from them; tests/spaces/test_browser_page.py compares.
import { readFileSync } from "node:fs";

const [folder] = process.argv.slice(2);
const load = (name) => import(`${folder}/${name}.js`);
const [constants, detection, decoding, frames, resampling, recognizer, model] = await Promise.all(
  ["constants", "voice-detection", "decoding", "frames", "resample", "recognizer", "model"].map(load),
);
const given = JSON.parse(readFileSync(0, "utf-8"));
const floats = (rows) => rows.map((row) => Float32Array.from(row));
const lists = (rows) => rows.map((row) => [...row]);

const found = {
  settings: constants.DETECTION_SETTINGS,
  segments: given.segments.map(([p, settings, ms]) => detection.segments(Float32Array.from(p), settings, ms)),
  crosstalk: given.crosstalk.map(([p, levels]) =>
    lists(detection.withoutCrosstalk(floats(p), floats(levels), constants.DETECTION_SETTINGS)),
  ),
  same: given.crosstalk.map(([, levels]) => detection.sameOnAllChannels(floats(levels))),
  levels: [...detection.levelsDb(Float32Array.from(given.samples))],
  normalized: [...recognizer.normalized(Float32Array.from(given.samples))],
  resampled: given.rates.map((rate) => [...resampling.resample(Float32Array.from(given.samples), rate)]),
  frames: given.frames.map((frame) => [frames.frameStartMs(frame), frames.frameEndMs(frame)]),
  words: given.logits.map(([rows, labels, start]) =>
    decoding.greedyRuns(Float32Array.from(rows.flat()), labels).map((own) => decoding.wordOf(own, labels, start)),
  ),
  labels: model.labelsOf(...given.tokenizer),
};
found.confidences = found.words.map(decoding.confidence);
console.log(JSON.stringify(found));
