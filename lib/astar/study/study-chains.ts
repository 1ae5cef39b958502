import { join, resolve } from "node:path";
import { badInput, createRandom, resolveUserPath, strictJson } from "../../core/index.js";
import { createTask, loadTask, type Task } from "../../tasks/index.js";
import { type ChainRow, readChainRows } from "../chains/chain-rows.js";
import type { AstarStudy } from "./study-config.js";

/** The file of a study's chains: as it is named, or below the folder of data sets. */
export function chainsFile(file: string): string {
  const folder = process.env.THOUGHTBOOK_DATA;
  return folder === undefined || resolve(file) === file ? resolveUserPath(file) : join(resolveUserPath(folder), file);
}

export interface DrawOptions {
  count: number;
  seed: number;
  leastSteps: number;
  signal?: AbortSignal | undefined;
}

/**
 * Draw chains of a file, as JSON lines that `compress` reads, in the order of the file.
 *
 * @throws bad-input if it has fewer; as `readChainRows`
 */
export async function drawnChains(file: string, { count, seed, leastSteps, signal }: DrawOptions): Promise<string> {
  const rows: ChainRow[] = [];
  for await (const outcome of readChainRows(file, { signal })) {
    if (outcome.used && outcome.row.steps.length >= leastSteps) rows.push(outcome.row);
  }
  if (rows.length < count) {
    throw badInput(
      `${file} has ${rows.length} usable chains of ${leastSteps} steps or more, and the study takes ${count}`,
      "Lower count or leastSteps.",
    );
  }
  const drawn = new Set(
    createRandom(`chains/${seed}`)
      .shuffle([...rows.keys()])
      .slice(0, count),
  );
  return rows
    .filter((_, at) => drawn.has(at))
    .map(({ id, question, answer, thought, solution }) =>
      strictJson({
        id,
        question,
        ...(answer === undefined ? {} : { answer }),
        response: `${thought}\n</think>\n\n${solution}`,
      }),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * The problems on which the students of a study are measured. Of a data set those are drawn that have no chain in the file of the
 * study's chains, whether it was drawn or not: students must not be asked what anyone learned from.
 *
 * @throws bad-input if too few are left; as `loadTask`
 */
export async function studyTask({ chains, evaluation }: AstarStudy, signal?: AbortSignal): Promise<Task> {
  if (!evaluation) throw new TypeError("the study has no evaluation");
  const { problems: count, seed, split } = evaluation;
  if ("operations" in evaluation) {
    const name = `word-problems:${evaluation.operations.join("-")}`;
    return loadTask(name, { limit: count, split, seed, signal });
  }
  const task = await loadTask(evaluation.task, { split, signal });
  const [ids, questions] = "file" in chains ? await asked(chainsFile(chains.file), signal) : [new Set(), new Set()];
  const free = task.problems.filter(({ id, question }) => !ids.has(id) && !questions.has(plain(question)));
  if (free.length < count) {
    throw badInput(
      `${evaluation.task} has ${free.length} problems without a chain, and the study takes ${count}`,
      "Lower problems.",
    );
  }
  const drawn = new Set(
    createRandom(`problems/${seed}`)
      .shuffle([...free.keys()])
      .slice(0, count),
  );
  return createTask(
    task.name,
    free.filter((_, at) => drawn.has(at)),
    { ...task.settings, drawn: { seed, without: "problems with a chain" } },
  );
}

/** Ids and questions of all rows of a file of chains. */
async function asked(file: string, signal: AbortSignal | undefined): Promise<[Set<unknown>, Set<unknown>]> {
  const [ids, questions] = [new Set<unknown>(), new Set<unknown>()];
  for await (const outcome of readChainRows(file, { signal })) {
    if (!outcome.used) continue;
    ids.add(outcome.row.id);
    questions.add(plain(outcome.row.question));
  }
  return [ids, questions];
}

const plain = (question: string): string => question.replaceAll(/\s+/g, " ").trim();
