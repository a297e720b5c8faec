// A trained model that hears, on onnxruntime-web.
import { RECEPTIVE_FIELD } from "./frames.js";

export class Recognizer {
  /** @param ort onnxruntime-web. @param session of the model. @param normalize as its preprocessor says */
  constructor(ort, session, normalize) {
    Object.assign(this, { ort, session, normalize });
  }

  /**
   * @param {Float32Array} samples at 16 kHz
   * @returns {Promise<Float32Array>} logits [T · V]
   */
  async logits(samples) {
    if (samples.length < RECEPTIVE_FIELD) return new Float32Array(0);
    const values = this.normalize ? normalized(samples) : samples;
    const input = new this.ort.Tensor("float32", values, [1, values.length]);
    const outputs = await this.session.run({ [this.session.inputNames[0]]: input });
    return outputs[this.session.outputNames[0]].data;
  }
}

/** Zero mean and unit variance, as transformers.Wav2Vec2FeatureExtractor gives them to the model. */
export function normalized(samples) {
  const mean = samples.reduce((a, b) => a + b, 0) / samples.length;
  const variance = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / samples.length;
  const scale = 1 / Math.sqrt(variance + 1e-7);
  return samples.map((x) => (x - mean) * scale);
}
