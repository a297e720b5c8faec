// Hears recordings, off the page's thread: {load: source} and {transcribe: id, file} in, what is found out.
import { openAudio } from "./audio.js";
import { confidence, greedyWords } from "./ctc.js";
import { loadModel } from "./model.js";
import { Problem, plain } from "./problem.js";
import { Recognizer } from "./recognizer.js";
import { ort } from "./runtime.js";
import { levelsDb, SETTINGS, sameOnAllChannels, segments, withoutCrosstalk } from "./vad.js";

const BLOCK_MS = 64_000; // 2,000 whole frames of the detector
const MOST_THREADS = 8;
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;

let recognizer;
let labels;

async function load(source) {
  const model = await loadModel(source, (share) => postMessage({ kind: "loading", share }));
  recognizer?.session.release();
  recognizer = new Recognizer(ort, await ort.InferenceSession.create(model.weights), model.normalize);
  labels = model.labels;
  postMessage({ kind: "ready", threads: ort.env.wasm.numThreads, uncached: model.uncached });
}

async function transcribe(id, file) {
  if (!recognizer) throw new Problem("model-needed", file.name);
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
    detector: startDetector(),
    probabilities: [],
    levels: [],
  }));
  for (let start = 0; start < audio.durationMs; start += BLOCK_MS) {
    const block = await audio.read(start, start + BLOCK_MS);
    const hear = async (channel, index) => {
      channel.levels.push(...levelsDb(block[index]));
      channel.probabilities.push(...(await channel.detector.probabilities(block[index])));
    };
    await Promise.all(channels.map(hear));
    progress(Math.min(1, (start + BLOCK_MS) / audio.durationMs));
  }
  for (const { detector } of channels) detector.close();
  const levels = channels.map((channel) => Float32Array.from(channel.levels));
  let probabilities = channels.map((channel) => Float32Array.from(channel.probabilities));
  const same = sameOnAllChannels(levels);
  probabilities = same ? probabilities.slice(0, 1) : withoutCrosstalk(probabilities, levels, SETTINGS);
  const found = probabilities.flatMap((row, channel) =>
    segments(row, SETTINGS, audio.durationMs).map(([start_ms, end_ms]) => ({ channel, start_ms, end_ms })),
  );
  return { found: found.sort((a, b) => a.start_ms - b.start_ms || a.channel - b.channel), levels, same };
}

function startDetector() {
  const worker = new Worker(new URL("./detector-worker.js", import.meta.url), { type: "module" });
  const probabilities = (samples) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data: { probabilities: found, problem } }) => {
        if (problem) reject(new Problem(problem.code, problem.where, problem.detail));
        else resolve(found);
      };
      worker.postMessage(samples);
    });
  return { probabilities, close: () => worker.terminate() };
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
