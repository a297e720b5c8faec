// Loads onnxruntime-web from this site.

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
    wasmBinary: await unpacked(vendor(`${binary}.wasm.gz`)),
  });
  return ort;
}

/** Return a gzipped file unpacked. Some servers have already unpacked it: they send it as Content-Encoding. */
async function unpacked(url) {
  const data = await (await fetch(url)).arrayBuffer();
  if (new Uint8Array(data)[0] !== 0x1f) return data;
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
