import { join } from "node:path";
import {
  checkInterrupt,
  didYouMean,
  interruptible,
  nearNames,
  startProgress,
  ThoughtbookError,
} from "../../core/index.js";
import { readJsonFile } from "../config/read.js";
import { chooseOnnxFiles, findOnnxFiles, readOnnxLayout } from "../onnx/files.js";
import { INDEX_FILE, noWeights, parseIndex, shardNames, WEIGHTS_FILE } from "../weights/files.js";
import {
  filesBefore,
  findCachedGguf,
  findSnapshot,
  hubCacheFolder,
  isCommit,
  linkBlob,
  modelFolder,
  recordRevision,
  recordSnapshot,
  type WantedWeights,
} from "./cache.js";
import { type ConnectionOptions, connectHub, type HubConnection } from "./connection.js";
import { chooseGguf, nameAGguf } from "./gguf-names.js";
import { cachedNames } from "./model-list.js";
import { embeddedFolder, embeddedNames, type HubModel, localFolder, parseHubModel } from "./name.js";
import { isWhole, type RemoteFile, transferBlob } from "./transfer.js";

export interface ResolveOptions extends ConnectionOptions {
  /** Which weights to look for. Default: safetensors. */
  weights?: WantedWeights | undefined;
}

/** Files of a model that are downloaded besides its weights. */
const NEEDED =
  /^(config\.json|generation_config\.json|(tokenizer|chat_template)[\w.-]*|(special_tokens_map|added_tokens|vocab|thoughtbook)\.json|merges\.txt)$/;

/**
 * Resolve a model to a local folder, or GGUF file: a name in the repository's `data/models` is that folder (`./NAME` is always a
 * folder); a folder is taken as it is; `owner/name` or `owner/name@revision` is looked up in the cache shared with
 * Python's huggingface_hub (HF_HUB_CACHE, HF_HOME), and downloaded to it if missing. A GGUF file is taken as it is too;
 * one of the hub is `owner/name:FILE.gguf`, or `owner/name:Q4_K_M` by its type. A revision in the cache is not
 * requested again, although a branch may have moved on. The hub is HF_ENDPOINT, with HF_TOKEN; HF_HUB_OFFLINE=1 forbids
 * all requests.
 *
 * @param spec a folder, or the name of a model
 * @throws not-found, bad-input (not a name; no permission; weights only as a pickle), network, corrupt-data (wrong
 *   checksum), file-system, interrupted
 *
 * @example Only compiled: downloads a model
 * ```ts
 * import { openCheckpoint, resolveModel } from "thoughtbook/model";
 *
 * const folder = await resolveModel("HuggingFaceTB/SmolLM2-135M");
 * console.log((await openCheckpoint(folder)).config.family);
 * ```
 */
export async function resolveModel(
  spec: string,
  { weights = { format: "safetensors" }, ...given }: ResolveOptions = {},
): Promise<string> {
  const options = { ...given, signal: interruptible(given.signal) };
  const folder = embeddedFolder(spec) ?? (await localFolder(spec));
  if (folder !== undefined) return folder;
  const model = parseHubModel(spec);
  const cache = hubCacheFolder();
  if (model.file !== undefined) return resolveGguf(model, model.file, cache, options);
  const cached = await findSnapshot(cache, model, weights);
  if (cached?.complete) return cached.folder;
  const embedded = embeddedNames();
  // The few models of the hub without an owner have other kinds of names.
  if (!model.name.includes("/") && cached === undefined && nearNames(model.name, embedded).length > 0) {
    throw new ThoughtbookError("not-found", `there is no model ${JSON.stringify(spec)}`, {
      hint: `${didYouMean(model.name, embedded)}${SPECIFICATIONS}`,
    });
  }
  try {
    if (isOffline()) throw offline(model);
    return await downloadModel(model, cache, weights, options);
  } catch (error) {
    checkInterrupt(options.signal, `the download of ${model.name}`, "Run it again: it goes on where it stopped.");
    // Another program may have cached the weights without a tokenizer: enough for those who need none.
    if (cached?.loadable && error instanceof ThoughtbookError && error.code === "network") return cached.folder;
    throw await withNearNames(error, model, embedded);
  }
}

