// Loads models and transcribes recordings, off the page's thread. Takes {load: source} and {transcribe: id, file};
// posts messages whose `kind` transcribe.js and transcript.js name.
import { alignedRuns } from "./alignment.js";
import { openAudio } from "./audio.js";
import { beamSearch } from "./beam-search.js";
import { calibrated } from "./calibration.js";
import { DETECTION_SETTINGS, FLOAT32_WEIGHTS, INT8_WEIGHTS, SAMPLING_RATE } from "./constants.js";
import { confidence, greedyRuns, logSoftmax, wordOf } from "./decoding.js";
import { openModel } from "./model.js";
import { Problem, plain } from "./problem.js";
import { Recognizer } from "./recognizer.js";
import { runtime } from "./runtime.js";
import { finished, sameOnAllChannels, segments, withoutCrosstalk } from "./voice-detection.js";

const BLOCK_MS = 64_000; // 2,000 whole frames of speech detection
const MAX_THREADS = 8;
const THREADS = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MAX_THREADS) : 1;
// 400 MB of weights are too much for a phone: its browser closes a page without memory, with no message.
const PHONE = /Mobi|Android/;

let recognizer;
let labels;
let languageModel;
let calibration;

async function load(source) {
  recognizer?.session.release();
  recognizer = undefined; // if this fails, the page says that no model is loaded
  const model = await openModel(source);
  const progress = (share) => postMessage({ kind: "loading", share });
  const onGraphics = await startOnGraphics(model, progress);
  recognizer = onGraphics ?? (await startOnProcessor(model, progress));
  ({ labels, languageModel, calibration } = model);
  const engine = onGraphics ? "ready_graphics" : THREADS > 1 ? "ready" : "ready_one";
  const found = { licence: model.licence, withLanguageModel: languageModel !== null, uncached: model.uncached() };
  postMessage({ kind: "ready", engine, threads: THREADS, ...found });
}

/** Return a recogniser on the graphics processor; null without one, or if it cannot run the model. */
async function startOnGraphics(model, progress) {
  try {
    if (PHONE.test(navigator.userAgent) || !(await navigator.gpu?.requestAdapter())) return null;
    // Not int8: WebGPU has no int8 operators, and each one would go back to the processor.
    const started = await start(model, await runtime(THREADS, true), "webgpu", [FLOAT32_WEIGHTS], progress);
    await started.logits(new Float32Array(SAMPLING_RATE)); // an operator that fails only does so when it runs
    return started;
  } catch {
    return null;
  }
}

async function startOnProcessor(model, progress) {
  return start(model, await runtime(THREADS), "wasm", [INT8_WEIGHTS, FLOAT32_WEIGHTS], progress);
}

async function start(model, ort, provider, names, progress) {
  const weights = await model.weights(names, progress);
  const session = await ort.InferenceSession.create(weights, { executionProviders: [provider] });
  return new Recognizer(ort, session, model.normalize, model.receptiveField);
}

async function transcribe(id, file) {
  if (!recognizer) throw new Problem("model-needed", file.name);
  const audio = await openAudio(file);
  try {
    const { durationMs, channels, unheard } = audio;
    postMessage({ kind: "opened", id, durationMs, channels, unheard, calibrated: calibration !== null });
    let index = 0;
    for await (const found of findSpeech(audio, (share) => postMessage({ kind: "detecting", id, share }))) {
      postMessage({ kind: "found", id, ...found });
      for (const segment of found.segments) {
        const samples = (await audio.read(segment.start_ms, segment.end_ms))[segment.channel];
        const startMs = segment.start_ms + recognizer.delayMs;
        const recognized = recognise(await recognizer.logits(samples), startMs);
        postMessage({ kind: "recognized", id, index: index++, recognized });
      }
    }
    postMessage({ kind: "done", id });
  } finally {
    audio.close();
  }
}

/** Return the words of a segment, greedy or by beam search with the language model, with their text and confidence. */
function recognise(logits, startMs) {
  const logProbs = logSoftmax(logits, labels.symbols.length);
  const runs = languageModel
    ? alignedRuns(logProbs, beamSearch(logProbs, labels, languageModel), labels)
    : greedyRuns(logProbs, labels);
  const words = runs.map((own) => wordOf(own, labels, startMs));
  const text = words.map((word) => word.text).join(" ");
  if (!calibration) return { words, confidence: confidence(words), text };
  const found = calibrated(calibration, logProbs, runs, labels, languageModel);
  words.forEach((word, i) => (word.confidence = found.chances[i]));
  return { words, confidence: found.confidence, text };
}

/**
 * Yield segments of speech in order of time, and the peaks so far, for drawing. With one channel, segments come while
 * the rest is read; with several, at the end, because cross-talk shows only in the levels of the whole recording.
 * @returns {AsyncGenerator<{segments: {channel: number, start_ms: number, end_ms: number}[], peaks: Uint8Array[],
 *   same: boolean}>} `same`: all channels hold the same sound, and only the first has segments
 */
async function* findSpeech(audio, progress) {
  const { durationMs } = audio;
  const channels = Array.from({ length: audio.channels }, startDetector);
  const levels = () => channels.map((channel) => Float32Array.from(channel.levels));
  const peaks = () => channels.map((channel) => Uint8Array.from(channel.peaks));
  const alone = channels.length === 1;
  let yielded = 0;
  try {
    let block = await audio.read(0, BLOCK_MS);
    for (let end = BLOCK_MS; end - BLOCK_MS < durationMs; end += BLOCK_MS) {
      const detecting = channels.map((channel, index) => channel.detect(block[index]));
      [block] = await Promise.all([audio.read(end, end + BLOCK_MS), ...detecting]);
      progress(Math.min(1, end / durationMs));
      if (!alone) continue;
      const known = finished(channels[0].probabilities, DETECTION_SETTINGS, durationMs).slice(yielded);
      yielded += known.length;
      yield { segments: known.map(onChannel(0)), peaks: peaks(), same: false };
    }
  } finally {
    for (const channel of channels) channel.close();
  }
  const whole = levels();
  let probabilities = channels.map((channel) => Float32Array.from(channel.probabilities));
  const same = sameOnAllChannels(whole);
  probabilities = same ? probabilities.slice(0, 1) : withoutCrosstalk(probabilities, whole, DETECTION_SETTINGS);
  const found = probabilities.flatMap((row, channel) =>
    segments(row, DETECTION_SETTINGS, durationMs).slice(yielded).map(onChannel(channel)),
  );
  yield { segments: found.sort((a, b) => a.start_ms - b.start_ms || a.channel - b.channel), peaks: peaks(), same };
}

const onChannel =
  (channel) =>
  ([start_ms, end_ms]) => ({ channel, start_ms, end_ms });

function startDetector() {
  const worker = new Worker(new URL("./detection-worker.js", import.meta.url), { type: "module" });
  const probabilities = [];
  const levels = [];
  const peaks = [];
  const detect = (samples) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        const { problem } = data;
        if (problem) return reject(new Problem(problem.code, problem.where, problem.detail));
        probabilities.push(...data.probabilities);
        levels.push(...data.levels);
        peaks.push(...data.peaks);
        resolve();
      };
      worker.postMessage(samples);
    });
  return { probabilities, levels, peaks, detect, close: () => worker.terminate() };
}

let work = Promise.resolve(); // one message after the other

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
