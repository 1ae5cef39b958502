import { access, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileSystemError, resolveUserPath } from "../../core/index.js";
import { readJsonFile } from "../config/read.js";
import {
  findOnnxFiles,
  listModelFiles,
  ONNX_WEIGHT_TYPES,
  type OnnxWeightType,
  readOnnxLayout,
  usualOnnxName,
} from "../onnx/files.js";
import { CONFIG_FILE, INDEX_FILE, parseIndex, shardNames, WEIGHTS_FILE } from "../weights/files.js";
import { findGguf } from "./gguf-names.js";
import type { HubModel } from "./name.js";

/** Which weights of a model are wanted. */
export interface WantedWeights {
  /** `any`: safetensors, or ONNX where there are none. */
  format: "safetensors" | "onnx" | "any";
  /** Type of ONNX weights. Default: the one that config.json names, or else the first one there is. */
  dtype?: OnnxWeightType | undefined;
}

/** A revision of a model in the cache shared with Python's huggingface_hub. */
export interface Snapshot {
  folder: string;
  commit: string;
  /** Whether configuration and weights are there. */
  loadable: boolean;
  /** Whether all files that a model needs are there. */
  complete: boolean;
}

const TOKENIZER_FILE = "tokenizer.json";

export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** The cache of huggingface_hub: HF_HUB_CACHE, else `hub` in HF_HOME, else `~/.cache/huggingface/hub`. */
export function hubCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return resolveUserPath(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, "hub"));
}

/** The folder of a model in the cache, with `blobs`, `refs` and `snapshots`. */
export const modelFolder = (cache: string, name: string): string =>
  join(cache, ["models", ...name.split("/")].join("--"));

/** A GGUF file of a model in the cache; undefined if it is not there. */
export async function findCachedGguf(
  cache: string,
  { name, revision }: HubModel,
  wanted: string,
): Promise<string | undefined> {
  const root = modelFolder(cache, name);
  const commit = isCommit(revision) ? revision : await readRef(root, revision);
  if (commit === undefined) return undefined;
  const folder = join(root, "snapshots", commit);
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const found = findGguf(files, wanted);
  // A link may be left whose file was deleted.
  return found.length === 1 && (await isThere(join(folder, found[0]!))) ? join(folder, found[0]!) : undefined;
}

/** The revision of a model as far as it is in the cache; undefined if nothing of it is. */
export async function findSnapshot(
  cache: string,
  { name, revision }: HubModel,
  wanted: WantedWeights,
): Promise<Snapshot | undefined> {
  const root = modelFolder(cache, name);
  const commit = isCommit(revision) ? revision : await readRef(root, revision);
  if (commit === undefined) return undefined;
  const folder = join(root, "snapshots", commit);
  const isAbsent = (file: string) => isThere(join(root, ".no_exist", commit, file));
  const weights = (await isThere(join(folder, CONFIG_FILE))) ? await weightsIn(folder, wanted, isAbsent) : "none";
  const tokenizerSeen = (await isThere(join(folder, TOKENIZER_FILE))) || (await isAbsent(TOKENIZER_FILE));
  return { folder, commit, loadable: weights !== "none", complete: weights === "right" && tokenizerSeen };
}

/**
 * Record which commit a branch or tag is, and which files that a model may have are absent: its tokenizer.json, and
 * weights that would have been preferred. huggingface_hub records them the same way.
 */
export async function recordSnapshot(
  cache: string,
  { name, revision }: HubModel,
  commit: string,
  absent: readonly string[],
): Promise<void> {
  const root = modelFolder(cache, name);
  const tokenizerIsThere = await isThere(join(root, "snapshots", commit, TOKENIZER_FILE));
  for (const file of [...absent, ...(tokenizerIsThere ? [] : [TOKENIZER_FILE])]) {
    await writeSmallFile(join(root, ".no_exist", commit, file), "");
  }
  await recordRevision(cache, { name, revision }, commit);
}

/** Record which commit a branch or tag is. */
export async function recordRevision(cache: string, { name, revision }: HubModel, commit: string): Promise<void> {
  if (revision !== commit) await writeSmallFile(join(modelFolder(cache, name), "refs", revision), commit);
}

/** Files preferred to the chosen ones: if they are known to be absent, the hub need not be asked again. */
export function filesBefore(
  { format, dtype }: WantedWeights,
  chosen: OnnxWeightType,
  first?: OnnxWeightType,
): string[] {
  const safetensors = format === "any" ? [WEIGHTS_FILE, INDEX_FILE] : [];
  if (dtype !== undefined) return safetensors;
  const order = preference(first);
  return [...safetensors, ...order.slice(0, order.indexOf(chosen)).map(usualOnnxName)];
}

const preference = (first: OnnxWeightType | undefined): OnnxWeightType[] =>
  first === undefined ? [...ONNX_WEIGHT_TYPES] : [first, ...ONNX_WEIGHT_TYPES.filter((type) => type !== first)];

/** Whether a snapshot has the weights that the hub would give: these, other usable ones, or none. */
async function weightsIn(
  folder: string,
  { format, dtype }: WantedWeights,
  isAbsent: (file: string) => Promise<boolean>,
): Promise<"right" | "others" | "none"> {
  if (format !== "onnx" && (await hasWeights(folder))) return "right";
  if (format === "safetensors") return "none";
  const layout = readOnnxLayout(await readJsonFile(join(folder, CONFIG_FILE)).catch(() => ({})));
  const present = findOnnxFiles(await listModelFiles(folder)).filter(
    (files) => files.data.length >= layout.outside(files),
  );
  const isPresent = (type: OnnxWeightType) => present.some((files) => files.dtype === type);
  if (dtype === undefined ? present.length === 0 : !isPresent(dtype)) return "none";
  const others = format === "any" ? [WEIGHTS_FILE, INDEX_FILE] : [];
  const order = dtype === undefined ? preference(layout.dtype) : [dtype];
  const before = order.slice(0, order.findIndex(isPresent)).map(usualOnnxName);
  const absent = await Promise.all([...others, ...before].map(isAbsent));
  return absent.every(Boolean) ? "right" : "others";
}

/**
 * Link a blob of the cache to its name in a snapshot. Where links are not allowed, as often on Windows, it is copied.
 */
export async function linkBlob(blob: string, file: string): Promise<void> {
  if (await isThere(file)) return;
  try {
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true }); // A link whose blob was deleted.
    await symlink(relative(dirname(file), blob), file).catch(async () => {
      if (!(await isThere(file))) await copyFile(blob, file);
    });
  } catch (error) {
    throw fileSystemError(error, "write", file);
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readRef(root: string, revision: string): Promise<string | undefined> {
  const text = await readFile(join(root, "refs", revision), "utf8").catch(() => "");
  return isCommit(text.trim()) ? text.trim() : undefined;
}

async function hasWeights(folder: string): Promise<boolean> {
  if (await isThere(join(folder, WEIGHTS_FILE))) return true;
  const index = join(folder, INDEX_FILE);
  if (!(await isThere(index))) return false;
  const shards = shardNames(parseIndex(await readJsonFile(index), index));
  const present = await Promise.all(shards.map((shard) => isThere(join(folder, shard))));
  return present.every(Boolean);
}

async function writeSmallFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (error) {
    throw fileSystemError(error, "write", file);
  }
}
