import tf = require("@tensorflow/tfjs");

import { checkOption, createOptimizer, type DecayFilter, type Optimizer, type UpdateRule } from "./optimizer.js";

export interface AdamWOptions {
  /** Decay of the mean of gradients. */
  beta1?: number;
  /** Decay of the mean of squared gradients. */
  beta2?: number;
  epsilon?: number;
  /** Decoupled decay: each update takes learningRate · weightDecay of a parameter off. */
  weightDecay?: number;
  /** Which parameters decay. Default: all, as in PyTorch. */
  decays?: DecayFilter;
}

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2) as in PyTorch, with PyTorch's defaults.
 *
 * Each operation on a parameter is a pass over memory, and the passes are the whole cost. So the moments are kept as
 * discounted sums, m/(1 − β₁) and v/(1 − β₂) of the usual ones, and the factors of all kinds become two scalars:
 *
 *     M ← β₁·M + g,   V ← β₂·V + g²,   p ← (1 − λη)·p − a·M/(√V + e)
 *     a = η·(1 − β₁)/c₁·√(c₂/(1 − β₂)),   e = ε·√(c₂/(1 − β₂)),   cᵢ = 1 − βᵢᵗ
 *
 * Multiply `firstMoment` by 1 − β₁ and `secondMoment` by 1 − β₂ for PyTorch's `exp_avg` and `exp_avg_sq`.
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  return createOptimizer(ADAMW_MOMENTS, adamWRule(options));
}

export const ADAMW_MOMENTS = ["firstMoment", "secondMoment"];

/** The rule of {@link adamW} for one parameter, from what all share. */
export function adamWRule({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0.01,
  decays = () => true,
}: AdamWOptions): UpdateRule {
  checkOption("beta1", beta1, 0, 1);
  checkOption("beta2", beta2, 0, 1);
  checkOption("epsilon", epsilon, 0, Number.POSITIVE_INFINITY);
  checkOption("weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
  return ({ step, learningRate, gradientScale }) => {
    const spread = biasCorrection(beta2, step)
      .div(1 - beta2)
      .sqrt();
    const offset = spread.mul(epsilon);
    const rate = spread
      .mul(1 - beta1)
      .div(biasCorrection(beta1, step))
      .mul(learningRate);
    const keep = tf.sub(1, tf.mul(learningRate, weightDecay));
    return ({ path, param, gradient, moments: [first, second] }) => {
      const scaled = gradientScale === 1 ? gradient : gradient.mul(gradientScale);
      const firstMoment = first!.mul(beta1).add(scaled);
      const secondMoment = second!.mul(beta2).add(scaled.square());
      const change = firstMoment.div(secondMoment.sqrt().add(offset)).mul(rate);
      const kept = weightDecay > 0 && decays(path, param.shape) ? param.mul(keep) : param;
      return { param: kept.sub(change), moments: [firstMoment, secondMoment] };
    };
  };
}

/**
 * 1 − βᵗ. In float32, βᵗ near 1 leaves few digits of the difference; 1 − e⁻ˣ = 2h/(1 + h) with h = tanh(x/2) keeps all.
 */
function biasCorrection(beta: number, step: tf.Tensor): tf.Tensor {
  if (beta === 0) return tf.scalar(1);
  const h = tf.tanh(step.mul(-Math.log(beta) / 2));
  return h.mul(2).div(h.add(1));
}
