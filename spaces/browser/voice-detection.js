// Silero VAD, and its probabilities cut into segments of speech, as in u2u_hf/transcription/voice_detection.py.
import { DETECTION_FRAME_SAMPLES as FRAME_SAMPLES, SAMPLING_RATE } from "./constants.js";

const FRAME_MS = (FRAME_SAMPLES * 1000) / SAMPLING_RATE;
const CONTEXT = 64; // samples of the previous frame that the network sees again
const HYSTERESIS = 0.15; // speech ends this far below the threshold

/** Silero VAD over one channel: call `probabilities` with one block after the other. */
export class SpeechDetector {
  /** @param ort onnxruntime-web. @param session of silero_vad_16k_sequence.onnx */
  constructor(ort, session) {
    this.ort = ort;
    this.session = session;
    this.state = [0, 1].map(() => new ort.Tensor("float32", new Float32Array(128), [1, 1, 128]));
    this.context = new Float32Array(CONTEXT);
  }

  /**
   * Return the probability of speech in each frame of 32 ms.
   * @param {Float32Array} samples [N] at 16 kHz; in every block but the last, N is a multiple of 512
   * @returns {Promise<Float32Array>} [ceil(N / 512)]
   */
  async probabilities(samples) {
    const count = Math.ceil(samples.length / FRAME_SAMPLES);
    if (!count) return new Float32Array(0);
    const joined = new Float32Array(CONTEXT + count * FRAME_SAMPLES);
    joined.set(this.context);
    joined.set(samples, CONTEXT);
    const width = CONTEXT + FRAME_SAMPLES;
    const frames = new Float32Array(count * width);
    for (let i = 0; i < count; i++) {
      frames.set(joined.subarray(i * FRAME_SAMPLES, i * FRAME_SAMPLES + width), i * width);
    }
    const [h, c] = this.state;
    const outputs = await this.session.run({ input: new this.ort.Tensor("float32", frames, [count, width]), h, c });
    const [speech, ...state] = this.session.outputNames.map((name) => outputs[name]);
    this.state = state;
    this.context = joined.slice(-CONTEXT);
    return speech.data;
  }
}

/** Return the level of each frame of 32 ms in dB re full scale, without the DC offset. */
export function levelsDb(samples) {
  const levels = new Float32Array(Math.ceil(samples.length / FRAME_SAMPLES));
  const at = (i) => samples[Math.min(i, samples.length - 1)];
  for (let frame = 0; frame < levels.length; frame++) {
    let sum = 0;
    for (let i = frame * FRAME_SAMPLES; i < (frame + 1) * FRAME_SAMPLES; i++) sum += at(i);
    const mean = sum / FRAME_SAMPLES;
    let squares = 0;
    for (let i = frame * FRAME_SAMPLES; i < (frame + 1) * FRAME_SAMPLES; i++) squares += (at(i) - mean) ** 2;
    levels[frame] = 10 * Math.log10(squares / FRAME_SAMPLES + 1e-10);
  }
  return levels;
}

/** Return whether all channels hold the same microphone: levels equal within 0.1 dB. */
export function sameOnAllChannels(levels) {
  if (levels.length < 2) return false;
  return levels[0].every((_, f) => {
    const column = levels.map((row) => row[f]);
    return Math.max(...column) - Math.min(...column) < 0.1;
  });
}

/** Return the probabilities, set to 0 where a channel holds cross-talk from another channel. */
export function withoutCrosstalk(probabilities, levels, settings) {
  if (probabilities.length < 2 || !probabilities[0].length) return probabilities;
  const smooth = levels.map(smoothed);
  return probabilities.map((row, channel) => {
    const leaking = new Uint8Array(row.length);
    for (let other = 0; other < probabilities.length; other++) {
      if (other === channel) continue;
      const difference = smooth[channel].map((level, f) => level - smooth[other][f]);
      const speech = difference.filter((_, f) => Math.max(row[f], probabilities[other][f]) >= settings.threshold);
      const below = leakBelow(speech, settings.crosstalk_db);
      difference.forEach((value, f) => {
        if (value < below) leaking[f] = 1;
      });
    }
    return row.map((value, f) => (leaking[f] ? 0 : value));
  });
}

