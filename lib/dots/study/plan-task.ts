import type { ProgressDisplay } from "../../core/index.js";
import type { LanguageModel } from "../../llm/index.js";
import { askedModel, runOperation, withUnseen } from "../../operations/index.js";
import type { Task } from "../../tasks/index.js";
import type { Trajectory } from "../actions.js";
import { planOperation } from "../planner.js";

/** The plan of a problem; without a trajectory where it could not be read. */
export interface PlannedProblem {
  problem: string;
  trajectory?: Trajectory;
  /** New tokens of the plan. */
  tokens: number;
}

/** Let a planner plan for all problems of a task, greedily. */
export async function planTask(
  given: LanguageModel,
  { problems }: Task,
  {
    batchSize,
    signal,
  }: { batchSize?: number | undefined; signal?: AbortSignal | undefined; display?: ProgressDisplay | undefined },
): Promise<PlannedProblem[]> {
  const model = withUnseen(await askedModel(given, { signal }), { problems });
  const inputs = problems.map(({ question }) => ({ question }));
  const outcomes = await runOperation(model, planOperation(), inputs, {
    ...{ attempts: 1, maxNewTokens: 256, batchSize, signal },
    seeds: problems.map(({ id }) => id),
  });
  return problems.map(({ id }, at) => {
    const [outcome] = outcomes[at]!;
    return {
      problem: id,
      ...(outcome!.ok ? { trajectory: outcome!.value.trajectory } : {}),
      tokens: outcome!.completionTokens,
    };
  });
}
