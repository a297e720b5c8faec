// Reads spans of a recording as 16 kHz samples: a file is never in memory as a whole.
import { LOWEST_RATE, MOST_CHANNELS, SAMPLING_RATE } from "./constants.js";
import { Problem } from "./problem.js";
import { resample } from "./resample.js";
import { isChained, mp3Padding, withTrueLength } from "./sound-headers.js";
import { openTrack } from "./sound-track.js";
import { ALL_FORMATS, BlobSource, Input } from "./vendor/mediabunny/mediabunny.min.mjs";

const MARGIN_MS = 20; // read on both sides of a span: the resampling filter needs samples beyond its ends

/**
 * Open a recording: WAV, MP3, FLAC, OGG, M4A or a video, as far as the browser decodes it. Mono tracks of one rate are
 * channels: cameras write one for each microphone. Of other files, the first track is taken.
 * @param {Blob} file
 * @returns {Promise<{rate: number, channels: number, frames: number, durationMs: number, unheard: number,
 *   readNative: (begin: number, stop: number) => Promise<Float32Array[]>,
 *   read: (startMs: number, endMs: number) => Promise<Float32Array[]>, close: () => void}>}
 *   `readNative` returns samples [begin, stop) at the file's rate, `read` samples at 16 kHz; one row for each channel.
 *   Samples that are no numbers (NaN and infinity) are 0. `unheard` is the number of tracks that are not taken.
 * @throws {Problem} "audio": the file cannot be read; "silent": it has no audio track, or an empty one; "incomplete":
 *   it has no track at all; "joined": it is several Ogg files; "damaged": its header tells of no recording of speech
 */
export async function openAudio(file) {
  if (await isChained(file)) throw new Problem("joined", file.name);
  const input = new Input({ source: new BlobSource(await withTrueLength(file)), formats: ALL_FORMATS });
  try {
    if (!(await input.getTracks()).length) throw new Problem("incomplete", file.name);
    const all = await input.getAudioTracks();
    const taken = await tracksToTake(all, file.name);
    const tracks = await Promise.all(taken.map(openTrack));
    if (!tracks.length || tracks.includes(null)) throw new Problem("silent", file.name);
    const { rate } = tracks[0];
    const channels = tracks.reduce((sum, track) => sum + track.channels, 0);
    // Camcorders' timestamps begin at a second or later. Negative ones are encoder padding, which players skip.
    const zero = Math.max(0, await input.getFirstTimestamp());
    const counted = Math.round((Math.max(...tracks.map(({ end }) => end)) - zero) * rate);
    const [delay, padding] = (await taken[0].getCodec()) === "mp3" ? await encoderPadding(file, counted) : [0, 0];
    const beginning = zero + delay / rate;
    const frames = counted - delay - padding;
    if (frames < 1) throw new Problem("silent", file.name);
    const durationMs = Math.floor((frames * 1000) / rate);

    async function readNative(begin, stop) {
      const last = Math.min(stop, frames);
      const rows = Array.from({ length: channels }, () => new Float32Array(Math.max(0, last - begin)));
      if (last <= begin) return rows;
      try {
        let row = 0;
        for (const track of tracks) {
          await readTrack(track, begin, last, rows.slice(row, (row += track.channels)));
        }
      } catch (error) {
        throw new Problem("audio", file.name, `${(begin / rate).toFixed(1)} s: ${error.message}`);
      }
      return rows;
    }

    async function readTrack(track, begin, last, rows) {
      for await (const sample of track.samples(beginning + begin / rate, beginning + last / rate)) {
        if (sample.sampleRate !== rate) throw new Error(`${rate} Hz → ${sample.sampleRate} Hz`);
        copy(sample, Math.round((sample.timestamp - beginning) * rate) - begin, rows);
        sample.close();
      }
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

    const unheard = all.length - taken.length;
    return { rate, channels, frames, durationMs, unheard, readNative, read, close: () => input.dispose() };
  } catch (error) {
    input.dispose();
    throw error instanceof Problem ? error : new Problem("audio", file.name, error.message);
  }
}

/** Return the tracks to read, as u2u_hf/data/ffmpeg.py chooses them. */
async function tracksToTake(all, name) {
  const formats = await Promise.all(
    all.map(async (track) => [await track.getNumberOfChannels(), await track.getSampleRate()]),
  );
  const asChannels = formats.every(([channels, rate]) => channels === 1 && rate === formats[0][1]);
  const taken = asChannels ? all : all.slice(0, 1);
  for (const [i, track] of taken.entries()) {
    const [channels, rate] = formats[i];
    if (!(rate >= LOWEST_RATE) || channels > MOST_CHANNELS) {
      throw new Problem("damaged", name, `${rate} Hz × ${channels}`);
    }
    if (!(await track.canDecode())) throw new Problem("audio", name, `${await track.getCodec()}`);
  }
  return taken;
}

/** Return the samples that an MP3 encoder added before and after the sound; after it, unless files were joined. */
async function encoderPadding(file, counted) {
  const { delay, padding, frames } = await mp3Padding(file);
  return [delay, counted === frames ? padding : 0];
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
    for (let i = 0; i < count; i++) if (!Number.isFinite(target[i])) target[i] = 0;
  });
}
