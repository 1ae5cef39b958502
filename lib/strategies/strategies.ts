import { badInput } from "../core/index.js";
import type { Strategy } from "../rollouts/index.js";
import { analogical } from "./analogical.js";
import { cot, direct, solve, think } from "./answer-strategies.js";
import type { AnswerStrategyOptions } from "./frame.js";
import { leastToMost } from "./least-to-most.js";
import { program } from "./program.js";
import { selfConsistency } from "./self-consistency.js";
import { selfRefine } from "./self-refine.js";
import { forestOfThoughts, treeOfThoughts } from "./tree-of-thoughts.js";

/**
 * A strategy of several operations by its name: texts around a question belong to one operation.
 *
 * @throws bad-input for a system prompt or a prefill
 */
export const unframed =
  (create: () => Strategy) =>
  ({ systemPrompt, assistantPrefill }: AnswerStrategyOptions = {}): Strategy => {
    const strategy = create();
    const given = systemPrompt === undefined ? (assistantPrefill === undefined ? "" : "a prefill") : "a system prompt";
    if (given === "") return strategy;
    throw badInput(
      `the strategy ${strategy.name} asks several operations, and ${given} is for one`,
      "Leave it out, or choose direct, cot, think, solve or program.",
    );
  };

/** The strategies by the names that `thoughtbook evaluate --strategy` takes. */
export const STRATEGIES = {
  direct,
  cot,
  think,
  solve,
  program,
  "cot-sc": unframed(selfConsistency),
  "self-refine": unframed(selfRefine),
  "least-to-most": unframed(leastToMost),
  analogical: unframed(analogical),
  "tree-of-thoughts": unframed(treeOfThoughts),
  "forest-of-thoughts": unframed(forestOfThoughts),
} as const satisfies Record<string, (options?: AnswerStrategyOptions) => Strategy>;
export type StrategyName = keyof typeof STRATEGIES;
