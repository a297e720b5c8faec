// onnxruntime-web, told where its files are.
import * as ort from "./vendor/ort.wasm.min.mjs";

export const vendor = (name) => new URL(`./vendor/${name}`, import.meta.url).href;
ort.env.wasm.wasmPaths = { mjs: vendor("ort-wasm-simd-threaded.mjs"), wasm: vendor("ort-wasm-simd-threaded.wasm") };

export { ort };
