import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { badInput, dataFolder } from "../../core/index.js";

const tableSchema = z
  .strictObject({
    id: z.string(),
    /** Paper, version and table. */
    source: z.string(),
    model: z.string(),
    metric: z.string(),
    benchmarks: z.array(z.string()),
    /** A method and its values, one for each benchmark. */
    rows: z.array(z.tuple([z.string(), z.array(z.number())])),
  })
  .refine(({ benchmarks, rows }) => rows.every(([, values]) => values.length === benchmarks.length), {
    error: "a row has another number of values than there are benchmarks",
  });

const countsSchema = z
  .strictObject({ id: z.string(), source: z.string(), values: z.array(z.int()), counts: z.array(z.int()) })
  .refine(({ values, counts }) => values.length === counts.length, { error: "values and counts differ in length" });

const paperSchema = z.strictObject({
  title: z.string(),
  arxiv: z.string(),
  tables: z.array(tableSchema),
  counts: z.array(countsSchema),
});

/** A table of results as a paper prints it. */
export type PaperTable = z.infer<typeof tableSchema>;
/** A distribution of whole numbers as a paper shows it. */
export type PaperCounts = z.infer<typeof countsSchema>;
export type Paper = z.infer<typeof paperSchema>;

/** What a paper reports, from data/paper/NAME.json: the numbers that notebooks show beside their own. */
export async function loadPaper(name: "aot" | "dots"): Promise<Paper> {
  const file = join(dataFolder(), "paper", `${name}.json`);
  return paperSchema.parse(JSON.parse(await readFile(file, "utf8")));
}

/** @throws ThoughtbookError "bad-input" that names the ids there are. */
export function paperTable(paper: Paper, id: string): PaperTable {
  return byId(paper.tables, id, paper.title);
}

/** @throws ThoughtbookError "bad-input" that names the ids there are. */
export function paperCounts(paper: Paper, id: string): PaperCounts {
  return byId(paper.counts, id, paper.title);
}

function byId<T extends { id: string }>(entries: readonly T[], id: string, title: string): T {
  const found = entries.find((entry) => entry.id === id);
  if (found) return found;
  throw badInput(`"${title}" has no "${id}" here`, `Take one of ${entries.map((entry) => entry.id).join(", ")}.`);
}
