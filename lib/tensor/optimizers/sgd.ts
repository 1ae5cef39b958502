import { badInput } from "../../core/index.js";
import { checkOption, createOptimizer, type DecayFilter, type Optimizer } from "./optimizer.js";

export interface SgdOptions {
  /** Decay of the sum of past gradients; 0 (the default) keeps none and needs no memory. */
  momentum?: number;
  /** Look ahead by one step of the momentum. */
  nesterov?: boolean;
  /** Added to the gradient, times the parameter: an L2 penalty, not decoupled. */
  weightDecay?: number;
  /** Which parameters decay. Default: all. */
  decays?: DecayFilter;
}

/**
 * Stochastic gradient descent with momentum as in PyTorch (no dampening):
 * g ← s·g + λ·p, b ← μ·b + g, p ← p − η·b, or p − η·(g + μ·b) with Nesterov's.
 *
 * @throws ThoughtbookError when an option is out of range, or `nesterov` is without momentum
 */
export function sgd({
  momentum = 0,
  nesterov = false,
  weightDecay = 0,
  decays = () => true,
}: SgdOptions = {}): Optimizer {
  checkOption("momentum", momentum, 0, 1);
  checkOption("weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
  if (nesterov && momentum === 0) {
    throw badInput("nesterov needs a momentum above 0", "Set momentum, such as 0.9.");
  }
  return createOptimizer(momentum === 0 ? [] : ["momentum"], ({ learningRate, gradientScale }) => {
    return ({ path, param, gradient, moments: [past] }) => {
      const scaled = gradientScale === 1 ? gradient : gradient.mul(gradientScale);
      const decayed = weightDecay > 0 && decays(path, param.shape) ? scaled.add(param.mul(weightDecay)) : scaled;
      if (!past) return { param: param.sub(decayed.mul(learningRate)), moments: [] };
      const sum = past.mul(momentum).add(decayed);
      const direction = nesterov ? decayed.add(sum.mul(momentum)) : sum;
      return { param: param.sub(direction.mul(learningRate)), moments: [sum] };
    };
  });
}
