import tf = require("@tensorflow/tfjs");

/** How far the ratio of new to old probability may move before the gradient is cut. */
export interface ClipRange {
  low: number;
  high: number;
}

/**
 * Clipped policy loss of PPO (Schulman et al. 2017, equation 7), per token: −min(ρ·A, clip(ρ, 1 − low, 1 + high)·A),
 * where ρ is the exponential of the log-ratio.
 *
 * @param logRatios log-probability under the policy minus that when it was sampled, `[counted]`
 * @param advantages `[counted]`
 * @returns the loss of each token; and 1 where the clip took effect, which cuts the gradient
 */
export function clippedPolicyLoss(
  logRatios: tf.Tensor,
  advantages: tf.Tensor,
  { low, high }: ClipRange,
): { losses: tf.Tensor; clipped: tf.Tensor } {
  const ratios = logRatios.exp();
  const unclipped = ratios.mul(advantages);
  const clipped = ratios.clipByValue(1 - low, 1 + high).mul(advantages);
  return { losses: tf.minimum(unclipped, clipped).neg(), clipped: clipped.less(unclipped).toFloat() };
}

/**
 * Estimate of the divergence KL(policy ‖ reference) at tokens that the policy sampled: exp(d) − d − 1 with
 * d = log reference − log policy (Schulman's k3): unbiased, and never below 0.
 */
export function klEstimate(logProbs: tf.Tensor, reference: tf.Tensor): tf.Tensor {
  const difference = reference.sub(logProbs);
  return difference.exp().sub(difference).sub(1);
}

/**
 * Value loss of PPO, per token: half of the larger squared error of the value and of the value kept within `range` of
 * the old one.
 *
 * @param values `[counted]`, as the others
 */
export function clippedValueLoss(
  values: tf.Tensor,
  old: tf.Tensor,
  returns: tf.Tensor,
  range: number,
): { losses: tf.Tensor; clipped: tf.Tensor } {
  const near = old.add(values.sub(old).clipByValue(-range, range));
  const unclipped = values.sub(returns).square();
  const clipped = near.sub(returns).square();
  return { losses: tf.maximum(unclipped, clipped).div(2), clipped: clipped.greater(unclipped).toFloat() };
}
