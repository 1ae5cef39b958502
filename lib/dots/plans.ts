import type { EvaluationRecord } from "../eval/index.js";
import type { ActionSpace, Trajectory } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import { plannedTextOperation } from "./internalised-text.js";
import { planOperation } from "./planner.js";

/** The plan of an attempt; without a trajectory where it could not be read, and the fallback was taken. */
export interface PlanOfAttempt {
  problem: string;
  trajectory?: Trajectory;
}

/**
 * The plans in the records of an evaluation with a planner, external or internalised: what the first call of each attempt says, read again.
 * Records without a plan give none.
 */
export function plansIn(records: readonly EvaluationRecord[], space: ActionSpace = DOTS_SPACE): PlanOfAttempt[] {
  const byCall = { [planOperation(space).name]: planOperation(space), dots: plannedTextOperation(space) };
  return records.flatMap(({ problem, calls, completion }) => {
    const [first] = calls;
    const operation = first && byCall[first.operation];
    if (!operation) return [];
    const whole = first.finishReason === "stop";
    const read = operation.parse(first.text ?? completion, { question: "" }, whole);
    return [{ problem, ...(read.ok ? { trajectory: read.value.trajectory } : {}) }];
  });
}
