import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { dataFolder, fileSystemError, ThoughtbookError } from "../../core/index.js";

const count = z.coerce.number().int().positive();
const percent = z.coerce.number().min(0).max(100);
const positive = z.coerce.number().positive();

const tableRow = {
  /** Number of the paper's table. */
  table: z.string().regex(/^\d$/),
  /** The base model. */
  model: z.string().min(1),
};
const method = {
  /** Name of the row as printed. */
  row: z.string().min(1),
  /** Method of the row, by one name for all tables and base models: our name for the same method. */
  method: z.string().min(1),
};

const resultSchema = z.strictObject({
  ...tableRow,
  /** Maximum tokens of an answer. */
  budget: count,
  ...method,
  /** A benchmark, or "average" for the mean of the table's benchmarks as printed. */
  benchmark: z.string().min(1),
  /** In percent. */
  accuracy: percent,
  /** Mean length of an answer in tokens. */
  length: positive,
  /** Accuracy per computation unit as printed: 100 · accuracy / length; of averages only. */
  acu: z.preprocess((text) => (text === "" ? null : text), positive.nullable()),
});
const trainingSchema = z.strictObject({
  ...tableRow,
  ...method,
  /** Share of tokens that the compressed chains keep, in percent. */
  kept_share: percent,
  /** Training hours of the fine-tuning. */
  seconds: positive,
});
const passSchema = z.strictObject({
  ...tableRow,
  budget: count,
  ...method,
  benchmark: z.string().min(1),
  k: count,
  /** pass@k of 8 samples, in percent. */
  pass: percent,
});

/** A method's accuracy and length on a benchmark, or on the average of a table's benchmarks. */
export type AstarPaperResult = z.infer<typeof resultSchema>;
/** Cost of training on a method's chains. */
export type AstarPaperTraining = z.infer<typeof trainingSchema>;
export type AstarPaperPass = z.infer<typeof passSchema>;

/** Results printed in the A*-Thought paper (arXiv 2505.24550), row by row; single runs, without intervals. */
export interface AstarPaper {
  /** Tables 1, 6, 7 and 8 (four mathematical benchmarks), 3 (kmin), 2 (out of domain), and 9 (β). */
  results: AstarPaperResult[];
  /** Table 4. */
  training: AstarPaperTraining[];
  /** Table 5. */
  passAtK: AstarPaperPass[];
}

/**
 * The tables of the A*-Thought paper, from `data/paper/astar-thought*.csv`.
 * @throws corrupt-data if a row is not as it should be, not-found or file-system if a file cannot be read
 */
export async function loadAstarPaper(): Promise<AstarPaper> {
  const [results, training, passAtK] = await Promise.all([
    readTable("astar-thought.csv", resultSchema),
    readTable("astar-thought-training.csv", trainingSchema),
    readTable("astar-thought-pass-at-k.csv", passSchema),
  ]);
  return { results, training, passAtK };
}

async function readTable<Schema extends z.ZodType>(name: string, schema: Schema): Promise<z.infer<Schema>[]> {
  const file = join(dataFolder(), "paper", name);
  const text = await readFile(file, "utf8").catch((error) => {
    throw fileSystemError(error, "read", file);
  });
  const rows = z.array(schema).safeParse(parse(text, { columns: true }));
  if (rows.success) return rows.data;
  const [issue] = rows.error.issues;
  const line = typeof issue!.path[0] === "number" ? `, line ${issue!.path[0] + 2}` : "";
  throw new ThoughtbookError("corrupt-data", `${file}${line}: ${issue!.path.slice(1).join(".")} ${issue!.message}`, {
    hint: "Restore the file from the repository.",
  });
}
