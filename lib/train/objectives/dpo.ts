import tf = require("@tensorflow/tfjs");

import { spec, type Traced } from "../../tensor/index.js";
import { checkRange } from "./grpo.js";
import type { Objective } from "./objective.js";
import { BATCH_SPEC } from "./sft.js";
import { sumsByText, tokenScores } from "./token-scores.js";

/** Batches of pairs: the two texts of pair p have the numbers 2p (chosen) and 2p + 1 (rejected). */
export const PAIR_SPEC = {
  ...BATCH_SPEC,
  /** Number of the text that each counted token belongs to, `[counted]`. */
  texts: spec([null], "int32"),
  /** 1 for a pair, 0 for the padding of this list, `[pairs]`. */
  pairs: spec([null]),
  /** Log-probabilities of chosen and rejected text under the reference, `[pairs, 2]`, where they are given. */
  reference: spec([null, 2]),
};

export interface DpoOptions {
  /** How strongly the policy is held to the reference. Default: 0.1. */
  beta?: number | undefined;
  /**
   * Where the reference's log-probabilities come from: the `model` before training, in each update, or the batch, for
   * which they were computed once (`given`). Default: `model`.
   */
  reference?: "model" | "given" | undefined;
}

/**
 * Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290), the sigmoid loss: −log σ(β·margin), where the
 * margin is how much more the log-probability of the chosen text rose above the reference than that of the rejected one.
 *
 * Metrics: the rewards β·(log policy − log reference) of both, and the share of pairs with a margin above 0.
 *
 * @throws bad-input for a beta that is not above 0
 */
export function dpo({ beta = 0.1, reference = "model" }: DpoOptions = {}): Objective<typeof PAIR_SPEC> {
  checkRange("beta", beta, { above: 0 });
  return {
    name: "dpo",
    settings: { beta, reference },
    spec: PAIR_SPEC,
    reference: reference === "model",
    loss(models, batch) {
      const own = pairScores(models, batch);
      const before = models.reference ? pairScores({ ...models, policy: models.reference }, batch) : batch.reference;
      const count = batch.pairs.sum().maximum(1);
      const meanOf = (values: tf.Tensor) => values.mul(batch.pairs).sum().div(count);
      const rewards = own.sub(before).mul(beta);
      const [chosen, rejected] = tf.split(rewards, 2, 1).map((side) => side.reshape([-1])) as [tf.Tensor, tf.Tensor];
      const margins = chosen.sub(rejected);
      return {
        loss: meanOf(tf.softplus(margins.neg())),
        weight: count,
        metrics: {
          chosenReward: meanOf(chosen),
          rejectedReward: meanOf(rejected),
          accuracy: meanOf(margins.greater(0).toFloat()),
        },
      };
    },
  };
}

/** Log-probabilities of the texts of each pair, `[pairs, 2]`. */
function pairScores(models: Parameters<typeof tokenScores>[0], batch: Traced<typeof PAIR_SPEC>): tf.Tensor {
  const pairs = batch.pairs.shape[0]!;
  return sumsByText(tokenScores(models, batch).logProbs, batch.texts, 2 * pairs).reshape([pairs, 2]);
}
