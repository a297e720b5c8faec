// A trained model on onnxruntime-web.
import { delayMs } from "./frames.js";

export class Recognizer {
  /**
   * @param ort onnxruntime-web
   * @param session of the model
   * @param {boolean} normalize whether the model takes normalised samples
   * @param {number} receptiveField samples behind one frame
   */
  constructor(ort, session, normalize, receptiveField) {
    Object.assign(this, { ort, session, normalize, receptiveField, delayMs: delayMs(receptiveField) });
  }

  /**
   * Return the logits [T · V]: T frames, V labels.
   * @param {Float32Array} samples at 16 kHz
   * @returns {Promise<Float32Array>} empty if the samples are too short for one frame
   */
  async logits(samples) {
    if (samples.length < this.receptiveField) return new Float32Array(0);
    const values = this.normalize ? normalized(samples) : samples;
    const input = new this.ort.Tensor("float32", values, [1, values.length]);
    const outputs = await this.session.run({ [this.session.inputNames[0]]: input });
    return outputs[this.session.outputNames[0]].data;
  }
}

/** Return the samples with zero mean and unit variance, as transformers.Wav2Vec2FeatureExtractor computes them. */
export function normalized(samples) {
  const mean = samples.reduce((a, b) => a + b, 0) / samples.length;
  const variance = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0) / samples.length;
  const scale = 1 / Math.sqrt(variance + 1e-7);
  return samples.map((x) => (x - mean) * scale);
}
