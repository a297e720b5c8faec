// Speech detection on one channel: takes samples in order of time, posts probabilities, levels and peaks. The network
// is small and recurrent: more threads slow it down, so each channel has one worker with one thread.
import { peaks } from "./peaks.js";
import { plain } from "./problem.js";
import { runtime, vendor } from "./runtime.js";
import { levelsDb, SpeechDetector } from "./voice-detection.js";

const starting = start();

async function start() {
  const ort = await runtime(1);
  return new SpeechDetector(ort, await ort.InferenceSession.create(vendor("silero_vad_16k_sequence.onnx")));
}

self.onmessage = async ({ data }) => {
  try {
    const detector = await starting;
    postMessage({ probabilities: await detector.probabilities(data), levels: levelsDb(data), peaks: peaks(data) });
  } catch (error) {
    postMessage({ problem: plain(error) });
  }
};
