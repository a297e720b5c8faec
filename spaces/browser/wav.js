// Writes 16-bit WAV files of mono samples at 16 kHz.
import { SAMPLING_RATE } from "./constants.js";

/**
 * Return the bytes of a WAV file.
 * @param {Float32Array} samples Beyond -1…1, as recorders of 32-bit float write them, they are not clipped: all are
 *   divided by the largest.
 */
export function wav(samples) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, value) => new Uint8Array(bytes.buffer).set(new TextEncoder().encode(value), at);
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true); // PCM
  bytes.setUint16(22, 1, true); // mono
  bytes.setUint32(24, SAMPLING_RATE, true);
  bytes.setUint32(28, 2 * SAMPLING_RATE, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  for (const [i, x] of samples.entries()) bytes.setInt16(44 + 2 * i, Math.round((x / loudest) * 32767), true);
  return new Uint8Array(bytes.buffer);
}
