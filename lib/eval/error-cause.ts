import type { EvaluationRecord } from "./records.js";
import { statedEquations } from "./stated-equations.js";

/**
 * What is wrong with a chain of thought about whole quantities that ends at a wrong answer: `unfinished`, it has no final
 * answer; `arithmetic`, it states an equation that does not hold; `path`, all its equations hold and they are not those of
 * the problem, or the first that does not hold has a negative or broken value, and so is none of the problem's.
 */
export type ErrorCause = "unfinished" | "arithmetic" | "path";

/**
 * The cause of a wrong answer, from the text alone.
 *
 * @param finished whether the text has a final answer
 */
export function errorCause(completion: string, finished: boolean): ErrorCause {
  if (!finished) return "unfinished";
  for (const { holds, whole } of statedEquations(completion)) {
    if (!holds) return whole ? "arithmetic" : "path";
  }
  return "path";
}

/** Share of records that are wrong for each cause, by the strict policy; together the error rate. */
export function errorShares(records: readonly EvaluationRecord[]): Record<ErrorCause, number> {
  const shares = { unfinished: 0, arithmetic: 0, path: 0 };
  for (const { completion, correct, answer } of records) {
    if (!correct.strict) shares[errorCause(completion, answer !== undefined)] += 1 / records.length;
  }
  return shares;
}
