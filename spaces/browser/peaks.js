// How high the waveform is drawn.

export const PEAK_MS = 10;
const PEAK_SAMPLES = PEAK_MS * 16;
const QUIET_DB = -60; // drawn as silence

/**
 * Return the loudest sample of each 10 ms as 0…255 for -60…0 dB.
 * @param {Float32Array} samples at 16 kHz
 */
export function peaks(samples) {
  const found = new Uint8Array(Math.ceil(samples.length / PEAK_SAMPLES));
  for (let i = 0; i < found.length; i++) {
    let loudest = 1e-6;
    const end = Math.min(samples.length, (i + 1) * PEAK_SAMPLES);
    for (let at = i * PEAK_SAMPLES; at < end; at++) loudest = Math.max(loudest, Math.abs(samples[at]));
    const share = 1 - (20 * Math.log10(loudest)) / QUIET_DB;
    found[i] = Math.round(255 * Math.max(0, Math.min(1, share)));
  }
  return found;
}
