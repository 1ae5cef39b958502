import type { Answer, Context, Strategy } from "../rollouts/index.js";
import { type ActionSpace, actionsOf, type SolveState, type Trajectory, type Turn, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";

/** What an attempt along a trajectory did, as plain data. */
export interface TrajectoryTrace {
  trajectory: Trajectory;
  turns: readonly Turn[];
}

/** Take the actions of a trajectory one after the other, within an attempt at its problem. */
export async function followTrajectory(
  context: Context,
  space: ActionSpace,
  trajectory: Trajectory,
): Promise<Answer & { trace: TrajectoryTrace }> {
  let state: SolveState = { question: context.problem.question, turns: [] };
  for (const action of actionsOf(space, trajectory)) state = await action.act(state, context);
  const { answer = { text: "" }, turns } = state;
  return { ...answer, trace: { trajectory, turns } };
}

/**
 * Answer along one trajectory of reasoning actions, the same for all problems. Its trace is a {@link TrajectoryTrace}.
 *
 * @throws bad-input for an action that the space does not have
 *
 * @example
 * ```ts
 * import { trajectoryStrategy } from "thoughtbook/dots";
 * import { evaluate } from "thoughtbook/eval";
 * import { loadModel } from "thoughtbook/llm";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const task = await loadTask("word-problems:2", { limit: 4 });
 * const { summary } = await evaluate(trajectoryStrategy(["plan", "program"]), task, { model: await loadModel("mini") });
 * console.log(summary.strategy); // dots:plan+program
 * ```
 */
export function trajectoryStrategy(trajectory: Trajectory, space: ActionSpace = DOTS_SPACE): Strategy {
  actionsOf(space, trajectory);
  return {
    name: `dots:${trajectoryKey(trajectory)}`,
    attempt: (_, context) => followTrajectory(context, space, trajectory),
  };
}
