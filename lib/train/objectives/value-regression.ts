import type { Objective } from "./objective.js";
import { valueHead, valuesOf } from "./ppo.js";
import { WEIGHTED_SPEC } from "./reward-weighted.js";
import { maskedMean, tokenScores } from "./token-scores.js";

/**
 * Fit the value head of `ppo` by itself: the mean square of value − target over the counted tokens, where the `weights` of a text's
 * tokens are its target, such as the reward that the text ended with. Train it as `extra`, beside a frozen model.
 */
export const valueRegression = (): Objective<typeof WEIGHTED_SPEC> => ({
  name: "value-regression",
  spec: WEIGHTED_SPEC,
  extra: valueHead,
  loss(models, batch) {
    const { hidden, mask } = tokenScores(models, batch);
    const errors = valuesOf(models.extra, hidden).sub(batch.weights).square();
    return { loss: maskedMean(errors, mask), weight: mask.sum() };
  },
});
