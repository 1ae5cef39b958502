import { join } from "node:path";
import { z } from "zod";
import { badInput, createRandom, dataFolder, readSettingsFile } from "../../core/index.js";
import { loadGsm8k, partOf, problemGraph, type WordProblem } from "../../data/index.js";
import type { OperationName } from "../all.js";
import { annotatedExample } from "../annotated/annotated-examples.js";
import type { OperationExample } from "../examples.js";

/** A worked example with the training row that it was made of. */
export interface Demonstration {
  /** "gsm8k/train/17". */
  id: string;
  question: string;
  example: OperationExample;
}

const schema = z.strictObject({
  about: z.string(),
  /** Rows of GSM8K's training split whose solutions show how to solve. */
  solutions: z.array(z.int().min(0)).min(1),
  /** Those whose steps also give sub-questions in words, with their dependencies. */
  graphs: z.array(z.int().min(0)).min(1),
});

const KIND = { what: "list of demonstrations", example: "data/operations/demonstrations.json" } as const;
/** Operations that need nothing of a solution but its steps. */
const FROM_SOLUTIONS: readonly OperationName[] = ["answer", "cot", "program", "verify", "judge", "revise"];
const DATASET = "gsm8k";
const SPLIT = "train";

const pools = new Map<string, Promise<readonly Demonstration[]>>();

/**
 * All demonstrations of an operation: made from the rows that `data/operations/demonstrations.json` names, read from GSM8K's
 * training split on this machine. The rows themselves are not in the repository.
 *
 * @throws network where GSM8K is not at hand and cannot be downloaded
 */
export function demonstrationPool(name: OperationName, signal?: AbortSignal): Promise<readonly Demonstration[]> {
  const known = pools.get(name);
  if (known) return known;
  const made = makePool(name, signal);
  pools.set(name, made);
  // A failed download may be tried again.
  made.catch(() => pools.delete(name));
  return made;
}

async function makePool(name: OperationName, signal: AbortSignal | undefined): Promise<readonly Demonstration[]> {
  const rows = await readSettingsFile(join(dataFolder(), "operations", "demonstrations.json"), schema, KIND);
  const wanted = FROM_SOLUTIONS.includes(name) ? rows.solutions : rows.graphs;
  const { problems } = await loadGsm8k(SPLIT, { signal });
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const random = createRandom("demonstrations");
  return wanted.flatMap((row) => demonstrationOf(name, byId.get(`${SPLIT}/${row}`), random) ?? []);
}

function demonstrationOf(
  name: OperationName,
  problem: WordProblem | undefined,
  random: ReturnType<typeof createRandom>,
): Demonstration | undefined {
  const example = problem && annotatedExample(name, problem, problemGraph(problem), random);
  return example && { id: `${DATASET}/${problem.id}`, question: problem.question, example };
}

/** What a model is to be asked: problems of a split of a data set, or of anything else. */
export interface Evaluated {
  problems: readonly { id: string; question: string }[];
  /** Settings of the task: name, split and part of a data set. */
  settings?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Make the check that no demonstration comes from what is evaluated: from the same split of the data set (unless only its part to
 * tune on is asked, from which no demonstration is made), or with the id or the question of one of its problems. It throws
 * bad-input that names the first such demonstration.
 */
export function unseenCheck({ problems, settings = {} }: Evaluated): (shown: readonly Demonstration[]) => void {
  const { name, split, part } = settings;
  const isSplit = name === DATASET && split === SPLIT && part !== "tune";
  const ids = new Set(problems.map(({ id }) => id));
  const questions = new Set(problems.map(({ question }) => wordsOf(question)));
  return (shown) => {
    const seen = shown.find(
      ({ id, question }) => isSplit || partOf(id) === "tune" || ids.has(id) || questions.has(wordsOf(question)),
    );
    if (!seen) return;
    throw badInput(
      `the demonstration ${seen.id} comes from what is evaluated`,
      `Evaluate another split than ${SPLIT} of ${DATASET} (or its part "tune"), or ask without demonstrations.`,
    );
  };
}

const wordsOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\d]+/gu, " ")
    .trim();
