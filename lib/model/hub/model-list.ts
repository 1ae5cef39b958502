import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileSystemError } from "../../core/index.js";
import { findOnnxFiles, listModelFiles } from "../onnx/files.js";
import { openCheckpoint } from "../weights/checkpoint.js";
import { parameterCount } from "../weights/shapes.js";
import { hubCacheFolder } from "./cache.js";
import { isGgufName } from "./gguf-names.js";
import { embeddedFolder, embeddedNames } from "./name.js";

/** A model on this machine, by the name that `loadModel` takes. */
export interface ListedModel {
  name: string;
  /** Whether it came with the repository, or was downloaded from the hub. */
  place: "embedded" | "cache";
  folder: string;
  /** Bytes of all its files; in the cache of all revisions. */
  bytes: number;
  /** Formats of its weights: `safetensors`, `onnx` with a type, or `gguf` with the name of the file. */
  weights: string[];
  /** Number of parameters, for models that this library's engine runs. */
  parameters?: number;
  /** Available branches and tags of the hub, or else commits. */
  revisions?: string[];
}

/**
 * List the models that can be loaded without a network: the embedded ones, then those in the cache of the Hugging Face
 * hub, in alphabetical order.
 *
 * @throws file-system
 */
export async function listModels(): Promise<ListedModel[]> {
  const embedded = await Promise.all(embeddedNames().map((name) => describeEmbedded(name, embeddedFolder(name)!)));
  const cache = hubCacheFolder();
  const folders = (await listFolder(cache)).filter((folder) => folder.startsWith("models--")).sort();
  const cached: ListedModel[] = [];
  for (const folder of folders) {
    const model = await describeCached(join(cache, folder));
    if (model) cached.push(model);
  }
  return [...embedded, ...cached];
}

/** Names of models in the cache of the hub, complete or partial. */
export async function cachedNames(): Promise<string[]> {
  const folders = await listFolder(hubCacheFolder()).catch(() => []);
  return folders.flatMap((folder) => (folder.startsWith("models--") ? [nameOf(folder)] : []));
}

const nameOf = (folder: string): string => folder.split("--").slice(1).join("/");

async function describeEmbedded(name: string, folder: string): Promise<ListedModel> {
  return { name, place: "embedded", folder, bytes: await bytesIn(folder), ...(await contentsOf(folder)) };
}

/** Undefined for a folder without a snapshot, left by a download that never began. */
async function describeCached(folder: string): Promise<ListedModel | undefined> {
  const commits = await listFolder(join(folder, "snapshots"));
  if (commits.length === 0) return undefined;
  const refs = await refsIn(join(folder, "refs"));
  const named = new Map(await Promise.all(refs.map(async (ref) => [ref, await commitOf(folder, ref)] as const)));
  const unnamed = commits.filter((commit) => ![...named.values()].includes(commit));
  const newest = named.get("main") ?? [...named.values()][0] ?? commits[0]!;
  return {
    name: nameOf(folder.split(/[\\/]/).at(-1)!),
    place: "cache",
    folder,
    bytes: await bytesIn(folder),
    ...(await contentsOf(join(folder, "snapshots", commits.includes(newest) ? newest : commits[0]!))),
    revisions: [...named.keys(), ...unnamed],
  };
}

async function contentsOf(folder: string): Promise<Pick<ListedModel, "weights" | "parameters">> {
  const files = await listModelFiles(folder).catch(() => []);
  const safetensors = files.some((file) => /^model(-\d+-of-\d+)?\.safetensors$/.test(file));
  const gguf = files.filter(isGgufName);
  const weights = [
    ...(safetensors ? ["safetensors"] : []),
    ...findOnnxFiles(files).map(({ dtype }) => `onnx ${dtype}`),
    ...gguf.map((file) => `gguf ${file}`),
  ];
  // Another architecture, or a partial download, has no count here.
  const place = safetensors ? folder : gguf[0] === undefined ? undefined : join(folder, gguf[0]);
  const checkpoint = place === undefined ? undefined : await openCheckpoint(place).catch(() => undefined);
  return { weights, ...(checkpoint ? { parameters: parameterCount(checkpoint.config) } : {}) };
}

/** Refs may have slashes in their names. */
async function refsIn(folder: string, before = ""): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await listFolder(folder)).sort()) {
    const isFolder = (await stat(join(folder, name)).catch(() => undefined))?.isDirectory();
    if (isFolder) found.push(...(await refsIn(join(folder, name), `${before}${name}/`)));
    else found.push(`${before}${name}`);
  }
  return found;
}

const commitOf = async (folder: string, ref: string): Promise<string> =>
  (await readFile(join(folder, "refs", ref), "utf8").catch(() => "")).trim();

/** Total bytes of the files in a folder; links are not followed, as the cache has each file once and links to it. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await listFolder(folder)) {
    const path = join(folder, name);
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isDirectory()) bytes += await bytesIn(path);
    else if (entry?.isFile()) bytes += entry.size;
  }
  return bytes;
}

/** Names in a folder; none if it does not exist. */
async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw fileSystemError(error, "read the folder", folder);
  });
}
