import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileSystemError, ThoughtbookError } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import { configToHuggingFace, type WeightType } from "../config/write.js";
import type { ModelParameters } from "./checkpoint.js";
import { CONFIG_FILE, INDEX_FILE, WEIGHTS_FILE } from "./files.js";
import { storedBytes, writeSafetensors } from "./safetensors-write.js";
import { parameterShapes } from "./shapes.js";
import { describeMismatch } from "./weight-files.js";

export interface CheckpointContent {
  config: ModelConfig;
  parameters: Readonly<ModelParameters>;
  /** How the weights are stored. Default: "float32". */
  dtype?: WeightType | undefined;
  /** The most bytes of weights in a file, apart from a single weight that is larger. Default: one file. */
  shardBytes?: number | undefined;
  /** Further files of the folder, such as tokenizer.json, by name. */
  extraFiles?: Readonly<Record<string, string | Uint8Array>> | undefined;
}

/** Files with weights that a folder may contain from an earlier save. */
const WEIGHT_FILES = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;

/**
 * Save a Hugging Face folder that `openCheckpoint` and Python's transformers open. Equal content gives equal bytes. A
 * new folder appears only when it is complete; in an existing one, files are replaced one at a time, and other weights
 * removed.
 *
 * @throws bad-input (weights that do not fit the configuration or its type, a name that is no file name), file-system
 */
export async function saveCheckpoint(folder: string, content: CheckpointContent): Promise<void> {
  const { config, parameters, dtype = "float32", shardBytes, extraFiles = {} } = content;
  checkParameters(config, parameters);
  checkFileNames(Object.keys(extraFiles));
  if (shardBytes !== undefined && !(shardBytes > 0)) {
    throw new ThoughtbookError("bad-input", `shardBytes is ${shardBytes}`, { hint: "Give a number of bytes above 0." });
  }

  const target = resolve(folder);
  const replaces = await isThere(target);
  // Beside or inside the folder, so that the files move without being copied.
  const stage = replaces ? join(target, `.part-${process.pid}`) : `${target}.part-${process.pid}`;
  const write = (name: string, data: string | Uint8Array) => writeFile(join(stage, name), data);
  try {
    await rm(stage, { recursive: true, force: true });
    await mkdir(stage, { recursive: true });
    await writeWeights(stage, content, dtype, shardBytes ?? Number.POSITIVE_INFINITY);
    for (const [name, data] of Object.entries(extraFiles)) await write(name, data);
    await write(CONFIG_FILE, `${JSON.stringify(configToHuggingFace(config, dtype), null, 2)}\n`);
    await (replaces ? replaceFiles(stage, target) : rename(stage, target));
  } catch (error) {
    throw fileSystemError(error, "write the checkpoint", target);
  } finally {
    await rm(stage, { recursive: true, force: true }).catch(() => {}); // What went wrong before says more.
  }
}

async function writeWeights(
  folder: string,
  { config, parameters }: CheckpointContent,
  dtype: WeightType,
  shardBytes: number,
): Promise<void> {
  const shards: ModelParameters[] = [];
  let [room, total] = [0, 0];
  for (const name of Object.keys(parameterShapes(config))) {
    const parameter = parameters[name]!;
    const bytes = storedBytes(parameter, dtype);
    if (bytes > room) {
      shards.push({});
      room = shardBytes;
    }
    shards.at(-1)![name] = parameter;
    room -= bytes;
    total += bytes;
  }
  if (shards.length === 1) return writeSafetensors(join(folder, WEIGHTS_FILE), shards[0]!, { floats: dtype });

  const digits = (number: number) => String(number).padStart(5, "0");
  const weightMap: Record<string, string> = {};
  for (const [index, shard] of shards.entries()) {
    const file = `model-${digits(index + 1)}-of-${digits(shards.length)}.safetensors`;
    await writeSafetensors(join(folder, file), shard, { floats: dtype });
    for (const name of Object.keys(shard)) weightMap[name] = file;
  }
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  await writeFile(join(folder, INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`);
}

/** Move the staged files into a folder that is there already. */
async function replaceFiles(stage: string, folder: string): Promise<void> {
  const files = await readdir(stage);
  const configLast = [...files.filter((file) => file !== CONFIG_FILE), CONFIG_FILE];
  for (const file of configLast) await rename(join(stage, file), join(folder, file));
  // Another set of weights would be read instead of this one.
  const stale = (await readdir(folder)).filter((file) => WEIGHT_FILES.test(file) && !files.includes(file));
  for (const file of stale) await rm(join(folder, file));
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function checkParameters(config: ModelConfig, parameters: Readonly<ModelParameters>): void {
  const shapes = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
  const mismatch = describeMismatch(parameterShapes(config), shapes);
  if (mismatch === undefined) return;
  throw new ThoughtbookError("bad-input", `the weights do not fit the configuration: ${mismatch}`, {
    hint: "Give the weights that parameterShapes lists.",
  });
}

function checkFileNames(names: readonly string[]): void {
  const isOwn = (name: string) => name === CONFIG_FILE || WEIGHT_FILES.test(name);
  const wrong = names.find((name) => basename(name) !== name || /^\.*$|[\\/]/.test(name) || isOwn(name));
  if (wrong === undefined) return;
  throw new ThoughtbookError("bad-input", `${JSON.stringify(wrong)} cannot be an extra file of a checkpoint`, {
    hint: "Give plain file names other than those of the configuration and the weights.",
  });
}
