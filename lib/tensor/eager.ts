import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";

import tf = require("@tensorflow/tfjs");

import { ThoughtbookError } from "../core/index.js";
import { type DataOf, type DType, type TensorData, typeForTensorFlow } from "./tensor-data.js";

/** Backends for work outside of compiled functions: `tensorflow` is that of @tensorflow/tfjs-node. */
export type EagerBackend = "tensorflow" | "wasm" | "cpu";

const NATIVE_PACKAGE = "@tensorflow/tfjs-node";
const WASM_PACKAGE = "@tensorflow/tfjs-backend-wasm";

/**
 * Choose where TensorFlow.js computes outside of compiled functions, for eager work in a notebook: natively where
 * @tensorflow/tfjs-node is installed, else in WebAssembly, else in plain JavaScript. Needs no network.
 *
 * @param preference this backend only. Default: the fastest there is
 * @returns the backend now in use
 * @throws ThoughtbookError when the preferred backend is not installed or does not start
 */
export async function useEagerBackend(preference?: EagerBackend): Promise<EagerBackend> {
  // Without it, TensorFlow.js prints an advertisement for tfjs-node into the notebook.
  tf.enableProdMode();
  const candidates: readonly EagerBackend[] = preference ? [preference] : ["tensorflow", "wasm", "cpu"];
  let reason: unknown;
  for (const backend of candidates) {
    try {
      if (!(await register(backend))) continue;
      if (await tf.setBackend(backend)) {
        await tf.ready();
        return backend;
      }
    } catch (error) {
      reason = error;
    }
  }
  throw new ThoughtbookError(
    "not-found",
    `TensorFlow.js's backend ${preference ?? candidates.join(", ")} cannot be used here`,
    { hint: hintFor(preference), cause: reason },
  );
}

/** Whether the backend is there after loading its package. */
async function register(backend: EagerBackend): Promise<boolean> {
  if (backend === "cpu") return true;
  if (backend === "tensorflow") {
    const main = await nativeMain();
    if (main) await import(pathToFileURL(main).href);
    return tf.findBackend("tensorflow") != null;
  }
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  // The folder of the package: by itself the backend looks beside the program that was started.
  setWasmPaths(join(dirname(createRequire(import.meta.url).resolve(`${WASM_PACKAGE}/package.json`)), "dist") + sep);
  return true;
}

/**
 * The main file of @tensorflow/tfjs-node, from the user's project or from this package's. Another package may stand in
 * its place, as an alias: danfojs-node asks for it, and this project gives it plain @tensorflow/tfjs.
 */
async function nativeMain(): Promise<string | null> {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    const require = createRequire(from);
    try {
      const description = await readFile(require.resolve(`${NATIVE_PACKAGE}/package.json`), "utf8");
      if ((JSON.parse(description) as { name?: unknown }).name === NATIVE_PACKAGE)
        return require.resolve(NATIVE_PACKAGE);
    } catch {
      // Not installed there.
    }
  }
  return null;
}

function hintFor(preference: EagerBackend | undefined): string {
  if (preference === "tensorflow") return `Install it with: npm install ${NATIVE_PACKAGE}`;
  return "Install the packages of this project anew with: npm install";
}

/**
 * The values of an eager tensor, as a compiled function takes them. They are a copy; the tensor stays yours to dispose.
 *
 * @throws ThoughtbookError for strings and complex numbers
 */
export async function toTensorData(tensor: tf.Tensor): Promise<TensorData> {
  const { shape, dtype } = tensor;
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
    throw new ThoughtbookError("bad-input", `the tensor is ${dtype}, expected float32, int32 or bool`, {
      hint: "Convert it with tensor.toFloat() or tensor.toInt().",
    });
  }
  const values = await tensor.data();
  // Some backends give their own memory out.
  return { shape: [...shape], dtype, data: values.slice() as DataOf<DType> };
}

/** An eager tensor with a copy of these values: a later call of a compiled function may write over the original. */
export function toTensor({ shape, dtype, data }: TensorData): tf.Tensor {
  return tf.tensor(dtype === "int8" ? Int32Array.from(data) : data.slice(), [...shape], typeForTensorFlow(dtype));
}
