// Band-limited resampling as torchaudio.functional.resample does it: a sinc with a Hann window of six zero
// crossings, cut off at 99 % (J. O. Smith, Digital Audio Resampling Home Page).
export const SAMPLING_RATE = 16_000;
const ZEROS = 6;
const ROLLOFF = 0.99;
const kernels = new Map();

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/** For each of the `to` phases of an output sample: the first input sample it takes, and the weights from there. */
function kernel(from, to) {
  const base = Math.min(from, to) * ROLLOFF;
  const width = Math.ceil((ZEROS * from) / base);
  const phases = [];
  for (let phase = 0; phase < to; phase++) {
    const weights = [];
    let first = 0;
    for (let i = -width; i < width + from; i++) {
      const t = (i / from - phase / to) * base;
      if (Math.abs(t) >= ZEROS) continue;
      if (!weights.length) first = i;
      const window = Math.cos((t * Math.PI) / ZEROS / 2) ** 2;
      weights.push((t === 0 ? 1 : Math.sin(t * Math.PI) / (t * Math.PI)) * window * (base / from));
    }
    phases.push({ first, weights: Float32Array.from(weights) });
  }
  return phases;
}

/**
 * @param {Float32Array} samples at `rate` Hz
 * @returns {Float32Array} ceil(N · 16,000 / rate) samples at 16 kHz
 */
export function resample(samples, rate) {
  if (rate === SAMPLING_RATE) return samples;
  const common = gcd(rate, SAMPLING_RATE);
  const [from, to] = [rate / common, SAMPLING_RATE / common];
  if (!kernels.has(rate)) kernels.set(rate, kernel(from, to));
  const phases = kernels.get(rate);
  const result = new Float32Array(Math.ceil((to * samples.length) / from));
  for (let n = 0; n < result.length; n++) {
    const { first, weights } = phases[n % to];
    const at = Math.floor(n / to) * from + first;
    const end = Math.min(weights.length, samples.length - at);
    let sum = 0;
    for (let i = Math.max(0, -at); i < end; i++) sum += weights[i] * samples[at + i];
    result[n] = sum;
  }
  return result;
}
