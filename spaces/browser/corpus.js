// A folder of annotation files and recordings → what u2u_hf decides about it → a dataset in a zip.
import { openAudio } from "./audio.js";
import { parquetFiles } from "./parquet.js";
import { python } from "./python.js";
import { SAMPLING_RATE } from "./resample.js";
import { downloadZip } from "./vendor/client-zip/index.js";
import { wav } from "./wav.js";

const ANNOTATIONS = /\.(eaf|textgrid|csv|tsv|jsonl)$/i;
const SOUND = /\.(wav|flac|mp3|ogg|opus|aiff?|m4a|mp4|aac|wma|mov|mkv|webm|avi|mts)$/i;
let corpora = 0;

/** @typedef {{path: string, file: File}} Found a file, and its path in the folder that was chosen */

/**
 * Decide the preparation: all but the decoding of sound is done by u2u_hf.
 * @param {string} name of the folder
 * @param {Found[]} found
 * @param {object} settings of u2u_hf.corpus.preparation.PreparationSettings, but `corpus`
 * @param {(share: number) => void} progress
 * @returns what u2u_hf.browser.prepare does
 */
export async function decide(name, found, settings, progress) {
  const sounds = found.filter(({ path }) => SOUND.test(path));
  const written = {};
  const folder = `/${corpora++}/${name}`; // another one each time: files may have been taken out
  for (const { path, file } of found) {
    if (SOUND.test(path)) written[`${folder}/${path}`] = new Uint8Array(0);
    else if (ANNOTATIONS.test(path)) written[`${folder}/${path}`] = new Uint8Array(await file.arrayBuffer());
  }
  const files = {};
  for (const [i, { path, file }] of sounds.entries()) {
    files[path] = await about(file);
    progress((0.5 * (i + 1)) / sounds.length);
  }
  const argument = { settings: { ...settings, corpus: folder }, files, energies: {} };
  for (;;) {
    const answer = await python("prepare", argument, written);
    if (!answer.wanted) return answer;
    const wanted = Object.entries(answer.wanted);
    for (const [i, [key, { path, spans }]] of wanted.entries()) {
      argument.energies[key] = await energy(fileOf(found, path), spans);
      progress(0.5 + (0.5 * (i + 1)) / wanted.length);
    }
  }
}

const fileOf = (found, wanted) => found.find(({ path }) => path === wanted).file;

async function about(file) {
  try {
    const audio = await openAudio(file);
    audio.close();
    return { channels: audio.channels, duration_ms: audio.durationMs };
  } catch (error) {
    return { problem: `not a sound file that can be read (${error.detail}): convert it to WAV` };
  }
}

/** Of each channel in all spans (ms) together, each span's offset taken off. */
async function energy(file, spans) {
  const audio = await openAudio(file);
  const total = new Array(audio.channels).fill(0);
  for (const span of spans) {
    const rows = await audio.readNative(...span.map((ms) => Math.floor((ms * audio.rate) / 1000)));
    for (const [channel, row] of rows.entries()) {
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      total[channel] += row.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    }
  }
  audio.close();
  return total;
}

/**
 * Cut what was decided out of the recordings.
 * @param rows of one split
 * @param {() => void} progress after each row
 * @returns {AsyncGenerator<object>} rows with the dataset's columns; `audio` is {bytes: Uint8Array, path: string}
 */
async function* cut(found, rows, progress) {
  let count = 0;
  for (const group of byRecording(rows)) {
    const audio = await openAudio(fileOf(found, group[0].path));
    for (const { path: _, ...row } of group) {
      const samples = (await audio.read(row.start_ms, row.end_ms))[row.channel];
      const path = `${String(count++).padStart(6, "0")}.wav`;
      yield { audio: { bytes: wav(samples), path }, ...row, duration: samples.length / SAMPLING_RATE };
      progress();
    }
    audio.close();
  }
}

/** Each split's name and `cut` rows. */
function* cutSplits(found, decided, progress) {
  const splits = Object.entries(decided.splits);
  const total = splits.reduce((sum, [, rows]) => sum + rows.length, 0);
  let done = 0;
  for (const [split, rows] of splits) yield [split, cut(found, rows, () => progress(++done / total))];
}

const beside = (decided) => ({
  "prepare.yaml": decided.config,
  "report.json": JSON.stringify(decided.report, null, 2),
  "report.html": decided.html,
});

/**
 * The dataset as `datasets` reads an audio folder: SPLIT/metadata.jsonl beside its .wav files.
 * @param decided by `decide`
 * @returns {Promise<Blob>} a zip
 */
export async function zipped(found, decided, progress) {
  async function* files() {
    for (const [split, rows] of cutSplits(found, decided, progress)) {
      const metadata = [];
      for await (const { audio, ...row } of rows) {
        metadata.push(`${JSON.stringify({ file_name: audio.path, ...row })}\n`);
        yield { name: `data/${split}/${audio.path}`, input: audio.bytes };
      }
      yield { name: `data/${split}/metadata.jsonl`, input: metadata.join("") };
    }
    for (const [name, input] of Object.entries(beside(decided))) yield { name, input };
  }
  return downloadZip(files()).blob();
}

/**
 * The dataset as it lies on the Hub: data/SPLIT-00000-of-00001.parquet.
 * @param decided by `decide`
 * @returns {Promise<Map<string, Blob>>} files by path
 */
export async function inParquet(found, decided, progress) {
  const files = new Map();
  for (const [split, rows] of cutSplits(found, decided, progress)) {
    const shards = [];
    for await (const shard of parquetFiles(rows)) shards.push(shard);
    const number = (n) => String(n).padStart(5, "0");
    shards.forEach((shard, i) => files.set(`data/${split}-${number(i)}-of-${number(shards.length)}.parquet`, shard));
  }
  for (const [name, text] of Object.entries(beside(decided))) files.set(name, new Blob([text]));
  return files;
}

function byRecording(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.path, [...(groups.get(row.path) ?? []), row]);
  return groups.values();
}
