import { type LanguageModel, requireCapability } from "../../llm/index.js";
import { OPERATIONS, operationPrompt } from "../../operations/index.js";
import { openPathCosts } from "../paths/path-cost.js";
import { THINK_TAGS } from "../paths/path-parts.js";
import { allSteps } from "../paths/step-set.js";
import type { Importance } from "./formulas.js";
import type { Chain } from "./importance.js";

export interface DropImportance extends Importance {
  /** Paths scored: the whole chain, and one without each step. */
  scored: number;
  /** Paths that do not fit into the model's context; where the whole chain does not, all importance is 0. */
  tooLong: number;
}

/**
 * Importance of a step as the drop of the solution's log-probability when the step is left out: the mean of −log p over
 * the solution's tokens after question and thought without the step, minus the same with it; in nats per token, negative
 * where the solution is more probable without it. A chain of n steps takes n + 1 texts as long as itself.
 *
 * @throws bad-input for a model without `score`; as its `score`
 */
export async function dropImportance(
  model: LanguageModel,
  { question, steps, solution }: Chain,
  signal?: AbortSignal,
): Promise<DropImportance> {
  requireCapability(model, "score", "the signal drop");
  const prompt = operationPrompt(model, OPERATIONS.think, { question });
  const costs = await openPathCosts(model, { prompt, steps, solution }, { tags: THINK_TAGS, signal });
  const all = allSteps(steps.length);
  const [whole, ...without] = await costs.of([all, ...all.map((left) => all.filter((step) => step !== left))], {
    signal,
  });
  const scores = without.map(({ h }) => (Number.isFinite(h) && Number.isFinite(whole!.h) ? h - whole!.h : 0));
  const order = [...all].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const { scored, tooLong } = costs;
  return { scores, question: [...scores], solution: [...scores], order, scored, tooLong };
}
