import type { Strategy } from "../rollouts/index.js";
import { cot, direct, solve, think } from "./answer-strategies.js";
import type { AnswerStrategyOptions } from "./frame.js";
import { program } from "./program.js";

/** The strategies by the names that `thoughtbook evaluate --strategy` takes. */
export const STRATEGIES = { direct, cot, think, solve, program } as const satisfies Record<
  string,
  (options?: AnswerStrategyOptions) => Strategy
>;
export type StrategyName = keyof typeof STRATEGIES;
