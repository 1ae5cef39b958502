import { assemble } from "./generate.js";
import type { ProceduralProblem } from "./problem.js";
import { problemSteps } from "./steps.js";

/**
 * Rewrite a problem as clearly as possible: the facts in the order in which a solution needs them, each given quantity
 * right before its first use, and no distractors. The steps and the answer are the same.
 */
export function tidyProblem(problem: ProceduralProblem): ProceduralProblem {
  const { quantities, asked, askedDirectly, id, difficulty } = problem;
  const order: number[] = [];
  for (const { quantity } of problemSteps(problem)) {
    for (const index of [...quantities[quantity]!.relation!.inputs, quantity]) {
      if (!order.includes(index) && !(askedDirectly && index === asked)) order.push(index);
    }
  }
  return assemble({
    ...problem,
    id: `${id}/tidy`,
    facts: order,
    opening: "",
    difficulty: { ...difficulty, distractors: 0 },
  });
}
