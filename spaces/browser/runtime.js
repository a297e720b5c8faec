// onnxruntime-web, told where its files are.

export const vendor = (name) => new URL(`./vendor/${name}`, import.meta.url).href;

/**
 * @param {number} threads processor cores to use
 * @param {boolean} graphics with the operations of the graphics processor (WebGPU) too: 3 MB more to fetch
 * @returns onnxruntime-web
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

/** A file that is served gzipped, at a quarter of its size; a server may have unpacked it on the way. */
async function unpacked(url) {
  const data = await (await fetch(url)).arrayBuffer();
  if (new Uint8Array(data)[0] !== 0x1f) return data;
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
