import { spec } from "../../tensor/index.js";
import type { Objective } from "./objective.js";
import { BATCH_SPEC } from "./sft.js";
import { tokenScores } from "./token-scores.js";

/** A packed batch with a weight for each counted token, `[counted]`; 0 in the padding. */
export const WEIGHTED_SPEC = { ...BATCH_SPEC, weights: spec([null]) };

/**
 * Reward-weighted behaviour cloning: the mean negative log-probability of the counted tokens, weighted by what their text
 * is worth. With equal weights it is `sft`; with weights 0 and 1, rejection sampling.
 */
export const rewardWeighted = (): Objective<typeof WEIGHTED_SPEC> => ({
  name: "reward-weighted",
  spec: WEIGHTED_SPEC,
  loss(models, batch) {
    const { logProbs, mask } = tokenScores(models, batch);
    const total = batch.weights.mul(mask).sum();
    return { loss: logProbs.mul(batch.weights).sum().neg().div(total.maximum(1e-12)), weight: total };
  },
});
