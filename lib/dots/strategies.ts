import type { Strategy } from "../rollouts/index.js";
import { type AnswerStrategyOptions, unframed } from "../strategies/index.js";
import { trajectoriesOf, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import { internalised } from "./internalised.js";
import { planned } from "./planner.js";
import { trajectoryStrategy } from "./trajectory-strategy.js";

const named: [string, (options?: AnswerStrategyOptions) => Strategy][] = trajectoriesOf(DOTS_SPACE).map(
  (trajectory) => [`dots:${trajectoryKey(trajectory)}`, unframed(() => trajectoryStrategy(trajectory))],
);

/**
 * The strategies by the names that `thoughtbook evaluate --strategy` takes: `dots`, where the model plans for itself and then takes the
 * actions one by one; `dots-internalised`, for a model that was trained to do both in one text; and the 12 trajectories, such as
 * `dots:plan+program`.
 */
export const DOTS_STRATEGIES: Readonly<Record<string, (options?: AnswerStrategyOptions) => Strategy>> = {
  dots: unframed(planned),
  "dots-internalised": unframed(internalised),
  ...Object.fromEntries(named),
};
