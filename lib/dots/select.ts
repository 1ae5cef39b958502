import { createRandom } from "../core/index.js";
import { actionImportance } from "../search/index.js";
import { type ActionSpace, type Trajectory, trajectoryIn, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import type { SearchedQuestion, SearchSample } from "./search-results.js";

/**
 * Which trajectory of a question is learned:
 * - best: the one that the search found best
 * - importance: composed of the actions that matter, as the released code does (it keeps no optimal trajectory)
 * - random: any of those that solved the question at least once, drawn by seed: the ablation without search
 */
export const SELECTIONS = ["best", "importance", "random"] as const;
export type Selection = (typeof SELECTIONS)[number] | { trajectory: Trajectory };

/** A question with the trajectory to learn, and an attempt along it that was right. */
export interface SelectedQuestion {
  question: SearchedQuestion;
  trajectory: Trajectory;
  /** Actions to explain: those of the trajectory; by importance, the important ones, which may be others. */
  actions: readonly string[];
  sample: SearchSample;
}

/**
 * Select what is learned of each question; those that the search dropped, and those without a right attempt along the selected
 * trajectory, are left out.
 */
export function selectTrajectories(
  questions: readonly SearchedQuestion[],
  selection: Selection = "best",
  { seed = 0, space = DOTS_SPACE }: { seed?: number | string; space?: ActionSpace } = {},
): SelectedQuestion[] {
  return questions.flatMap((question) => {
    if (question.dropped && typeof selection === "string") return [];
    const chosen = chosenFor(question, selection, seed, space);
    if (!chosen) return [];
    const key = trajectoryKey(chosen.trajectory);
    const right = question.samples.filter((each) => each.right && trajectoryKey(each.trajectory) === key);
    // The released code takes the last one; a search of ours the shortest, which says most in the fewest tokens.
    const sample = selection === "importance" ? right.at(-1) : [...right].sort((a, b) => a.tokens - b.tokens)[0];
    return sample ? [{ question, ...chosen, sample }] : [];
  });
}

function chosenFor(
  question: SearchedQuestion,
  selection: Selection,
  seed: number | string,
  space: ActionSpace,
): Pick<SelectedQuestion, "trajectory" | "actions"> | undefined {
  if (typeof selection === "object") return { trajectory: selection.trajectory, actions: selection.trajectory };
  if (selection === "importance") return importantFor(question, space);
  if (selection === "best") return question.best && { trajectory: question.best, actions: question.best };
  const solving = question.trajectories.filter(({ rate }) => rate > 0);
  if (solving.length === 0) return undefined;
  const { trajectory } = createRandom(`${seed}/${question.id}`).choice(solving);
  return { trajectory, actions: trajectory };
}

/**
 * The released code's choice: planning if it is important, else rewriting if that is; a program if important, else words; a check if
 * important. Nothing where no action is.
 */
function importantFor(
  { samples }: SearchedQuestion,
  space: ActionSpace,
): Pick<SelectedQuestion, "trajectory" | "actions"> | undefined {
  const counted = samples.map(({ trajectory, right }) => ({ actions: trajectory, score: Number(right) }));
  const found = actionImportance(
    space.actions.map(({ name }) => name),
    counted,
  );
  const actions = found.filter(({ important }) => important).map(({ action }) => action);
  return actions.length === 0 ? undefined : { trajectory: trajectoryIn(space, actions), actions };
}
