// Speech detection on one channel: samples in, in order of time, probabilities and levels out. It is one long chain of
// small steps, which several threads only slow down; so each channel has a thread of its own.
import { plain } from "./problem.js";
import { runtime, vendor } from "./runtime.js";
import { levelsDb, SpeechDetector } from "./vad.js";

const starting = start();

async function start() {
  const ort = await runtime(1);
  return new SpeechDetector(ort, await ort.InferenceSession.create(vendor("silero_vad_16k_sequence.onnx")));
}

self.onmessage = async ({ data }) => {
  try {
    const detector = await starting;
    postMessage({ probabilities: await detector.probabilities(data), levels: levelsDb(data) });
  } catch (error) {
    postMessage({ problem: plain(error) });
  }
};
