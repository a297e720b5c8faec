// Recordings as 16 kHz samples, read stretch by stretch: a file is never in memory as a whole.

import { Problem } from "./problem.js";
import { resample, SAMPLING_RATE } from "./resample.js";
import { ALL_FORMATS, AudioSampleSink, BlobSource, Input } from "./vendor/mediabunny/mediabunny.min.mjs";

const MARGIN_MS = 20; // read around a stretch, so that the resampling filter sees what lies beyond its ends

/**
 * Open a recording: WAV, MP3, FLAC, OGG, M4A, or the sound of a video; what the browser can decode.
 * @param {Blob} file
 * @returns {Promise<{rate: number, channels: number, frames: number, durationMs: number,
 *   readNative: (begin: number, stop: number) => Promise<Float32Array[]>,
 *   read: (startMs: number, endMs: number) => Promise<Float32Array[]>, close: () => void}>}
 *   `readNative` takes samples at the file's own rate; `read` gives, for each channel, 16 samples a ms.
 * @throws {Problem} "audio": it cannot be read; "silent": it holds no sound.
 */
export async function openAudio(file) {
  const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new Problem("silent", file.name);
    if (!(await track.canDecode())) throw new Problem("audio", file.name, `${await track.getCodec()}`);
    const [rate, channels, shownAtEnd, shownFirst] = await Promise.all([
      track.getSampleRate(),
      track.getNumberOfChannels(),
      track.computeDuration(),
      input.getFirstTimestamp(),
    ]);
    // Camcorders' clocks begin at a second or later; before 0 is what decoders need and nobody hears.
    const beginning = Math.max(0, shownFirst);
    const frames = Math.round((shownAtEnd - beginning) * rate);
    if (frames < 1) throw new Problem("silent", file.name);
    const sink = new AudioSampleSink(track);
    const durationMs = Math.floor((frames * 1000) / rate);

    async function readNative(begin, stop) {
      const last = Math.min(stop, frames);
      const rows = Array.from({ length: channels }, () => new Float32Array(Math.max(0, last - begin)));
      if (last <= begin) return rows;
      try {
        for await (const sample of sink.samples(beginning + begin / rate, beginning + last / rate)) {
          copy(sample, Math.round((sample.timestamp - beginning) * rate) - begin, rows);
          sample.close();
        }
      } catch (error) {
        throw new Problem("audio", file.name, `${(begin / rate).toFixed(1)} s: ${error.message}`);
      }
      return rows;
    }

    async function read(startMs, endMs) {
      const end = Math.min(endMs, durationMs);
      const first = Math.max(0, startMs - MARGIN_MS);
      const [begin, stop] = [first, end + MARGIN_MS].map((ms) => Math.floor((ms * rate) / 1000));
      const perMs = SAMPLING_RATE / 1000;
      const lead = (startMs - first) * perMs;
      const rows = await readNative(begin, stop);
      return rows.map((row) => resample(row, rate).subarray(lead, lead + Math.max(0, end - startMs) * perMs));
    }

    return { rate, channels, frames, durationMs, readNative, read, close: () => input.dispose() };
  } catch (error) {
    input.dispose();
    throw error instanceof Problem ? error : new Problem("audio", file.name, error.message);
  }
}

/** Put a decoded sample's planes at `offset` of the rows, as far as they reach into them. */
function copy(sample, offset, rows) {
  const length = rows[0].length;
  const from = Math.max(0, -offset);
  const count = Math.min(sample.numberOfFrames, length - offset) - from;
  if (count <= 0) return;
  rows.forEach((row, planeIndex) => {
    const target = row.subarray(offset + from, offset + from + count);
    sample.copyTo(target, { planeIndex, format: "f32-planar", frameOffset: from, frameCount: count });
  });
}