function smoothed(row) {
  const at = (f) => row[Math.min(Math.max(f, 0), row.length - 1)];
  return Float64Array.from(row, (_, f) => (at(f - 2) + at(f - 1) + at(f) + at(f + 1) + at(f + 2)) / 5);
}

function leakBelow(differences, crosstalkDb) {
  if (differences.length < 2) return -crosstalkDb;
  const sorted = differences.toSorted();
  let [low, high] = [percentile(sorted, 5), percentile(sorted, 95)];
  for (let round = 0; round < 20; round++) {
    const near = differences.filter((d) => d > (low + high) / 2);
    const far = differences.filter((d) => !(d > (low + high) / 2));
    if (!far.length || !near.length) return -crosstalkDb;
    [low, high] = [mean(far), mean(near)];
  }
  return high - low >= 12 ? low + 0.4 * (high - low) : -crosstalkDb;
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

function percentile(sorted, percent) {
  const at = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(at);
  return sorted[below] + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
}

/**
 * Return the segments of speech as [start, end] in ms, in order, without overlap.
 * @param {ArrayLike<number>} probabilities one for each 32 ms
 */
export function segments(probabilities, settings, durationMs) {
  const joined = [];
  for (const [first, end] of speechRuns(probabilities, settings.threshold)) {
    if (joined.length && (first - joined.at(-1)[1]) * FRAME_MS < settings.min_silence_ms) joined.at(-1)[1] = end;
    else joined.push([first, end]);
  }
  const maxFrames = Math.max(1, Math.floor((settings.max_segment_ms - 2 * settings.pad_ms) / FRAME_MS));
  const spans = joined
    .filter(([first, end]) => (end - first) * FRAME_MS >= settings.min_speech_ms)
    .flatMap(([first, end]) => cut(probabilities, first, end, maxFrames))
    .map(([first, end]) => [first * FRAME_MS, Math.min(end * FRAME_MS, durationMs)])
    .filter(([start, end]) => start < end);
  return padded(spans, settings.pad_ms, durationMs);
}

/** Return the segments that later frames cannot change: all but the last. Arguments as of `segments`. */
export const finished = (...soFar) => segments(...soFar).slice(0, -1);

function speechRuns(probabilities, threshold) {
  const runs = [];
  let first = null;
  for (let frame = 0; frame < probabilities.length; frame++) {
    if (first === null && probabilities[frame] >= threshold) first = frame;
    else if (first !== null && probabilities[frame] < threshold - HYSTERESIS) {
      runs.push([first, frame]);
      first = null;
    }
  }
  if (first !== null) runs.push([first, probabilities.length]);
  return runs;
}

/** Cut [first, end) into pieces of at most `most` frames, each at the least probable frame of its second half. */
function cut(probabilities, first, end, most) {
  const pieces = [];
  let from = first;
  while (end - from > most) {
    const low = from + Math.floor(most / 2) + 1;
    let at = low;
    for (let i = low; i < from + most; i++) if (probabilities[i] < probabilities[at]) at = i;
    if (low >= from + most) at = from + most;
    pieces.push([from, at]);
    from = at;
  }
  return [...pieces, [from, end]];
}

function padded(spans, padMs, durationMs) {
  return spans.map(([start, end], i) => {
    const before = i ? Math.floor((start - spans[i - 1][1]) / 2) : start;
    const after = i + 1 < spans.length ? Math.floor((spans[i + 1][0] - end + 1) / 2) : durationMs - end;
    return [start - Math.min(padMs, before), end + Math.min(padMs, after)];
  });
}
