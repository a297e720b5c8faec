// The trained model's files: from the Hub, from this site, or from the visitor's disk.
import { Problem } from "./problem.js";

export const FULL = "onnx/model.onnx";
export const SMALL = "onnx/model_quantized.onnx";
const CACHE = "u2u-hf-models";

/**
 * A model without its weights, which are fetched when it is known what computes.
 * @param {{kind: "hub", hub: string, id: string, token?: string} | {kind: "here", url: string}
 *   | {kind: "files", files: File[]}} source
 * @returns {Promise<{labels: {symbols: string[], blank: number}, normalize: boolean, uncached: () => boolean,
 *   weights: (names: string[], progress: (share: number) => void) => Promise<Uint8Array>}>} `weights` are of the first
 *   file that is there, or was kept when there was a network; `uncached`: had the browser no room to keep them?
 * @throws {Problem} "model-missing", "model-kind", "token", "private", "network"
 */
export async function openModel(source) {
  const { read, uncached } = await { hub: fromHub, here: fromHere, files: fromFiles }[source.kind](source);
  const json = async (name) => JSON.parse(new TextDecoder().decode(await read(name)));
  const config = await json("config.json");
  if (!config.architectures?.includes("HubertForCTC")) {
    throw new Problem("model-kind", source.id, config.architectures?.join(", ") ?? config.model_type);
  }
  const labels = labelsOf(await json("vocab.json"), await json("tokenizer_config.json"));
  const { do_normalize: normalize } = await json("preprocessor_config.json");
  const weights = async ([name, ...others], progress) => {
    try {
      return await read(name, progress);
    } catch (error) {
      if (!["model-missing", "network"].includes(error.code) || !others.length) throw error;
      return weights(others, progress);
    }
  };
  return { weights, labels, normalize, uncached };
}

/** What the outputs stand for; what is not a character is silent, as in u2u_hf.recognition.model.labels_of. */
export function labelsOf(vocabulary, { pad_token, unk_token, bos_token, eos_token }) {
  const silent = new Set([pad_token, unk_token, bos_token, eos_token]);
  const symbols = [];
  for (const [symbol, index] of Object.entries(vocabulary)) symbols[index] = silent.has(symbol) ? "" : symbol;
  return { symbols, blank: vocabulary[pad_token] };
}

/** Kept under the commit's address, which never changes, so that the model is also there without a network. */
async function fromHub({ hub, id, token }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const cache = await globalThis.caches?.open(CACHE);
  const about = `${hub}/api/models/${id}`;
  let answer;
  let full = false;
  try {
    answer = await fetch(about, { headers });
  } catch {
    answer = await cache?.match(about);
    if (!answer) throw new Problem("network", id);
  }
  if (!answer.ok) throw refusal(answer.status, id, token);
  const keep = async (key, response) => {
    try {
      await cache?.put(key, response);
    } catch {
      full = true; // the browser gives no more room: the model works all the same
    }
  };
  await keep(about, answer.clone());
  const { sha } = await answer.json();
  const base = `${hub}/${id}/resolve/${sha}/`;
  for (const { url } of (await cache?.keys()) ?? []) {
    if (url.startsWith(`${hub}/${id}/`) && !url.startsWith(base)) await cache.delete(url); // of an older commit
  }
  const read = async (name, progress) => {
    const kept = await cache?.match(base + name);
    if (kept) return new Uint8Array(await kept.arrayBuffer());
    const data = await download(base + name, { headers }, id, name, progress, token);
    await keep(base + name, new Response(data));
    return data;
  };
  return { read, uncached: () => full };
}

async function fromHere({ url }) {
  const read = (name, progress) => download(url + name, {}, "", name, progress);
  return { read, uncached: () => false };
}

async function fromFiles({ files }) {
  const read = async (name) => {
    const file = files.find((f) => f.name === name.split("/").at(-1));
    if (!file) throw new Problem("model-missing", "", name);
    return new Uint8Array(await file.arrayBuffer());
  };
  return { read, uncached: () => false };
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
