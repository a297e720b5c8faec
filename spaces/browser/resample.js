// Band-limited resampling, equal to torchaudio.functional.resample: a sinc with a Hann window of six zero crossings,
// cut off at 99 % (J. O. Smith, Digital Audio Resampling Home Page).
import { SAMPLING_RATE } from "./constants.js";

const ZEROS = 6;
const ROLLOFF = 0.99;
const filters = new Map(); // rate → its filter, shared by all segments of a recording

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/**
 * The filter from one whole rate to 16 kHz. Output samples repeat `to` phases. Weights of a phase are computed when it
 * is first used, and only inside the window: odd rates have up to 16,000 phases.
 */
function filterFrom(rate) {
  const common = gcd(rate, SAMPLING_RATE);
  const [from, to] = [rate / common, SAMPLING_RATE / common];
  const base = Math.min(from, to) * ROLLOFF;
  const halfWidth = (ZEROS * from) / base;
  const phases = [];

  /** First input sample of a phase, relative to the sample at its start, and the weights from there. */
  function phaseAt(phase) {
    const centre = (phase * from) / to;
    const weights = [];
    let first = 0;
    for (let i = Math.floor(centre - halfWidth); i <= Math.ceil(centre + halfWidth); i++) {
      const t = (i / from - phase / to) * base;
      if (Math.abs(t) >= ZEROS) continue;
      if (!weights.length) first = i;
      const window = Math.cos((t * Math.PI) / ZEROS / 2) ** 2;
      weights.push((t === 0 ? 1 : Math.sin(t * Math.PI) / (t * Math.PI)) * window * (base / from));
    }
    return { first, weights: Float32Array.from(weights) };
  }

  return { from, to, weightsOf: (phase) => (phases[phase] ??= phaseAt(phase)) };
}

/**
 * Return the samples at 16 kHz.
 * @param {Float32Array} samples
 * @param {number} rate of the samples, in Hz. A fraction is rounded: over a segment of 20 s that shifts time by less
 *   than 1 ms from 11,025 Hz upwards.
 * @returns {Float32Array} ceil(N · 16,000 / rate) samples
 * @throws {RangeError} the rate is not a positive number
 */
export function resample(samples, rate) {
  const whole = Math.round(rate);
  if (!(whole > 0)) throw new RangeError(`sampling rate: ${rate} Hz`);
  if (whole === SAMPLING_RATE) return samples;
  if (!filters.has(whole)) filters.set(whole, filterFrom(whole));
  const { from, to, weightsOf } = filters.get(whole);
  const result = new Float32Array(Math.ceil((to * samples.length) / from));
  for (let n = 0; n < result.length; n++) {
    const { first, weights } = weightsOf(n % to);
    const begin = Math.floor(n / to) * from + first;
    const end = Math.min(weights.length, samples.length - begin);
    let sum = 0;
    for (let i = Math.max(0, -begin); i < end; i++) sum += weights[i] * samples[begin + i];
    result[n] = sum;
  }
  return result;
}
