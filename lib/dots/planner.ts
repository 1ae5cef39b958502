import type { LanguageModel } from "../llm/index.js";
import {
  defineOperation,
  type NamedActions,
  OPERATIONS,
  type Operation,
  type QuestionInput,
  readActions,
} from "../operations/index.js";
import { ask, type Strategy } from "../rollouts/index.js";
import { type ActionSpace, actionIn, actionsOf, type Trajectory, trajectoryIn, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import { followTrajectory } from "./trajectory-strategy.js";

/** Why some actions fit a question, and which. */
export interface Plan {
  explanation: string;
  trajectory: Trajectory;
}

/**
 * The operation of a planner: explain which actions of a space fit a question, then name them. Of DOTS's own actions it is the operation
 * `explain`, which models trained on operations know by its tag; with other actions the instruction tells of those.
 */
export function planOperation(space: ActionSpace = DOTS_SPACE): Operation<QuestionInput, Plan> {
  const { name, instruction, render } = OPERATIONS.explain;
  return defineOperation<QuestionInput, Plan>({
    name,
    instruction: space === DOTS_SPACE ? instruction : instructionFor(space),
    render,
    write: ({ explanation, trajectory }) =>
      `${explanation === "" ? "" : `${explanation}\n`}Actions: ${trajectory.join(", ")}`,
    read(text, _, complete) {
      const read = readActions(text, complete, (said) => actionIn(space, said));
      return read.ok ? { ok: true, value: planOf(space, read.value) } : read;
    },
  });
}

export const planOf = (space: ActionSpace, { explanation, actions }: NamedActions<string>): Plan => ({
  explanation,
  trajectory: trajectoryIn(space, actions),
});

function instructionFor({ layers, actions }: ActionSpace): string {
  const lines = layers.map(({ name, required }) => {
    const own = actions.filter(({ layer }) => layer === name);
    const choices = own.map((action) => `${action.name}: ${action.about}`).join("; or ");
    return `- ${choices}${required ? "" : "; or not"}`;
  });
  return `Decide how to solve the question; do not solve it. The actions are:
${lines.join("\n")}
Say in a few sentences which actions fit this question and why. Then end with one line: "Actions:" and their names in order (for example "Actions: ${actions
    .map(({ name }) => name)
    .slice(0, 2)
    .join(", ")}").`;
}

export interface PlannedOptions {
  /** The model that plans. Default: the one that solves. */
  planner?: LanguageModel | undefined;
  /** Trajectory where a plan cannot be read: the best that is the same for all questions. Default: ["cot"]. */
  fallback?: Trajectory | undefined;
  space?: ActionSpace | undefined;
  /** Most new tokens of a plan. Default: 256. */
  planTokens?: number | undefined;
}

/** What an attempt with a planner did. */
export interface PlannedTrace {
  trajectory: Trajectory;
  /** "read" where the planner chose it, "fallback" where its text named no action. */
  plan: "read" | "fallback";
  explanation: string;
}

const PLAN_TOKENS = 256;

/**
 * DOTS with an external planner (arXiv 2410.03864, §3.2): the planner chooses actions for the question, the solver takes them. The plan is
 * greedy. All actions can be chosen; a plan that cannot be read is replaced by the fallback, and the trace says so.
 */
export function planned(options: PlannedOptions = {}): Strategy {
  const { planner, fallback = ["cot"], space = DOTS_SPACE, planTokens = PLAN_TOKENS } = options;
  actionsOf(space, fallback);
  const operation = planOperation(space);
  return {
    name: "dots",
    settings: { fallback: trajectoryKey(fallback), ...(planner ? { planner: planner.name } : {}) },
    async attempt({ question }, context) {
      const asking = planner ? await context.with(planner) : context;
      const plan = await ask(
        asking,
        operation,
        { question },
        { attempts: 1, temperature: 0, maxNewTokens: planTokens },
      );
      const trajectory = plan.ok ? plan.value.trajectory : fallback;
      const { trace, ...answer } = await followTrajectory(context, space, trajectory);
      const chosen: PlannedTrace = {
        trajectory,
        plan: plan.ok ? "read" : "fallback",
        explanation: plan.ok ? plan.value.explanation : "",
      };
      return { ...answer, trace: { ...trace, ...chosen } };
    },
  };
}
