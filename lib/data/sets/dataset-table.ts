import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { dataFolder, didYouMean, ThoughtbookError } from "../../core/index.js";
import { recordKindSchema } from "./records.js";

const splitSchema = z.strictObject({
  /** Path of the split below THOUGHTBOOK_DATA and below the cache. */
  file: z.string(),
  /** URL of its public file; a split without one must be present on disk. */
  url: z.url().optional(),
  /** Where the public file is stored if its format differs from that of `file`. */
  downloadAs: z.string().optional(),
  /** The file within the public file, where that is a zip archive. */
  member: z.string().optional(),
  sha256: z.string().length(64).optional(),
  rows: z.int().positive().optional(),
});
const datasetSchema = z.strictObject({
  title: z.string(),
  /** Kinds of its records. */
  kinds: z.array(recordKindSchema).min(1),
  home: z.url(),
  paper: z.string(),
  licence: z.string(),
  /** Layout of the public file, where it needs to be stated. */
  layout: z.string().optional(),
  splits: z.record(z.string(), splitSchema),
});
const tableSchema = z.record(z.string(), datasetSchema);

export type SplitEntry = z.infer<typeof splitSchema>;
export type DatasetEntry = z.infer<typeof datasetSchema>;
export type DatasetTable = z.infer<typeof tableSchema>;

// Read once: every access to a split needs it.
let table: Promise<DatasetTable> | undefined;

const LIST_HINT = "Run `npx thoughtbook data list`.";

/** Public sources, licences, layouts and checksums of the data sets, from data/datasets.json. */
export function datasetTable(): Promise<DatasetTable> {
  table ??= readTable();
  return table;
}

async function readTable(): Promise<DatasetTable> {
  return tableSchema.parse(JSON.parse(await readFile(join(dataFolder(), "datasets.json"), "utf8")));
}

/**
 * Entry of a data set in the table.
 * @throws ThoughtbookError "bad-input" for an unknown name.
 */
export async function datasetEntry(name: string): Promise<DatasetEntry> {
  const datasets = await datasetTable();
  if (Object.hasOwn(datasets, name)) return datasets[name]!;
  const known = Object.keys(datasets);
  throw new ThoughtbookError("bad-input", `there is no data set "${name}"; known are ${known.join(", ")}`, {
    hint: `${didYouMean(name, known)}${LIST_HINT}`,
  });
}

/**
 * Entry of a split in the table.
 * @throws ThoughtbookError "bad-input" for an unknown name or split.
 */
export async function splitEntry(name: string, split: string): Promise<SplitEntry> {
  const { splits } = await datasetEntry(name);
  if (Object.hasOwn(splits, split)) return splits[split]!;
  const known = Object.keys(splits);
  throw new ThoughtbookError("bad-input", `${name} has no split "${split}"; it has ${known.join(", ")}`, {
    hint: `${didYouMean(split, known)}${LIST_HINT}`,
  });
}

/**
 * The default split: "test", else "validation", else the only one.
 * @throws ThoughtbookError "bad-input" for an unknown name, or for a data set with several equivalent splits.
 */
export async function defaultSplit(name: string): Promise<string> {
  const splits = Object.keys((await datasetEntry(name)).splits);
  const split = ["test", "validation"].find((each) => splits.includes(each)) ?? (splits.length === 1 ? splits[0] : "");
  if (split) return split;
  throw new ThoughtbookError("bad-input", `${name} needs a split; it has ${splits.join(", ")}`, {
    hint: "Name one of them.",
  });
}
