// Hears recordings, off the page's thread: {load: source} and {transcribe: id, file} in, what is found out.
import { openAudio } from "./audio.js";
import { confidence, greedyWords } from "./ctc.js";
import { loadModel } from "./model.js";
import { plain } from "./problem.js";
import { Recognizer } from "./recognizer.js";
import { levelsDb, SETTINGS, SpeechDetector, sameOnAllChannels, segments, withoutCrosstalk } from "./vad.js";
import * as ort from "./vendor/ort.wasm.min.mjs";

const BLOCK_MS = 64_000; // 2,000 whole frames of the detector
const MOST_THREADS = 8;

const vendor = (name) => new URL(`./vendor/${name}`, import.meta.url).href;
ort.env.wasm.wasmPaths = { mjs: vendor("ort-wasm-simd-threaded.mjs"), wasm: vendor("ort-wasm-simd-threaded.wasm") };
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;

let detector;
let recognizer;
let labels;

async function load(source) {
  const model = await loadModel(source, (share) => postMessage({ kind: "loading", share }));
  recognizer?.session.release();
  recognizer = new Recognizer(ort, await ort.InferenceSession.create(model.weights), model.normalize);
  labels = model.labels;
  detector ??= await ort.InferenceSession.create(vendor("silero_vad_16k_sequence.onnx"));
  postMessage({ kind: "ready", threads: ort.env.wasm.numThreads, uncached: model.uncached });
}

async function transcribe(id, file) {
  const audio = await openAudio(file);
  try {
    const { durationMs, channels } = audio;
    const { found, levels, same } = await findSpeech(audio, (share) => postMessage({ kind: "listening", id, share }));
    postMessage({ kind: "segmentsFound", id, durationMs, channels, levels, same, segments: found });
    for (const [index, segment] of found.entries()) {
      const samples = (await audio.read(segment.start_ms, segment.end_ms))[segment.channel];
      const words = greedyWords(await recognizer.logits(samples), labels, segment.start_ms);
      const heard = { words, confidence: confidence(words), text: words.map((word) => word.text).join(" ") };
      postMessage({ kind: "heard", id, index, heard });
    }
    postMessage({ kind: "done", id });
  } finally {
    audio.close();
  }
}

/** Segments in order of time, as they are heard and shown; and the levels, for drawing. */
async function findSpeech(audio, progress) {
  const channels = Array.from({ length: audio.channels }, () => ({
    detector: new SpeechDetector(ort, detector),
    probabilities: [],
    levels: [],
  }));
  for (let start = 0; start < audio.durationMs; start += BLOCK_MS) {
    const block = await audio.read(start, start + BLOCK_MS);
    for (const [index, channel] of channels.entries()) {
      channel.probabilities.push(...(await channel.detector.probabilities(block[index])));
      channel.levels.push(...levelsDb(block[index]));
    }
    progress(Math.min(1, (start + BLOCK_MS) / audio.durationMs));
  }
  const levels = channels.map((channel) => Float32Array.from(channel.levels));
  let probabilities = channels.map((channel) => Float32Array.from(channel.probabilities));
  const same = sameOnAllChannels(levels);
  probabilities = same ? probabilities.slice(0, 1) : withoutCrosstalk(probabilities, levels, SETTINGS);
  const found = probabilities.flatMap((row, channel) =>
    segments(row, SETTINGS, audio.durationMs).map(([start_ms, end_ms]) => ({ channel, start_ms, end_ms })),
  );
  return { found: found.sort((a, b) => a.start_ms - b.start_ms || a.channel - b.channel), levels, same };
}

let work = Promise.resolve(); // one thing after the other

self.onmessage = ({ data }) => {
  work = work.then(async () => {
    try {
      if ("load" in data) await load(data.load);
      else await transcribe(data.transcribe, data.file);
    } catch (error) {
      postMessage({ kind: "problem", id: data.transcribe, problem: plain(error) });
    }
  });
};