/** The path of a GGUF file of the hub in the cache, to which it is downloaded if missing. */
async function resolveGguf(
  model: HubModel,
  wanted: string,
  cache: string,
  options: ConnectionOptions,
): Promise<string> {
  const cached = await findCachedGguf(cache, model, wanted);
  if (cached !== undefined) return cached;
  const place = `${model.name}@${model.revision}`;
  try {
    if (isOffline()) throw offline(model);
    const hub = await connectHub(model.name, options);
    try {
      const folder = wanted.includes("/") ? wanted.slice(0, wanted.lastIndexOf("/")) : undefined;
      const { commit, files } = await hub.patiently(() => describeModel(hub, model, { format: "safetensors" }, folder));
      const file = chooseGguf([...files.keys()], wanted, place);
      const download: Download = { hub, name: model.name, commit, root: modelFolder(cache, model.name) };
      await fetchFiles(download, `${model.name}:${file}`, [files.get(file)!]);
      await recordRevision(cache, model, commit);
      return join(snapshotFolder(download), file);
    } finally {
      await hub.close();
    }
  } catch (error) {
    checkInterrupt(options.signal, `the download of ${model.name}`, "Run it again: it goes on where it stopped.");
    throw await withNearNames(error, model, []);
  }
}

const isOffline = (): boolean => /^(1|true|on|yes)$/i.test(process.env.HF_HUB_OFFLINE ?? "");

const SPECIFICATIONS =
  "`thoughtbook models list` tells what is here; a folder is given as ./NAME, a model of the hub as owner/name.";

/** Extend the error of a model that was not found by the models on this machine with similar names. */
async function withNearNames(error: unknown, { name }: HubModel, embedded: readonly string[]): Promise<unknown> {
  if (!(error instanceof ThoughtbookError) || (error.code !== "not-found" && error.code !== "network")) return error;
  const known = [...embedded, ...(await cachedNames())].filter((each) => each !== name);
  const near = didYouMean(name, known);
  if (near === "") return error;
  return new ThoughtbookError(error.code, error.message, {
    hint: `${near}${error.hint ?? ""}`.trim(),
    cause: error.cause,
  });
}

async function downloadModel(
  model: HubModel,
  cache: string,
  wanted: WantedWeights,
  options: ConnectionOptions,
): Promise<string> {
  const hub = await connectHub(model.name, options);
  try {
    const { commit, files } = await hub.patiently(() => describeModel(hub, model, wanted));
    const root = modelFolder(cache, model.name);
    const download: Download = { hub, name: model.name, commit, root };
    const rest = [...files.values()].filter(({ path }) => NEEDED.test(path));
    const needsGguf =
      hasSafetensors(files, wanted) || findOnnxFiles([...files.keys()]).length > 0
        ? undefined
        : nameAGguf(model.name, [...files.keys()]);
    if (needsGguf !== undefined) throw needsGguf;
    if (!files.has("config.json")) throw incomplete(model, "config.json");
    const format = hasSafetensors(files, wanted) ? "safetensors" : "onnx";
    if (format === "onnx") checkOnnx(files, model, wanted);
    else if (!files.has(WEIGHTS_FILE)) rest.push(files.get(INDEX_FILE)!);
    await fetchFiles(download, `${model.name} (configuration)`, rest);
    const { weights, absent } =
      format === "onnx"
        ? await onnxFiles(download, files, wanted)
        : { weights: await weightFiles(download, files, model), absent: [] };
    await fetchFiles(download, model.name, weights);
    await recordSnapshot(cache, model, commit, absent);
    return snapshotFolder(download);
  } finally {
    await hub.close();
  }
}

const hasSafetensors = (files: ReadonlyMap<string, RemoteFile>, { format }: WantedWeights): boolean =>
  format !== "onnx" && (files.has(WEIGHTS_FILE) || files.has(INDEX_FILE));

/** Refuse a model without the requested ONNX weights, before anything is downloaded. */
function checkOnnx(files: ReadonlyMap<string, RemoteFile>, { name }: HubModel, { format, dtype }: WantedWeights): void {
  const names = [...files.keys()];
  if (format === "safetensors" || (format === "any" && findOnnxFiles(names).length === 0)) throw noWeights(names, name);
  chooseOnnxFiles(names, name, dtype);
}

/**
 * Choose the ONNX model to download, by the configuration that is present by now, and list preferred files that it
 * lacks.
 */
async function onnxFiles(
  { name, ...download }: Download,
  files: ReadonlyMap<string, RemoteFile>,
  wanted: WantedWeights,
): Promise<{ weights: RemoteFile[]; absent: string[] }> {
  const layout = readOnnxLayout(await readJsonFile(join(snapshotFolder(download), "config.json")));
  const { dtype, graph, data } = chooseOnnxFiles([...files.keys()], name, wanted.dtype, layout);
  return {
    weights: [graph, ...data].map((path) => files.get(path)!),
    absent: filesBefore(wanted, dtype, layout.dtype).filter((path) => !files.has(path)),
  };
}

