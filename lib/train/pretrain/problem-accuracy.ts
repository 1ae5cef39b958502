import { grade } from "../../answer/index.js";
import { generateWordProblem, type Split } from "../../data/index.js";
import type { LanguageModel } from "../../llm/index.js";
import { OPERATIONS, runOperation } from "../../operations/index.js";

export interface ProblemAccuracyOptions {
  /** Numbers of operations. */
  operations: readonly number[];
  /** Problems for each of them. */
  problems: number;
  split: Split;
  seed: number | string;
  distractors?: number | undefined;
  maxNewTokens: number;
  signal?: AbortSignal | undefined;
}

/**
 * Share of word problems that a model solves step by step, greedily, for each number of operations.
 *
 * @throws like `runOperation`
 */
export async function problemAccuracy(
  model: LanguageModel,
  { operations, problems, split, seed, distractors = 0, maxNewTokens, signal }: ProblemAccuracyOptions,
): Promise<Map<number, number>> {
  const all = operations.flatMap((count) =>
    Array.from({ length: problems }, (_, index) =>
      generateWordProblem({ seed, index, operations: count, distractors, split }),
    ),
  );
  const inputs = all.map(({ question }) => ({ question }));
  const outcomes = await runOperation(model, OPERATIONS.cot, inputs, { maxNewTokens, attempts: 1, signal });
  const right = outcomes.map(
    ([outcome], i) =>
      outcome!.ok && grade({ completion: outcome!.text, reference: String(all[i]!.answer), policy: "strict" }).correct,
  );
  return new Map(
    operations.map((count, i) => [
      count,
      right.slice(i * problems, (i + 1) * problems).filter(Boolean).length / problems,
    ]),
  );
}
