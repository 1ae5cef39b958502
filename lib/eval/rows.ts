import { POLICIES } from "../answer/index.js";
import type { EvaluationSummary } from "./evaluate.js";
import type { Measures } from "./summary.js";

/** One point of a figure, or one line of a table: a policy's accuracy under a budget. Shares are in percent. */
export interface EvaluationRow {
  model: string;
  task: string;
  strategy: string;
  budget: number;
  /** Number of operations of the problems; null for all problems together. */
  operations: number | null;
  policy: string;
  problems: number;
  samples: number;
  accuracy: number;
  low: number;
  high: number;
  finishRate: number;
  length: number | null;
  acu: number | null;
  acuByParameters: number | null;
  /** pass@n; with one sample the accuracy. */
  pass: number;
  /** Majority accuracy under the strict policy, with several samples. */
  majority: number | null;
  calls: number;
  promptTokens: number;
  completionTokens: number;
}

/** A summary as rows for figures and CSV files: for each budget and policy all problems, then each number of operations. */
export function evaluationRows({ model, task, strategy, budgets }: EvaluationSummary): EvaluationRow[] {
  return budgets.flatMap(({ budget, byOperations = [], ...all }) =>
    [{ operations: null, ...all }, ...byOperations].flatMap(({ operations, ...measures }) =>
      rowsOf(measures).map((row) => ({ model, task, strategy, budget, operations, ...row })),
    ),
  );
}

type Measured = Omit<EvaluationRow, "model" | "task" | "strategy" | "budget" | "operations">;

function rowsOf(measures: Measures): Measured[] {
  const { problems, samples, calls, promptTokens, completionTokens, majority } = measures;
  return POLICIES.flatMap((policy) => {
    const accuracy = measures.accuracy[policy];
    if (!accuracy) return [];
    const [low, high] = accuracy.interval!;
    return {
      policy,
      problems,
      samples,
      accuracy: 100 * accuracy.value,
      low: 100 * low,
      high: 100 * high,
      finishRate: 100 * measures.finishRate.value,
      length: measures.length?.value ?? null,
      acu: measures.acu[policy] ?? null,
      acuByParameters: measures.acuByParameters?.[policy] ?? null,
      pass: 100 * (measures.passAtK?.at(-1)?.[policy] ?? accuracy.value),
      majority: policy === "strict" && majority ? 100 * majority.value : null,
      calls,
      promptTokens,
      completionTokens,
    };
  });
}
