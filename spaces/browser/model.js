// Reads a trained model's files: from the Hub, from this site, or from the visitor's disk.
import { calibrationsOf } from "./calibration.js";
import { ARCHITECTURES, CALIBRATION_FILE, LANGUAGE_MODEL_FILES, MODEL_CARD, MODEL_FILES } from "./constants.js";
import { damaged, LanguageModel } from "./language-model.js";
import { plain, Problem } from "./problem.js";
import { unpacked } from "./unpacked.js";

const CACHE = "u2u-hf-models";

/**
 * Open a model. Its weights are read later: which ones are wanted depends on the processor that runs them.
 * @param {{kind: "hub", hub: string, id: string, token?: string} | {kind: "here", url: string, languageModel: boolean,
 *   calibration: boolean}
 *   | {kind: "files", files: File[]}} source
 * @returns {Promise<{labels: {symbols: string[], blank: number}, normalize: boolean, receptiveField: number,
 *   licence: string, languageModel: LanguageModel | null,
 *   calibration: import("./calibration.js").Calibration | null, uncached: () => boolean,
 *   weights: (names: string[], progress: (share: number) => void) => Promise<Uint8Array>}>} `weights` reads the first of the named files that exists; `uncached` returns whether the browser had no space to cache a file
 * @throws {Problem} "model-missing", "model-kind", "language-model", "calibration", "token", "private", "network"
 */
export async function openModel(source) {
  const { read, has, uncached } = await { hub: fromHub, here: fromHere, files: fromFiles }[source.kind](source);
  const text = async (name) => new TextDecoder().decode(await read(name));
  const json = async (name) => JSON.parse(await text(name));
  const config = await json(MODEL_FILES.config);
  const architecture = ARCHITECTURES[config.architectures?.[0]];
  if (!architecture) {
    throw new Problem("model-kind", source.id, config.architectures?.join(", ") ?? config.model_type);
  }
  const labels = labelsOf(await json(MODEL_FILES.vocabulary), await json(MODEL_FILES.tokenizer));
  const { do_normalize } = await json(MODEL_FILES.preprocessor);
  const normalize = architecture.normalised && do_normalize;
  const licence = licenceOf(await text(MODEL_CARD).catch(() => "")); // a model works without its card
  const languageModel = has(LANGUAGE_MODEL_FILES.weights) ? await readLanguageModel(json, read) : null;
  const calibrations = has(CALIBRATION_FILE) ? calibrationsOf(await json(CALIBRATION_FILE)) : null;
  const calibration = calibrations?.[languageModel ? "together" : "alone"] ?? null;
  const weights = async ([name, ...others], progress) => {
    try {
      return await read(name, progress);
    } catch (error) {
      if (!["model-missing", "network"].includes(error.code) || !others.length) throw error;
      return weights(others, progress);
    }
  };
  const { receptiveField } = architecture;
  return { weights, labels, normalize, receptiveField, licence, languageModel, calibration, uncached };
}

async function readLanguageModel(json, read) {
  const text = async (name) => new TextDecoder().decode(await unpacked(await read(name)));
  try {
    const weights = await json(LANGUAGE_MODEL_FILES.weights);
    const words = weights.share ? await text(LANGUAGE_MODEL_FILES.words) : null;
    return new LanguageModel(weights, await text(LANGUAGE_MODEL_FILES.characters), words);
  } catch (error) {
    if (plain(error).code !== "unexpected") throw error; // a Problem, or a lack of memory
    throw damaged(error.message); // of JSON, gzip and missing n-grams
  }
}

/** Return the licences that a model card's front matter names, as one text; empty if it names none. */
export function licenceOf(card) {
  const [, head] = card.match(/^---\r?\n([^]*?)\n---/) ?? [];
  const [, value] = head?.replace(/ #.*/g, "").match(/^license:(.*(?:\r?\n *- .*)*)/m) ?? [];
  return (value?.match(/[a-z][\w.-]*/gi) ?? []).join(", ");
}

/** Return the model's labels, special tokens as empty strings, as u2u_hf.recognition.tokenizer.labels_of does. */
export function labelsOf(vocabulary, { pad_token, unk_token, bos_token, eos_token }) {
  const special = new Set([pad_token, unk_token, bos_token, eos_token]);
  const symbols = [];
  for (const [symbol, index] of Object.entries(vocabulary)) symbols[index] = special.has(symbol) ? "" : symbol;
  return { symbols, blank: vocabulary[pad_token] };
}

/** Read from the Hub, and cache by the commit's address, which never changes: the model then works offline. */
async function fromHub({ hub, id, token }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const cache = await globalThis.caches?.open(CACHE);
  const infoUrl = `${hub}/api/models/${id}`;
  let info;
  let full = false;
  try {
    info = await fetch(infoUrl, { headers });
  } catch {
    info = await cache?.match(infoUrl);
    if (!info) throw new Problem("network", id);
  }
  if (!info.ok) throw refusal(info.status, id, token);
  const keep = async (key, response) => {
    try {
      await cache?.put(key, response);
    } catch {
      full = true; // no space left: the model still works, but not offline
    }
  };
  await keep(infoUrl, info.clone());
  const { sha, siblings } = await info.json();
  const base = `${hub}/${id}/resolve/${sha}/`;
  for (const { url } of (await cache?.keys()) ?? []) {
    if (url.startsWith(`${hub}/${id}/`) && !url.startsWith(base)) await cache.delete(url); // older commit
  }
  const read = async (name, progress) => {
    const cached = await cache?.match(base + name);
    if (cached) return new Uint8Array(await cached.arrayBuffer());
    const data = await download(base + name, { headers }, id, name, progress, token);
    await keep(base + name, new Response(data));
    return data;
  };
  const has = (name) => siblings.some(({ rfilename }) => rfilename === name);
  return { read, has, uncached: () => full };
}

async function fromHere({ url, languageModel, calibration }) {
  const read = (name, progress) => download(url + name, {}, "", name, progress);
  return { read, has: (name) => (name === CALIBRATION_FILE ? calibration : languageModel), uncached: () => false };
}

async function fromFiles({ files }) {
  const find = (name) => files.find((f) => f.name === name.split("/").at(-1));
  const read = async (name) => {
    const file = find(name);
    if (!file) throw new Problem("model-missing", "", name);
    return new Uint8Array(await file.arrayBuffer());
  };
  return { read, has: (name) => find(name) !== undefined, uncached: () => false };
}

function refusal(status, id, token) {
  if (status === 401 || status === 403 || status === 404)
    return new Problem(token ? "token" : "private", id, `${status}`);
  return new Problem("network", id, `${status}`);
}

async function download(url, options, id, name, progress = () => {}, token = "") {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw new Problem("network", id, error.message);
  }
  if (response.status === 404) throw new Problem("model-missing", id, name);
  if (!response.ok) throw refusal(response.status, id, token);
  const total = Number(response.headers.get("Content-Length"));
  const parts = [];
  let size = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    if (total) progress(Math.min(1, size / total));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
