// Reads {cases} as JSON, prints what the page's modules make of them: tests/test_browser_space.py compares.
import { readFileSync } from "node:fs";

const [folder] = process.argv.slice(2);
const load = (name) => import(`${folder}/${name}.js`);
const [vad, ctc, frames, resampling, recognizer, model] = await Promise.all(
  ["vad", "ctc", "frames", "resample", "recognizer", "model"].map(load),
);
const given = JSON.parse(readFileSync(0, "utf-8"));
const floats = (rows) => rows.map((row) => Float32Array.from(row));
const lists = (rows) => rows.map((row) => [...row]);

const found = {
  settings: vad.SETTINGS,
  segments: given.segments.map(([p, settings, ms]) => vad.segments(Float32Array.from(p), settings, ms)),
  crosstalk: given.crosstalk.map(([p, levels]) =>
    lists(vad.withoutCrosstalk(floats(p), floats(levels), vad.SETTINGS)),
  ),
  same: given.crosstalk.map(([, levels]) => vad.sameOnAllChannels(floats(levels))),
  levels: [...vad.levelsDb(Float32Array.from(given.samples))],
  normalized: [...recognizer.normalized(Float32Array.from(given.samples))],
  resampled: given.rates.map((rate) => [...resampling.resample(Float32Array.from(given.samples), rate)]),
  frames: given.frames.map((frame) => [frames.frameStartMs(frame), frames.frameEndMs(frame)]),
  words: given.logits.map(([rows, labels, start]) => ctc.greedyWords(Float32Array.from(rows.flat()), labels, start)),
  labels: model.labelsOf(...given.tokenizer),
};
found.confidences = found.words.map(ctc.confidence);
console.log(JSON.stringify(found));
