import { access } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { cacheFolder, download, resolveUserPath, startProgress, ThoughtbookError } from "../../core/index.js";
import { extractMember } from "../files/zip-member.js";
import { type SplitEntry, splitEntry } from "./dataset-table.js";

/** Location of the file of a split. */
export type Origin = "path" | "folder" | "cache" | "download";

export interface LocatedFile {
  file: string;
  origin: Origin;
}

export interface LocateOptions {
  /** File to read instead of looking for one. */
  path?: string | undefined;
  /** Folder with data sets. Default: the environment variable THOUGHTBOOK_DATA. */
  folder?: string | undefined;
  cache?: string;
  signal?: AbortSignal | undefined;
}

/**
 * Find the file of a split: an explicit path, else in the folder THOUGHTBOOK_DATA, else in the cache, else download it.
 * @throws ThoughtbookError for an unknown name or split, a path that does not exist, a split without a public file that
 * is not on disk, or a failed download; each says what to do.
 */
export async function locateSplit(name: string, split: string, options: LocateOptions = {}): Promise<LocatedFile> {
  const { path, cache = cacheFolder(), signal } = options;
  const entry = await splitEntry(name, split);
  if (path !== undefined) {
    const given = resolveUserPath(path);
    if (await exists(given)) return { file: given, origin: "path" };
    throw new ThoughtbookError("not-found", `there is no file ${given}`, { hint: "Check the path." });
  }
  return (await splitAtHand(name, split, options)) ?? (await fetchSplit({ name, split, entry, cache, signal }));
}

/**
 * The file of a split in the folder THOUGHTBOOK_DATA or in the cache; undefined if it would have to be downloaded.
 * @throws ThoughtbookError "bad-input" for an unknown name or split.
 */
export async function splitAtHand(
  name: string,
  split: string,
  { folder = process.env.THOUGHTBOOK_DATA, cache = cacheFolder() }: LocateOptions = {},
): Promise<LocatedFile | undefined> {
  const { file, downloadAs } = await splitEntry(name, split);
  const places = [
    ...(folder ? [{ root: resolveUserPath(folder), origin: "folder" as const }] : []),
    { root: join(cache, "datasets"), origin: "cache" as const },
  ];
  for (const { root, origin } of places) {
    for (const each of downloadAs ? [file, downloadAs] : [file]) {
      if (await exists(join(root, each))) return { file: join(root, each), origin };
    }
  }
  return undefined;
}

interface Fetch {
  name: string;
  split: string;
  entry: SplitEntry;
  cache: string;
  signal: AbortSignal | undefined;
}

async function fetchSplit({ name, split, entry, cache, signal }: Fetch): Promise<LocatedFile> {
  const { file, url, downloadAs = file, member, sha256 } = entry;
  const target = join(cache, "datasets", downloadAs);
  if (url === undefined) {
    throw new ThoughtbookError("not-found", `${name} ${split} is not at hand and has no public file to download`, {
      hint: `Name the file with \`path\` (--path), or set THOUGHTBOOK_DATA to a folder that holds ${file}.`,
    });
  }
  // The splits of an archive share its download.
  const downloaded = member === undefined ? target : join(dirname(target), basename(new URL(url).pathname));
  const progress = startProgress(`${name} ${split}`, { unit: "bytes" });
  try {
    await download(url, downloaded, {
      sha256,
      signal,
      // Where there is no network, a notebook falls back to its sample: it should not wait for long.
      connectTimeoutMs: 5000,
      attempts: 3,
      onProgress: ({ receivedBytes, totalBytes }) =>
        progress.update(receivedBytes, totalBytes === undefined ? undefined : `of ${totalBytes}`),
    });
    if (member !== undefined) await extractMember(downloaded, member, target);
  } catch (error) {
    progress.fail("not downloaded");
    if (!(error instanceof ThoughtbookError) || error.code !== "network") throw error;
    const message = `${name} ${split} is not at hand and could not be downloaded: ${error.message}`;
    throw new ThoughtbookError("network", message, {
      hint:
        `With a network, run \`npx thoughtbook data download ${name} --split ${split}\`; ` +
        `or set THOUGHTBOOK_DATA to a folder that holds ${file}.`,
      cause: error,
    });
  }
  progress.succeed(`→ ${target}`);
  return { file: target, origin: "download" };
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
