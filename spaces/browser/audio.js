// Reads spans of a recording as 16 kHz samples: a file is never in memory as a whole.
import { SAMPLING_RATE } from "./constants.js";
import { Problem } from "./problem.js";
import { resample } from "./resample.js";
import { ALL_FORMATS, AudioSampleSink, BlobSource, Input } from "./vendor/mediabunny/mediabunny.min.mjs";

const MARGIN_MS = 20; // read on both sides of a span: the resampling filter needs samples beyond its ends

/**
 * Open a recording: WAV, MP3, FLAC, OGG, M4A or a video, as far as the browser decodes it.
 * @param {Blob} file
 * @returns {Promise<{rate: number, channels: number, frames: number, durationMs: number,
 *   readNative: (begin: number, stop: number) => Promise<Float32Array[]>,
 *   read: (startMs: number, endMs: number) => Promise<Float32Array[]>, close: () => void}>}
 *   `readNative` returns samples [begin, stop) at the file's rate, `read` samples at 16 kHz; one row for each channel.
 * @throws {Problem} "audio": the file cannot be read; "silent": it has no audio track, or an empty one
 */
export async function openAudio(file) {
  const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new Problem("silent", file.name);
    if (!(await track.canDecode())) throw new Problem("audio", file.name, `${await track.getCodec()}`);
    const [rate, channels, lastTimestamp, firstTimestamp] = await Promise.all([
      track.getSampleRate(),
      track.getNumberOfChannels(),
      track.computeDuration(),
      input.getFirstTimestamp(),
    ]);
    // Camcorders' timestamps begin at a second or later. Negative ones are encoder padding, which players skip.
    const beginning = Math.max(0, firstTimestamp);
    const frames = Math.round((lastTimestamp - beginning) * rate);
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

/** Copy a decoded sample's channels into the rows, beginning at `offset`; samples outside the rows are skipped. */
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
