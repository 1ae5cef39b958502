import { badInput, ThoughtbookError } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import type { GgufFile } from "../gguf/file.js";
import { areEqual, type SafetensorsFile } from "./safetensors.js";
import { type ParameterShapes, parameterShapes } from "./shapes.js";

/** Where a weight lies: its file, and the name it has there. */
export type WeightPlace = SafetensorsPlace | GgufPlace;

interface SafetensorsPlace {
  file: SafetensorsFile;
  name: string;
}

/** A tensor of a GGUF file, and how it differs from the weight in a Hugging Face folder. */
export interface GgufPlace {
  file: GgufFile;
  name: string;
  /** The weight's shape. */
  shape: readonly number[];
  /** Its rows are those of so many heads, each with the pairs of its rotation beside each other; undefined for other tensors. */
  rotatedHeads?: number;
  /** Its rows are the columns of the weight. */
  transposed?: boolean;
}

export type WeightPlaces = ReadonlyMap<string, WeightPlace>;

const HEAD = "lm_head.weight";
const MOST_NAMES = 3;

/**
 * Find the weights of a model among the tensors of its files, whatever variant of the names they have.
 *
 * As in transformers 5, tied embeddings may be stored as `lm_head.weight` only, and count as untied if the file holds
 * both and they differ.
 *
 * @returns the places by canonical name, those of `parameterShapes`, and the configuration, untied if need be
 * @throws corrupt-data if weights are missing, not expected, of the wrong shape, or there twice; bad-input if one is not
 *   in F32, F16 or BF16; file-system
 */
export async function locateWeights(
  config: ModelConfig,
  files: readonly SafetensorsFile[],
  folder: string,
): Promise<{ config: ModelConfig; weights: WeightPlaces }> {
  const places = new Map<string, SafetensorsPlace>();
  for (const file of files) {
    for (const name of file.tensors.keys()) {
      const canonical = canonicalName(config, name);
      if (canonical === undefined) continue;
      const other = places.get(canonical);
      if (other !== undefined) throw thereTwice(canonical, { file, name }, other);
      places.set(canonical, { file, name });
    }
  }
  const tied = config.tiedEmbeddings ? await isTied(config, places) : false;
  const actual = { ...config, tiedEmbeddings: tied };
  const shapes = Object.fromEntries([...places].map(([name, place]) => [name, entry(place).shape]));
  const mismatch = describeMismatch(parameterShapes(actual), shapes);
  if (mismatch !== undefined) {
    throw new ThoughtbookError("corrupt-data", `the weights in ${folder} do not fit its config.json: ${mismatch}`, {
      hint: "Download the checkpoint again, or check that both files belong to the same model.",
    });
  }
  for (const [name, place] of places) requireFloats(name, place);
  return { config: actual, weights: places };
}

/**
 * How given names and shapes differ from the expected ones, in words; undefined if they do not.
 */
export function describeMismatch(expected: ParameterShapes, given: ParameterShapes): string | undefined {
  const missing = Object.keys(expected).filter((name) => !Object.hasOwn(given, name));
  const surplus = Object.keys(given).filter((name) => !Object.hasOwn(expected, name));
  const wrong = Object.keys(expected)
    .filter((name) => Object.hasOwn(given, name) && given[name]!.join() !== expected[name]!.join())
    .map((name) => `${name} is [${given[name]!.join(", ")}] instead of [${expected[name]!.join(", ")}]`);
  const parts = [some("missing", missing), some("not expected", surplus), some("of the wrong shape", wrong)];
  return parts.filter((part) => part !== "").join("; ") || undefined;
}

function some(label: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const rest = items.length > MOST_NAMES ? `, and ${items.length - MOST_NAMES} more` : "";
  return `${label}: ${items.slice(0, MOST_NAMES).join(", ")}${rest}`;
}

/** The name that a stored tensor has in `parameterShapes`; undefined for one that is computed anew, and so of no use. */
function canonicalName({ family }: ModelConfig, stored: string): string | undefined {
  // Masks and frequencies that early versions of transformers saved.
  const buffer = family === "gpt2" ? /(^|\.)h\.\d+\.attn\.(masked_)?bias$/ : /(^|\.)rotary_emb\.inv_freq$/;
  if (buffer.test(stored)) return undefined;
  // The base model without its head has no prefix.
  const prefix = family === "gpt2" ? "transformer." : "model.";
  return stored === HEAD || stored.startsWith(prefix) ? stored : `${prefix}${stored}`;
}

/** Whether the embeddings, tied by the configuration, are in the file too; leaves them once in `places` if so. */
async function isTied(config: ModelConfig, places: Map<string, SafetensorsPlace>): Promise<boolean> {
  const embeddings = config.family === "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight";
  const [head, embedding] = [places.get(HEAD), places.get(embeddings)];
  if (head === undefined) return true;
  if (embedding === undefined) places.set(embeddings, head);
  else if (!(await areEqual([head.file, head.name], [embedding.file, embedding.name]))) return false;
  places.delete(HEAD);
  return true;
}

const entry = ({ file, name }: SafetensorsPlace) => file.tensors.get(name)!;

function requireFloats(name: string, place: SafetensorsPlace): void {
  const { dtype } = entry(place);
  if (dtype === "F32" || dtype === "F16" || dtype === "BF16") return;
  throw badInput(
    `${place.file.path}: ${name} is stored as ${dtype}; F32, F16 and BF16 are supported`,
    "Choose the checkpoint in float32, float16 or bfloat16.",
  );
}

function thereTwice(canonical: string, a: SafetensorsPlace, b: SafetensorsPlace): ThoughtbookError {
  const message = `${canonical} is there twice: as ${b.name} in ${b.file.path}, and as ${a.name} in ${a.file.path}`;
  return new ThoughtbookError("corrupt-data", message, { hint: "Download the checkpoint again." });
}
