import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileSystemError, openRun, type Run, readIfThere, ThoughtbookError } from "../core/index.js";
import { UNNAMED_PATH } from "../llm/index.js";
import { hashProblems, type Problem } from "../tasks/index.js";
import { type EvaluationRecord, evaluationRecordSchema } from "./records.js";

export type EvaluationRun = Pick<Run<EvaluationRecord>, "done" | "records" | "append" | "close">;

/** Settings of an evaluation that concern its size. */
const sizeSchema = z.looseObject({
  problems: z.int().positive().optional(),
  task: z.looseObject({ problems: z.string() }),
});

/**
 * Open the run in a folder, with its records so far. It may cover only the first of these problems, or more than these.
 * Throws what `openRun` throws.
 */
export const openEvaluation = (
  folder: string,
  seed: number | string,
  config: Record<string, unknown>,
  problems: readonly Problem[],
): Promise<EvaluationRun> =>
  openRun<EvaluationRecord>({
    folder,
    config,
    seed,
    unnamed: UNNAMED_PATH,
    idOf: ({ id }) => id,
    schema: evaluationRecordSchema,
    resized(earlier) {
      const parsed = sizeSchema.safeParse(earlier);
      if (!parsed.success) return undefined;
      const { problems: count, task } = parsed.data;
      const now = sizeSchema.parse(config);
      // Before the number of problems was stored, only the same problems were the same run.
      if (count === undefined)
        return { config: { ...config, problems: undefined }, grows: task.problems === now.task.problems };
      if (count === problems.length) return undefined;
      const grows = count < problems.length;
      const hash = grows ? hashProblems(problems.slice(0, count)) : task.problems;
      return { config: { ...config, problems: count, task: { ...now.task, problems: hash } }, grows };
    },
  });

/** Folder of the files of one of several budgets. */
export const budgetFolder = (folder: string, budget: number): string => join(folder, `budget-${budget}`);

const runSchema = z.looseObject({
  config: z.looseObject({ task: z.looseObject({}), budgets: z.array(z.int().positive()) }),
});

/**
 * Remove the files of an evaluation from a folder, and nothing else; a folder without one is left alone.
 *
 * @throws bad-input if the folder holds another kind of run, file-system
 */
export async function removeEvaluation(folder: string): Promise<void> {
  const text = await readIfThere(join(folder, "run.json"));
  if (text === undefined) return;
  const { budgets } = readRun(text, folder);
  const remove = (file: string) =>
    rm(file, { force: true }).catch((error: unknown) => {
      throw fileSystemError(error, "remove", file);
    });
  for (const own of budgets.map((budget) => budgetFolder(folder, budget))) {
    for (const name of ["results.json", "summary.json"]) await remove(join(own, name));
    await rmdir(own).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" && error.code !== "ENOTEMPTY") throw fileSystemError(error, "remove", own);
    });
  }
  // The settings last: a process killed here leaves no records without them.
  for (const name of ["results.json", "summary.json", "records.jsonl", "run.json"]) await remove(join(folder, name));
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
