// Calls to python-worker.js as promises.
import { Problem } from "./problem.js";

let worker;
let calls = 0;
const waiting = new Map();

function started() {
  worker = new Worker(new URL("./python-worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data: { id, answer, problem } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (problem) reject(new Problem(problem.code, problem.where, problem.detail));
    else resolve(answer);
  };
  return worker;
}

/**
 * @param {string} call function of u2u_hf.browser, from JSON to JSON
 * @param {Record<string, Uint8Array>} files written before the call, by path
 */
export function python(call, argument, files = {}) {
  worker ??= started();
  const id = calls++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, call, argument, files });
  });
}
