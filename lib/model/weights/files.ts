import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { badInput, fileSystemError, refuseLfsPointer, ThoughtbookError } from "../../core/index.js";
import { readJsonFile } from "../config/read.js";
import { openSafetensors, type SafetensorsFile } from "./safetensors.js";

export const CONFIG_FILE = "config.json";
export const WEIGHTS_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

const PICKLE = /\.(bin|pt|pth|ckpt|pkl)$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Open the files with the weights of a checkpoint: `model.safetensors`, or else the shards that its index names. Their
 * headers are read and checked, no weights.
 *
 * @throws not-found (no such folder, no weights, a missing shard), bad-input (weights only in another format),
 *   corrupt-data, file-system
 */
export async function openWeights(folder: string): Promise<SafetensorsFile[]> {
  const present = await readdir(folder).catch((error: unknown) => {
    throw fileSystemError(error, "read the folder", folder);
  });
  if (present.includes(WEIGHTS_FILE)) return [await openSafetensors(join(folder, WEIGHTS_FILE))];
  if (!present.includes(INDEX_FILE)) {
    const error = noWeights(present, folder);
    const pickle = present.find((file) => PICKLE.test(file));
    if (pickle !== undefined)
      await refuseLfsPointer(join(folder, pickle), `Even then: ${error.message}. ${error.hint}`);
    throw error;
  }

  const index = join(folder, INDEX_FILE);
  const weightMap = parseIndex(await readJsonFile(index), index);
  const shards = shardNames(weightMap);
  const missing = shards.filter((shard) => !present.includes(shard));
  if (missing.length > 0) {
    const message = `${folder} lacks ${missing.join(", ")}, ${missing.length} of the ${shards.length} shards that ${INDEX_FILE} names`;
    throw new ThoughtbookError("not-found", message, { hint: "Download the checkpoint again." });
  }
  const files: SafetensorsFile[] = [];
  for (const shard of shards) {
    const file = await openSafetensors(join(folder, shard));
    const absent = Object.keys(weightMap).find((name) => weightMap[name] === shard && !file.tensors.has(name));
    if (absent !== undefined) {
      throw new ThoughtbookError(
        "corrupt-data",
        `${file.path} lacks the tensor ${absent}, which ${INDEX_FILE} sees there`,
        {
          hint: "Download the checkpoint again.",
        },
      );
    }
    files.push(file);
  }
  return files;
}

/**
 * The file of each tensor, from the content of a `model.safetensors.index.json`.
 * @throws corrupt-data if it is no index, or names a file outside its folder
 */
export function parseIndex(value: unknown, source: string): Record<string, string> {
  const parsed = indexSchema.safeParse(value);
  const weightMap = parsed.success ? parsed.data.weight_map : {};
  const shards = shardNames(weightMap);
  const wrong = shards.find((shard) => !/^[\w-][\w.-]*\.safetensors$/.test(shard));
  if (shards.length > 0 && wrong === undefined) return weightMap;
  const what =
    wrong === undefined
      ? "holds no weight_map from tensors to files"
      : `names ${JSON.stringify(wrong)} as a file of its folder`;
  throw new ThoughtbookError("corrupt-data", `${source} ${what}`, { hint: "Download the checkpoint again." });
}

/** The files that an index names, in alphabetical order. */
export const shardNames = (weightMap: Record<string, string>): string[] =>
  [...new Set(Object.values(weightMap))].sort();

/**
 * The error for a place, a folder or a repository, whose files hold no weights in safetensors. What comes as Python
 * pickles is never read: they can run any program.
 */
export function noWeights(files: readonly string[], place: string): ThoughtbookError {
  const found = (pattern: RegExp) => files.find((file) => pattern.test(file));
  const pickle = found(PICKLE);
  if (pickle !== undefined) {
    return badInput(
      `${place} holds its weights as a Python pickle, ${pickle}, which is not read`,
      "Choose a checkpoint in safetensors, or convert it with Python: load it in transformers and save_pretrained it.",
    );
  }
  if (found(/^adapter_model/) !== undefined) {
    return badInput(
      `${place} holds an adapter (LoRA), not a whole model`,
      "Merge it into its base model and save that.",
    );
  }
  const onnx = found(/^onnx(\/.*)?$|\.onnx$/);
  const gguf = found(/\.gguf$/i);
  const other = onnx ?? gguf ?? found(/\.(h5|msgpack|safetensors)$/);
  const instead = other === undefined ? "" : `, only ${other}`;
  return new ThoughtbookError("not-found", `${place} holds neither ${WEIGHTS_FILE} nor ${INDEX_FILE}${instead}`, {
    hint:
      onnx === undefined
        ? `Give ${gguf === undefined ? "" : "that GGUF file, or "}a Hugging Face checkpoint with weights in safetensors.`
        : `Give a checkpoint with weights in safetensors; where a model is only run, onnx:${place} opens this one.`,
  });
}
