import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  cacheFolder,
  download,
  projectFolder,
  resolveUserPath,
  startProgress,
  ThoughtbookError,
} from "../core/index.js";

const splitSchema = z.strictObject({
  /** Where the split lies below THOUGHTBOOK_DATA and below the cache. */
  file: z.string(),
  url: z.url(),
  sha256: z.string().length(64).optional(),
  rows: z.int().positive(),
});
const tableSchema = z.record(
  z.string(),
  z.strictObject({
    title: z.string(),
    home: z.url(),
    paper: z.string(),
    licence: z.string(),
    splits: z.record(z.string(), splitSchema),
  }),
);

export type DatasetTable = z.infer<typeof tableSchema>;

/** Where the file of a split was found. */
export type Origin = "path" | "folder" | "cache" | "download";

export interface LocatedFile {
  file: string;
  origin: Origin;
  /** How many rows the split has at its home. */
  rows: number;
}

export interface LocateOptions {
  /** A file to read instead of looking for one. */
  path?: string | undefined;
  /** The folder with data sets; the environment variable THOUGHTBOOK_DATA by default. */
  folder?: string | undefined;
  cache?: string;
  signal?: AbortSignal;
}

/** The public homes, licences and checksums of the data sets, from data/datasets.json. */
export async function datasetTable(): Promise<DatasetTable> {
  return tableSchema.parse(JSON.parse(await readFile(join(projectFolder(), "data", "datasets.json"), "utf8")));
}

/**
 * Find the file of a split: an explicit path, else the folder THOUGHTBOOK_DATA, else the cache, else its public home.
 * @throws ThoughtbookError for an unknown name or split, a path that does not exist, or a failed download; each says
 * what to do.
 */
export async function locateSplit(name: string, split: string, options: LocateOptions = {}): Promise<LocatedFile> {
  const { path, folder = process.env.THOUGHTBOOK_DATA, cache = cacheFolder(), signal } = options;
  const { file, url, sha256, rows } = await splitEntry(name, split);
  if (path !== undefined) {
    const given = resolveUserPath(path);
    if (await exists(given)) return { file: given, origin: "path", rows };
    throw new ThoughtbookError("not-found", `there is no file ${given}`, { hint: "Check the path." });
  }
  if (folder && (await exists(join(resolveUserPath(folder), file)))) {
    return { file: join(resolveUserPath(folder), file), origin: "folder", rows };
  }
  const cached = join(cache, "datasets", file);
  if (await exists(cached)) return { file: cached, origin: "cache", rows };

  const progress = startProgress(`${name} ${split}`, { unit: "bytes" });
  try {
    await download(url, cached, {
      sha256,
      signal,
      // Where there is no network, a notebook falls back to its sample: it should not wait for long.
      connectTimeoutMs: 5000,
      attempts: 3,
      onProgress: ({ receivedBytes, totalBytes }) =>
        progress.update(receivedBytes, totalBytes === undefined ? undefined : `of ${totalBytes}`),
    });
  } catch (error) {
    progress.fail("not downloaded");
    if (!(error instanceof ThoughtbookError) || error.code !== "network") throw error;
    throw new ThoughtbookError(
      "network",
      `${name} ${split} is not at hand and could not be downloaded: ${error.message}`,
      {
        hint:
          `With a network, run \`npx thoughtbook data download ${name} --split ${split}\`; ` +
          `or set THOUGHTBOOK_DATA to a folder that holds ${file}.`,
        cause: error,
      },
    );
  }
  progress.succeed(`→ ${cached}`);
  return { file: cached, origin: "download", rows };
}

async function splitEntry(name: string, split: string) {
  const table = await datasetTable();
  const dataset = table[name];
  if (!dataset) {
    throw new ThoughtbookError(
      "bad-input",
      `there is no data set "${name}"; known are ${Object.keys(table).join(", ")}`,
      {
        hint: "Run `npx thoughtbook data list`.",
      },
    );
  }
  const entry = dataset.splits[split];
  if (!entry) {
    const known = Object.keys(dataset.splits).join(", ");
    throw new ThoughtbookError("bad-input", `${name} has no split "${split}"; it has ${known}`, {
      hint: "Run `npx thoughtbook data list`.",
    });
  }
  return entry;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
