// Loads onnxruntime-web from this site.
import { unpacked } from "./unpacked.js";

export const vendor = (name) => new URL(`./vendor/${name}`, import.meta.url).href;

/**
 * Return onnxruntime-web.
 * @param {number} threads processor cores to use
 * @param {boolean} graphics with WebGPU, for the graphics processor: 3 MB more to download
 */
export async function runtime(threads, graphics = false) {
  const binary = `onnxruntime-web/ort-wasm-simd-threaded${graphics ? ".asyncify" : ""}`;
  const ort = await import(vendor(`onnxruntime-web/ort.${graphics ? "webgpu" : "wasm"}.min.mjs`));
  Object.assign(ort.env.wasm, {
    numThreads: threads,
    wasmPaths: { mjs: vendor(`${binary}.mjs`) },
    wasmBinary: await unpacked(await (await fetch(vendor(`${binary}.wasm.gz`))).arrayBuffer()),
  });
  return ort;
}
