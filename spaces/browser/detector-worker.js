// Speech detection on one channel: samples in, in order of time, probabilities out. It is one long chain of small
// steps, which several threads only slow down; so each channel has a thread of its own.
import { plain } from "./problem.js";
import { SpeechDetector } from "./vad.js";
import { ort, vendor } from "./runtime.js";

ort.env.wasm.numThreads = 1;
const starting = ort.InferenceSession.create(vendor("silero_vad_16k_sequence.onnx")).then(
  (session) => new SpeechDetector(ort, session),
);

self.onmessage = async ({ data }) => {
  try {
    const detector = await starting;
    postMessage({ probabilities: await detector.probabilities(data) });
  } catch (error) {
    postMessage({ problem: plain(error) });
  }
};
