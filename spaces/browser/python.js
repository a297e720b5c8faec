// Calls python-worker.js, with promises.
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
  // The worker itself could not be loaded: no call will be answered.
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Problem("unexpected", "", event.message ?? ""));
    waiting.clear();
    worker = undefined;
  };
  return worker;
}

/**
 * Return what a function of u2u_hf.browser returns. The first call starts Python, which takes seconds.
 * @param {string} call name of the function, which takes and returns JSON
 * @param argument anything that JSON can hold
 * @param {Record<string, Uint8Array>} files path → bytes, written before the call
 * @throws {Problem} "python": a U2UError; "memory", "unexpected"
 */
export function python(call, argument, files = {}) {
  worker ??= started();
  const id = calls++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, call, argument, files });
  });
}
