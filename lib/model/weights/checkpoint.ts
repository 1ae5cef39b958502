import { basename } from "node:path";
import { canonicalJson, sha256, sha256File, ThoughtbookError } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import { isGgufPlace, readConfig, readDocument } from "../config/read.js";
import { openGguf, readGgufFloats } from "../gguf/file.js";
import { locateGgufWeights, reorderRows, rowOrder, transpose } from "../gguf/weights.js";
import { CONFIG_FILE, openWeights } from "./files.js";
import { readFloats } from "./safetensors.js";
import { parameterShapes } from "./shapes.js";
import { type GgufPlace, locateWeights, type WeightPlaces } from "./weight-files.js";

/** Weights in memory: row-major float32. */
export interface Parameter {
  shape: readonly number[];
  dtype: "float32";
  data: Float32Array;
}

/** The weights of a model, under the names of `parameterShapes`. */
export type ModelParameters = Record<string, Parameter>;

/** A Hugging Face folder or GGUF file that was checked to hold a complete model; its weights are not read yet. */
export interface Checkpoint {
  /** The folder, or the GGUF file. */
  folder: string;
  config: ModelConfig;
  /** Location of each weight, by its name in `parameterShapes`. */
  weights: WeightPlaces;
}

/**
 * Open a Hugging Face folder: read its `config.json` and the headers of its safetensors files, and check that they
 * belong together; or a GGUF file, whose metadata and tensors stand in their place. Weights are read by
 * `readParameters` only; Python pickles are never read.
 *
 * @throws not-found (no folder, configuration, weights or shard), bad-input (an architecture, option or format that is
 *   not supported), corrupt-data (files that are broken or contradict each other), file-system
 *
 * @example
 * ```ts
 * import { openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
 *
 * const checkpoint = await openCheckpoint(await resolveModel("mini"));
 * const weights = await readParameters(checkpoint);
 * console.log(checkpoint.config.layers, Object.keys(weights).length);
 * ```
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const config = await readConfig(folder);
  if (await isGgufPlace(folder)) {
    return { folder, config, weights: locateGgufWeights(config, await openGguf(folder)) };
  }
  return { folder, ...(await locateWeights(config, await openWeights(folder), folder)) };
}

/**
 * Read one weight, by its name in `parameterShapes`.
 * @throws not-found, corrupt-data (its file changed since it was opened), file-system
 */
export async function readParameter({ weights, folder }: Checkpoint, name: string): Promise<Parameter> {
  const place = weights.get(name);
  if (place === undefined) {
    throw new ThoughtbookError("not-found", `the model in ${folder} has no weight ${JSON.stringify(name)}`, {
      hint: "Check the name.",
    });
  }
  if ("shape" in place) return { shape: place.shape, dtype: "float32", data: await readGgufWeight(place) };
  const { shape } = place.file.tensors.get(place.name)!;
  return { shape, dtype: "float32", data: await readFloats(place.file, place.name) };
}

/** A weight of a GGUF file in the layout of Hugging Face. */
async function readGgufWeight({ file, name, shape, rotatedHeads, transposed }: GgufPlace): Promise<Float32Array> {
  const data = await readGgufFloats(file, name);
  if (rotatedHeads !== undefined) return reorderRows(data, rowOrder(shape[0]!, rotatedHeads));
  return transposed ? transpose(data, shape[1]!, shape[0]!) : data;
}

/** Read all weights of a model, one after the other, as float32. Throws what {@link readParameter} throws. */
export async function readParameters(checkpoint: Checkpoint): Promise<ModelParameters> {
  const parameters: ModelParameters = {};
  for (const name of Object.keys(parameterShapes(checkpoint.config))) {
    parameters[name] = await readParameter(checkpoint, name);
  }
  return parameters;
}

/**
 * Hash a model: SHA-256, 64 hexadecimal digits, of the content of its config.json, whatever its layout, and of the
 * bytes of the files with its weights; of a GGUF file, which is all in one, under its configuration here. It reads
 * these files.
 *
 * @throws not-found, file-system
 */
export async function hashCheckpoint({ folder, weights }: Checkpoint): Promise<string> {
  const files = [...new Set([...weights.values()].map(({ file }) => file.path))];
  const hashes: Record<string, string> = {};
  for (const file of files) hashes[basename(file)] = await sha256File(file);
  return sha256(canonicalJson({ config: await readDocument(folder, CONFIG_FILE), weights: hashes }));
}
