import type * as tfjs from "@tensorflow/tfjs";
import type { Parameters } from "./models.js";
import { type AdamWSettings, hasDecay } from "./problem.js";

export interface TrainingState {
  parameters: Parameters;
  first: Parameters;
  second: Parameters;
}

/**
 * One AdamW step in TensorFlow.js operations (Loshchilov & Hutter 2019, algorithm 2), for the peers that are TensorFlow.js.
 *
 * @param gradients in the order of the parameters
 * @param step 1 for the first, a scalar
 */
export function adamW(
  tf: typeof tfjs,
  { learningRate, beta1, beta2, epsilon, weightDecay }: AdamWSettings,
  { parameters, first, second }: TrainingState,
  gradients: readonly tfjs.Tensor[],
  step: tfjs.Tensor,
): TrainingState {
  const firstCorrection = tf.sub(1, tf.pow(tf.scalar(beta1), step));
  const secondCorrection = tf.sub(1, tf.pow(tf.scalar(beta2), step));
  const next = Object.entries(parameters).map(([name, weights], i) => {
    const gradient = gradients[i]!;
    const m = first[name]!.mul(beta1).add(gradient.mul(1 - beta1));
    const v = second[name]!.mul(beta2).add(gradient.square().mul(1 - beta2));
    const update = m.div(firstCorrection).div(v.div(secondCorrection).sqrt().add(epsilon)).mul(learningRate);
    const kept = hasDecay(weights.shape) ? weights.mul(1 - learningRate * weightDecay) : weights;
    return { name, m, v, w: kept.sub(update) };
  });
  const tree = (pick: (one: (typeof next)[number]) => tfjs.Tensor): Parameters =>
    Object.fromEntries(next.map((one) => [one.name, pick(one)]));
  return { parameters: tree(({ w }) => w), first: tree(({ m }) => m), second: tree(({ v }) => v) };
}
