import type { EvaluationRecord } from "./records.js";
import { statedEquations } from "./stated-equations.js";

/**
 * Cause of a wrong answer of a chain of thought about whole quantities: `unfinished`, it has no final answer;
 * `arithmetic`, it states an equation that does not hold; `path`, all its equations hold but are not those of the
 * problem, or the first that does not hold has a negative or fractional value, which no quantity of the problem has.
 */
export type ErrorCause = "unfinished" | "arithmetic" | "path";

/**
 * Classify a wrong answer, from the text alone.
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

/** Share of records that are wrong for each cause, under the strict policy; together the error rate. */
export function errorShares(records: readonly EvaluationRecord[]): Record<ErrorCause, number> {
  const shares = { unfinished: 0, arithmetic: 0, path: 0 };
  for (const { completion, correct, answer } of records) {
    if (!correct.strict) shares[errorCause(completion, answer !== undefined)] += 1 / records.length;
  }
  return shares;
}
