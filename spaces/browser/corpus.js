// Prepares a folder of annotation files and recordings, as u2u_hf.corpus.preparation does, and makes the dataset.
import { openAudio } from "./audio.js";
import { ANNOTATION_SUFFIXES, AUDIO_SUFFIXES, SAMPLING_RATE } from "./constants.js";
import { t } from "./language.js";
import { parquetFiles } from "./parquet.js";
import { plain } from "./problem.js";
import { python } from "./python.js";
import { downloadZip } from "./vendor/client-zip/index.js";
import { wav } from "./wav.js";

let corpora = 0;

/** @typedef {{path: string, file: File}} ChosenFile a file, and its path in the chosen folder */

const hasSuffix = (path, suffixes) => suffixes.some((suffix) => path.toLowerCase().endsWith(suffix));
const isAudio = ({ path }) => hasSuffix(path, AUDIO_SUFFIXES);
const isAnnotation = ({ path }) => hasSuffix(path, ANNOTATION_SUFFIXES);

/**
 * Prepare the corpus: choose tiers, apply rules, make splits. Python does it; only sound is decoded here.
 * @param {string} name of the folder
 * @param {ChosenFile[]} chosen
 * @param {object} settings fields of u2u_hf.corpus.preparation.PreparationSettings without `corpus`
 * @param {(share: number) => void} progress
 * @returns what u2u_hf.browser.prepare returns
 */
export async function prepare(name, chosen, settings, progress) {
  const recordings = chosen.filter(isAudio);
  const written = {};
  const folder = `/${corpora++}/${name}`; // a new one each time: files may have been removed from the corpus
  for (const { path } of recordings) written[`${folder}/${path}`] = new Uint8Array(0);
  for (const { path, file } of chosen.filter(isAnnotation)) {
    written[`${folder}/${path}`] = new Uint8Array(await file.arrayBuffer());
  }
  const files = {};
  for (const [i, { path, file }] of recordings.entries()) {
    files[path] = await audioInfo(`${folder}/${path}`, file);
    progress((0.5 * (i + 1)) / recordings.length);
  }
  const argument = { settings: { ...settings, corpus: folder }, files, energies: {} };
  for (;;) {
    const answer = await python("prepare", argument, written);
    if (!answer.wanted) return answer;
    const wanted = Object.entries(answer.wanted);
    for (const [i, [key, { path, spans }]] of wanted.entries()) {
      argument.energies[key] = await energy(fileOf(chosen, path), spans);
      progress(0.5 + (0.5 * (i + 1)) / wanted.length);
    }
  }
}

const fileOf = (chosen, wanted) => chosen.find(({ path }) => path === wanted).file;

/** Return what Python wants to know of a recording, or why it cannot be read. */
async function audioInfo(path, file) {
  try {
    const audio = await openAudio(file);
    audio.close();
    return { channels: audio.channels, duration_ms: audio.durationMs };
  } catch (error) {
    const { code, detail } = plain(error);
    return { problem: t(`problem_${code}`, { where: path, detail }) };
  }
}

/** Return each channel's energy in all spans (ms) together, without the DC offset of each span. */
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
 * Yield the rows of a split with their audio, cut from the recordings.
 * @param {ChosenFile[]} chosen
 * @param rows of one split, from `prepare`
 * @param {() => void} progress after each row
 * @returns {AsyncGenerator<object>} rows with the dataset's columns; `audio` is {bytes: Uint8Array, path: string}
 */
async function* withAudio(chosen, rows, progress) {
  let count = 0;
  for (const group of byRecording(rows)) {
    const audio = await openAudio(fileOf(chosen, group[0].path));
    for (const { path: _, ...row } of group) {
      const samples = (await audio.read(row.start_ms, row.end_ms))[row.channel];
      const path = `${String(count++).padStart(6, "0")}.wav`;
      yield { audio: { bytes: wav(samples), path }, ...row, duration: samples.length / SAMPLING_RATE };
      progress();
    }
    audio.close();
  }
}

/** Yield each split's name and its rows with audio. */
function* splitsWithAudio(chosen, preparation, progress) {
  const splits = Object.entries(preparation.splits);
  const total = splits.reduce((sum, [, rows]) => sum + rows.length, 0);
  let done = 0;
  for (const [split, rows] of splits) yield [split, withAudio(chosen, rows, () => progress(++done / total))];
}

const reportFiles = (preparation) => ({
  "prepare.yaml": preparation.config,
  "report.json": JSON.stringify(preparation.report, null, 2),
  "report.html": preparation.html,
});

/**
 * Return the dataset as an audio folder that `datasets` reads: metadata.jsonl beside the .wav files of each split.
 * @param preparation from `prepare`
 * @returns {Promise<Blob>} a zip
 */
export async function zipped(chosen, preparation, progress) {
  async function* files() {
    for (const [split, rows] of splitsWithAudio(chosen, preparation, progress)) {
      const metadata = [];
      for await (const { audio, ...row } of rows) {
        metadata.push(`${JSON.stringify({ file_name: audio.path, ...row })}\n`);
        yield { name: `data/${split}/${audio.path}`, input: audio.bytes };
      }
      yield { name: `data/${split}/metadata.jsonl`, input: metadata.join("") };
    }
    for (const [name, input] of Object.entries(reportFiles(preparation))) yield { name, input };
  }
  return downloadZip(files()).blob();
}

/**
 * Return the dataset as on the Hub: data/SPLIT-00000-of-00001.parquet.
 * @param preparation from `prepare`
 * @returns {Promise<Map<string, Blob>>} files by path
 */
export async function inParquet(chosen, preparation, progress) {
  const files = new Map();
  for (const [split, rows] of splitsWithAudio(chosen, preparation, progress)) {
    const shards = [];
    for await (const shard of parquetFiles(rows)) shards.push(shard);
    const number = (n) => String(n).padStart(5, "0");
    shards.forEach((shard, i) => files.set(`data/${split}-${number(i)}-of-${number(shards.length)}.parquet`, shard));
  }
  for (const [name, text] of Object.entries(reportFiles(preparation))) files.set(name, new Blob([text]));
  return files;
}

function byRecording(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.path, [...(groups.get(row.path) ?? []), row]);
  return groups.values();
}
