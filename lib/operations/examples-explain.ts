import type { ProceduralProblem } from "../data/index.js";
import type { Trajectory } from "./actions.js";
import type { Explanation } from "./explain.js";

/** Number of steps from which on a plan, and a check, are worth their tokens. */
const STEPS_TO_PLAN = 3;
const STEPS_TO_VERIFY = 4;
/** From this number on, arithmetic is left to a program. */
const LARGE_NUMBER = 100;

interface Features {
  steps: number;
  distractors: boolean;
  /** Whether the question states a large number. */
  large: boolean;
}

const featuresOf = ({ difficulty, question }: ProceduralProblem): Features => ({
  steps: difficulty.operations,
  distractors: difficulty.distractors > 0,
  large: statesLarge(question),
});

const statesLarge = (question: string): boolean =>
  Array.from(question.matchAll(/\d+/g), Number).some((number) => number >= LARGE_NUMBER);

/**
 * The actions that fit a problem by a fixed rule, in place of measured ones: rewrite where there are facts to leave out,
 * else plan from 3 steps on; a program where the question states a number from 100 on, else words; and these are checked
 * from 4 steps on.
 */
export const ruleTrajectory = (problem: ProceduralProblem): Trajectory => trajectoryFor(featuresOf(problem));

function trajectoryFor({ steps, distractors, large }: Features): Trajectory {
  return {
    analysis: distractors ? "rewrite" : steps >= STEPS_TO_PLAN ? "plan" : "none",
    solution: large ? "program" : "cot",
    verification: !large && steps >= STEPS_TO_VERIFY ? "verify" : "none",
  };
}

/**
 * Explain why the actions of a trajectory fit a problem. Pass the trajectory that a search found best; the default is
 * that of the rule.
 */
export function explainActions(
  problem: ProceduralProblem,
  trajectory: Trajectory = ruleTrajectory(problem),
): Explanation {
  return explained(featuresOf(problem), trajectory);
}

/** As {@link explainActions}, for any question of which the number of steps is known. */
export function explainSteps(
  { question, ...known }: { question: string; steps: number; distractors: boolean },
  trajectory?: Trajectory,
): Explanation {
  const features = { ...known, large: statesLarge(question) };
  return explained(features, trajectory ?? trajectoryFor(features));
}

function explained(features: Features, trajectory: Trajectory): Explanation {
  const reasons = [
    ANALYSIS[trajectory.analysis](features),
    SOLUTION[trajectory.solution](features),
    VERIFICATION[trajectory.verification](features, trajectory),
  ];
  return { explanation: reasons.join(" "), trajectory };
}

const ANALYSIS: Record<Trajectory["analysis"], (features: Features) => string> = {
  rewrite: ({ distractors }) =>
    distractors
      ? "Some facts are not needed, so I rewrite the question first."
      : "To put the facts in order I rewrite the question first.",
  plan: ({ steps }) =>
    steps >= STEPS_TO_PLAN
      ? `It takes ${steps} steps, so I plan them first.`
      : "To take the steps in order I plan them first.",
  none: ({ steps }) =>
    steps >= STEPS_TO_PLAN
      ? "The question can be solved as it is."
      : `It takes only ${steps} ${steps === 1 ? "step" : "steps"}.`,
};

const SOLUTION: Record<Trajectory["solution"], (features: Features) => string> = {
  cot: ({ large }) =>
    large ? "Words are enough for these numbers." : "The numbers are small, so I solve it in words.",
  program: ({ large }) =>
    large ? "The numbers are large, so I use a program." : "To make no slip in the arithmetic I use a program.",
};

const VERIFICATION: Record<Trajectory["verification"], (features: Features, trajectory: Trajectory) => string> = {
  verify: ({ steps }) =>
    steps >= STEPS_TO_VERIFY
      ? "With many steps a slip is likely, so I check the solution."
      : "To be sure I check the solution.",
  none: ({ steps }, { solution }) =>
    solution === "program"
      ? "A program makes no slip to check for."
      : steps >= STEPS_TO_VERIFY
        ? "I need no check."
        : "With few steps I need no check.",
};
