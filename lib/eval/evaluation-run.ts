import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileSystemError, openRun, type Run, ThoughtbookError } from "../core/index.js";
import { type EvaluationRecord, evaluationRecordSchema } from "./records.js";

export type EvaluationRun = Pick<Run<EvaluationRecord>, "done" | "records" | "append" | "close">;

/** The run in a folder, with what it has so far. Throws as `openRun`. */
export const openEvaluation = (
  folder: string,
  seed: number | string,
  config: Record<string, unknown>,
): Promise<EvaluationRun> =>
  openRun<EvaluationRecord>({ folder, config, seed, idOf: ({ id }) => id, schema: evaluationRecordSchema });

/** A run that keeps its records in memory only. */
export function memoryRun(): EvaluationRun {
  const records: EvaluationRecord[] = [];
  const done = new Set<string>();
  return {
    done,
    async *records() {
      yield* records;
    },
    async append(record) {
      done.add(record.id);
      records.push(record);
    },
    close: async () => {},
  };
}

/** The folder of what belongs to one of several budgets. */
export const budgetFolder = (folder: string, budget: number): string => join(folder, `budget-${budget}`);

const runSchema = z.looseObject({
  config: z.looseObject({ task: z.looseObject({}), budgets: z.array(z.int().positive()) }),
});

/**
 * Remove what an evaluation left in a folder, and nothing else; a folder without one stays as it is.
 *
 * @throws bad-input if the folder holds another kind of run, file-system
 */
export async function removeEvaluation(folder: string): Promise<void> {
  const runFile = join(folder, "run.json");
  let text: string;
  try {
    text = await readFile(runFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw fileSystemError(error, "read", runFile);
  }
  const { budgets } = readRun(text, folder);
  const results = budgets.flatMap((budget) => {
    const own = budgetFolder(folder, budget);
    return [join(own, "results.json"), join(own, "summary.json")];
  });
  const files = [...results, ...["results.json", "summary.json", "records.jsonl"].map((name) => join(folder, name))];
  // The settings last: a process that is killed here leaves no records without them.
  for (const file of [...files, runFile]) {
    await rm(file, { force: true }).catch((error: unknown) => {
      throw fileSystemError(error, "remove", file);
    });
  }
}

function readRun(text: string, folder: string): { budgets: number[] } {
  try {
    return runSchema.parse(JSON.parse(text)).config;
  } catch (cause) {
    throw new ThoughtbookError(
      "bad-input",
      `${folder} holds another run than an evaluation, which is not overwritten`,
      {
        hint: "Choose another folder.",
        cause,
      },
    );
  }
}

/** Under another name first, so that a killed process leaves the old file whole. */
export async function replaceFile(file: string, content: string): Promise<void> {
  try {
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  } catch (error) {
    throw fileSystemError(error, "write", file);
  }
}
