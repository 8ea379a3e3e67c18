// The runtime of the labs that run the model: onnxruntime-web on one thread, its WebAssembly handed over as bytes, so
// that it works from file:// and needs no special headers.

import * as ort from "onnxruntime-web/wasm";

ort.env.wasm.numThreads = 1;
ort.env.wasm.proxy = false;
ort.env.logLevel = "error";

async function unpack(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A session from the packed runtime and the packed model. */
globalThis.explainSession = async (runtime, model) => {
  ort.env.wasm.wasmBinary ??= await unpack(runtime);
  return ort.InferenceSession.create(await unpack(model), { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
};
globalThis.explainTensor = (type, values, shape) => new ort.Tensor(type, values, shape);
