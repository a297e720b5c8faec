// Hears recordings, off the page's thread: {load: source} and {transcribe: id, file} in, what is found out.
import { openAudio } from "./audio.js";
import { confidence, greedyWords } from "./ctc.js";
import { FULL, openModel, SMALL } from "./model.js";
import { Problem, plain } from "./problem.js";
import { Recognizer } from "./recognizer.js";
import { SAMPLING_RATE } from "./resample.js";
import { runtime } from "./runtime.js";
import { finished, SETTINGS, sameOnAllChannels, segments, withoutCrosstalk } from "./vad.js";

const BLOCK_MS = 64_000; // 2,000 whole frames of the detector
const MOST_THREADS = 8;
const THREADS = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
// 400 MB of weights are too much for one, and what has no memory left is closed by its browser without a word.
const PHONE = /Mobi|Android/;

let recognizer;
let labels;

async function load(source) {
  const model = await openModel(source);
  const progress = (share) => postMessage({ kind: "loading", share });
  recognizer?.session.release();
  const onGraphics = await startOnGraphics(model, progress);
  recognizer = onGraphics ?? (await start(model, await runtime(THREADS), "wasm", [SMALL, FULL], progress));
  labels = model.labels;
  const engine = onGraphics ? "ready_graphics" : THREADS > 1 ? "ready" : "ready_one";
  postMessage({ kind: "ready", engine, threads: THREADS, uncached: model.uncached() });
}

/** On the graphics processor, where the browser gives one and it can do all that the model asks of it; else null. */
async function startOnGraphics(model, progress) {
  try {
    if (PHONE.test(navigator.userAgent) || !(await navigator.gpu?.requestAdapter())) return null;
    // Numbers of 8 bits it would hand back to the processor, one operation after the other.
    const started = await start(model, await runtime(THREADS, true), "webgpu", [FULL], progress);
    await started.logits(new Float32Array(SAMPLING_RATE)); // what it cannot do shows when it does it
    return started;
  } catch {
    return null;
  }
}

async function start(model, ort, provider, names, progress) {
  const weights = await model.weights(names, progress);
  const session = await ort.InferenceSession.create(weights, { executionProviders: [provider] });
  return new Recognizer(ort, session, model.normalize);
}

async function transcribe(id, file) {
  if (!recognizer) throw new Problem("model-needed", file.name);
  const audio = await openAudio(file);
  try {
    const { durationMs, channels } = audio;
    postMessage({ kind: "opened", id, durationMs, channels });
    let index = 0;
    for await (const found of findSpeech(audio, (share) => postMessage({ kind: "listening", id, share }))) {
      postMessage({ kind: "found", id, ...found });
      for (const segment of found.segments) {
        const samples = (await audio.read(segment.start_ms, segment.end_ms))[segment.channel];
        const words = greedyWords(await recognizer.logits(samples), labels, segment.start_ms);
        const heard = { words, confidence: confidence(words), text: words.map((word) => word.text).join(" ") };
        postMessage({ kind: "heard", id, index: index++, heard });
      }
    }
    postMessage({ kind: "done", id });
  } finally {
    audio.close();
  }
}

/**
 * Segments in order of time, as they are heard and shown, and the levels so far, for drawing. Of one channel, as soon
 * as they are known; of several, when all has been looked at: what leaks from one to the other shows only in the whole.
 */
async function* findSpeech(audio, progress) {
  const { durationMs } = audio;
  const channels = Array.from({ length: audio.channels }, startDetector);
  const levels = () => channels.map((channel) => Float32Array.from(channel.levels));
  const alone = channels.length === 1;
  let told = 0;
  try {
    let block = await audio.read(0, BLOCK_MS);
    for (let end = BLOCK_MS; end - BLOCK_MS < durationMs; end += BLOCK_MS) {
      const hearing = channels.map((channel, index) => channel.hear(block[index]));
      [block] = await Promise.all([audio.read(end, end + BLOCK_MS), ...hearing]);
      progress(Math.min(1, end / durationMs));
      if (!alone) continue;
      const known = finished(channels[0].probabilities, SETTINGS, durationMs).slice(told);
      told += known.length;
      yield { segments: known.map(onChannel(0)), levels: levels(), same: false };
    }
  } finally {
    for (const channel of channels) channel.close();
  }
  const whole = levels();
  let probabilities = channels.map((channel) => Float32Array.from(channel.probabilities));
  const same = sameOnAllChannels(whole);
  probabilities = same ? probabilities.slice(0, 1) : withoutCrosstalk(probabilities, whole, SETTINGS);
  const found = probabilities.flatMap((row, channel) =>
    segments(row, SETTINGS, durationMs).slice(told).map(onChannel(channel)),
  );
  yield { segments: found.sort((a, b) => a.start_ms - b.start_ms || a.channel - b.channel), levels: whole, same };
}

const onChannel =
  (channel) =>
  ([start_ms, end_ms]) => ({ channel, start_ms, end_ms });

function startDetector() {
  const worker = new Worker(new URL("./detector-worker.js", import.meta.url), { type: "module" });
  const probabilities = [];
  const levels = [];
  const hear = (samples) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        const { problem } = data;
        if (problem) return reject(new Problem(problem.code, problem.where, problem.detail));
        probabilities.push(...data.probabilities);
        levels.push(...data.levels);
        resolve();
      };
      worker.postMessage(samples);
    });
  return { probabilities, levels, hear, close: () => worker.terminate() };
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