/** The commit of a revision, and the files at its top level; those in `onnx` too, if requested, and in one further folder. */
async function describeModel(
  { url: hubUrl, fetch }: HubConnection,
  { name, revision }: HubModel,
  wanted: WantedWeights,
  further?: string,
): Promise<{ commit: string; files: Map<string, RemoteFile> }> {
  const { listFiles, modelInfo } = await import("@huggingface/hub");
  const strange = (what: string, cause?: unknown) =>
    new ThoughtbookError("network", `${hubUrl} does not answer as a Hugging Face hub: ${what}`, {
      hint: "Check HF_ENDPOINT, and whether a proxy answers in its place.",
      cause,
    });
  try {
    const { sha } = await modelInfo({ name, revision, hubUrl, fetch, additionalFields: ["sha"] });
    if (!isCommit(sha)) throw strange(`the commit is ${JSON.stringify(sha)}`);
    const files = new Map<string, RemoteFile>();
    const list = async (folder?: string): Promise<boolean> => {
      let hasOnnx = false;
      const repo = { type: "model", name } as const;
      const entries = listFiles({
        repo,
        revision: sha,
        hubUrl,
        fetch,
        ...(folder === undefined ? {} : { path: folder }),
      });
      for await (const { type, path, size, oid, lfs } of entries) {
        const hash = lfs?.oid ?? oid ?? "";
        hasOnnx ||= type === "directory" && path === "onnx";
        if (type !== "file") continue;
        const bytes = lfs?.size ?? size;
        // Hashes become parts of paths. (So do names, but only those of NEEDED, parseIndex, findOnnxFiles and parseHubModel.)
        if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash) || !Number.isSafeInteger(bytes)) {
          throw strange(`${path} has the hash ${JSON.stringify(hash)} and the size ${bytes}`);
        }
        files.set(path, { path, size: bytes, hash });
      }
      return hasOnnx;
    };
    if ((await list()) && !hasSafetensors(files, wanted)) await list("onnx");
    if (further !== undefined) await list(further);
    return { commit: sha, files };
  } catch (error) {
    if (error instanceof ThoughtbookError || (error as Error).name === "AbortError") throw error;
    throw strange((error as Error).message, error);
  }
}

interface Download {
  hub: HubConnection;
  name: string;
  commit: string;
  /** Folder of the model in the cache. */
  root: string;
}

const snapshotFolder = ({ root, commit }: Pick<Download, "root" | "commit">): string => join(root, "snapshots", commit);

async function weightFiles(
  download: Download,
  files: ReadonlyMap<string, RemoteFile>,
  model: HubModel,
): Promise<RemoteFile[]> {
  const single = files.get(WEIGHTS_FILE);
  if (single !== undefined) return [single];
  const index = join(snapshotFolder(download), INDEX_FILE);
  return shardNames(parseIndex(await readJsonFile(index), index)).map((shard) => {
    const file = files.get(shard);
    if (file === undefined) throw incomplete(model, shard);
    return file;
  });
}

/** Download files into the cache and link them in the snapshot, with one line of progress for all that are missing. */
async function fetchFiles(download: Download, label: string, files: readonly RemoteFile[]): Promise<void> {
  const { hub, name, commit, root } = download;
  const blobOf = ({ hash }: RemoteFile) => join(root, "blobs", hash);
  const whole = await Promise.all(files.map((file) => isWhole(blobOf(file), file)));
  const missing = files.filter((_, index) => !whole[index]);
  if (missing.length > 0) {
    const total = missing.reduce((sum, { size }) => sum + size, 0);
    const progress = startProgress(label, { total, unit: "bytes" });
    try {
      let before = 0;
      for (const file of missing) {
        const url = `${hub.url}/${name}/resolve/${commit}/${file.path}`;
        const onProgress = (bytes: number) => progress.update(before + bytes, file.path);
        await transferBlob({ hub, url, file, blob: blobOf(file), onProgress });
        before += file.size;
      }
    } catch (error) {
      progress.fail("not downloaded");
      throw error;
    }
    progress.succeed(`→ ${snapshotFolder(download)}`);
  }
  for (const file of files) await linkBlob(blobOf(file), join(snapshotFolder(download), file.path));
}

function incomplete({ name, revision }: HubModel, file: string): ThoughtbookError {
  return new ThoughtbookError("not-found", `${name}@${revision} has no ${file}`, {
    hint: "Choose a model in the format of Hugging Face transformers.",
  });
}

function offline({ name, revision }: HubModel): ThoughtbookError {
  return new ThoughtbookError("network", `${name}@${revision} is not in the cache, and HF_HUB_OFFLINE is set`, {
    hint: "Unset it where there is a network, or give a local folder.",
  });
}
