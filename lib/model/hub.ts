import { join } from "node:path";
import { startProgress, ThoughtbookError } from "../core/index.js";
import { INDEX_FILE, noWeights, parseIndex, shardNames, WEIGHTS_FILE } from "./checkpoint-files.js";
import { readJsonFile } from "./config.js";
import { findSnapshot, hubCacheFolder, isCommit, linkBlob, modelFolder, recordSnapshot } from "./hub-cache.js";
import { type ConnectionOptions, connectHub, type HubConnection } from "./hub-connection.js";
import { type HubModel, localFolder, parseHubModel } from "./hub-name.js";
import { isWhole, type RemoteFile, transferBlob } from "./hub-transfer.js";

export type ResolveOptions = ConnectionOptions;

/** What is downloaded of a model besides its weights. */
const NEEDED =
  /^(config\.json|generation_config\.json|(tokenizer|chat_template)[\w.-]*|(special_tokens_map|added_tokens|vocab)\.json|merges\.txt)$/;

/**
 * The local folder of a model: a folder is taken as it is; `owner/name` or `owner/name@revision` is looked up in the
 * cache that Python's huggingface_hub uses too (HF_HUB_CACHE, HF_HOME), and downloaded to it if it is not there. A
 * revision that is in the cache is not asked for again, although a branch may have moved on. The hub is HF_ENDPOINT, with
 * HF_TOKEN; HF_HUB_OFFLINE=1 forbids to ask it.
 *
 * @param spec a folder, or the name of a model
 * @throws not-found, bad-input (not a name; no permission; weights only as a pickle), network, corrupt-data (wrong
 *   checksum), file-system, interrupted
 */
export async function resolveModel(spec: string, options: ResolveOptions = {}): Promise<string> {
  const folder = await localFolder(spec);
  if (folder !== undefined) return folder;
  const model = parseHubModel(spec);
  const cache = hubCacheFolder();
  const cached = await findSnapshot(cache, model);
  if (cached?.complete) return cached.folder;
  try {
    if (/^(1|true|on|yes)$/i.test(process.env.HF_HUB_OFFLINE ?? "")) throw offline(model);
    return await downloadModel(model, cache, options);
  } catch (error) {
    if (options.signal?.aborted) {
      throw new ThoughtbookError("interrupted", `the download of ${model.name} was interrupted`, {
        hint: "Run it again: it goes on where it stopped.",
        cause: options.signal.reason,
      });
    }
    // Another program may have cached the weights without a tokenizer: enough for those who need none.
    if (cached?.loadable && error instanceof ThoughtbookError && error.code === "network") return cached.folder;
    throw error;
  }
}

async function downloadModel(model: HubModel, cache: string, options: ResolveOptions): Promise<string> {
  const hub = await connectHub(model.name, options);
  try {
    const { commit, files } = await hub.patiently(() => describeModel(hub, model));
    const root = modelFolder(cache, model.name);
    const download: Download = { hub, name: model.name, commit, root };
    const rest = [...files.values()].filter(({ path }) => NEEDED.test(path));
    if (!files.has("config.json")) throw incomplete(model, "config.json");
    if (!files.has(WEIGHTS_FILE) && files.has(INDEX_FILE)) rest.push(files.get(INDEX_FILE)!);
    else if (!files.has(WEIGHTS_FILE)) throw noWeights([...files.keys()], model.name);
    await fetchFiles(download, `${model.name} (configuration)`, rest);
    await fetchFiles(download, model.name, await weightFiles(download, files, model));
    await recordSnapshot(cache, model, commit);
    return snapshotFolder(download);
  } finally {
    await hub.close();
  }
}

/** The commit of a revision, and the files at its top. */
async function describeModel(
  { url: hubUrl, fetch }: HubConnection,
  { name, revision }: HubModel,
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
    for await (const { type, path, size, oid, lfs } of listFiles({
      repo: { type: "model", name },
      revision: sha,
      hubUrl,
      fetch,
    })) {
      const hash = lfs?.oid ?? oid ?? "";
      if (type !== "file") continue;
      const bytes = lfs?.size ?? size;
      // Hashes become parts of paths. (So do names, but only those of NEEDED and of parseIndex.)
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash) || !Number.isSafeInteger(bytes)) {
        throw strange(`${path} has the hash ${JSON.stringify(hash)} and the size ${bytes}`);
      }
      files.set(path, { path, size: bytes, hash });
    }
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

const snapshotFolder = ({ root, commit }: Download): string => join(root, "snapshots", commit);

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

/** Bring files into the cache and name them in the snapshot, with one line of progress for all that are missing. */
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
