import tf = require("@tensorflow/tfjs");

import { ADAMW_MOMENTS, type AdamWOptions, adamWRule } from "./adamw.js";
import { checkOption, createOptimizer, type Optimizer } from "./optimizer.js";

export interface MuonOptions extends AdamWOptions {
  /** Decay of the sum of gradients of matrices. Default: 0.95. */
  momentum?: number;
  /** Which parameters are matrices that turn one hidden vector into another: all others get AdamW. */
  hidden: (path: string, shape: readonly number[]) => boolean;
}

/** Coefficients of the iteration of Jordan et al.: it grows small singular values fast and leaves all near 1. */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;
const EPSILON = 1e-7;
/** A root mean square as AdamW's updates have it, so that both take one learning rate (Liu et al. 2025, eq. 4). */
const ROOT_MEAN_SQUARE = 0.2;

/**
 * Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers"; scaled as by Liu et al. 2025, arXiv 2502.16982): the
 * momentum of a matrix's gradients is made nearly orthogonal before it is taken, so that rare directions count as much as
 * frequent ones. Embeddings, the output layer, gains and biases get AdamW.
 *
 *     M ← μ·M + G,   O ← orthogonal(G + μ·M),   W ← (1 − λη)·W − η·0.2·√max(rows, columns)·O
 *
 * @throws ThoughtbookError when an option is outside of its range
 */
export function muon({ momentum = 0.95, hidden, ...others }: MuonOptions): Optimizer {
  checkOption("momentum", momentum, 0, 1);
  const { weightDecay = 0.01, decays = () => true } = others;
  const rest = adamWRule(others);
  return createOptimizer(ADAMW_MOMENTS, (shared) => {
    const { learningRate, gradientScale } = shared;
    const keep = tf.sub(1, tf.mul(learningRate, weightDecay));
    const update = rest(shared);
    return (parameter) => {
      const { path, param, gradient, moments } = parameter;
      if (param.rank !== 2 || !hidden(path, param.shape)) return update(parameter);
      const [first, second] = moments as [tf.Tensor, tf.Tensor];
      const scaled = gradientScale === 1 ? gradient : gradient.mul(gradientScale);
      const firstMoment = first.mul(momentum).add(scaled);
      const direction = orthogonalised(firstMoment.mul(momentum).add(scaled) as tf.Tensor2D);
      const size = ROOT_MEAN_SQUARE * Math.sqrt(Math.max(...param.shape));
      const kept = weightDecay > 0 && decays(path, param.shape) ? param.mul(keep) : param;
      // The second moment is AdamW's; here it stays 0.
      return { param: kept.sub(direction.mul(tf.mul(learningRate, size))), moments: [firstMoment, second.clone()] };
    };
  });
}

/**
 * Nearly the closest matrix with orthonormal rows or columns, by Newton–Schulz iteration: singular values end between
 * about 0.7 and 1.2.
 *
 * @param matrix `[rows, columns]`
 */
export function orthogonalised(matrix: tf.Tensor2D): tf.Tensor2D {
  const [rows, columns] = matrix.shape;
  let x = matrix.div(matrix.square().sum().sqrt().add(EPSILON)) as tf.Tensor2D;
  // Products of the smaller side are cheaper.
  const tall = rows > columns;
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = tf.matMul(x, x, tall, !tall) as tf.Tensor2D;
    const polynomial = gram.mul(B).add(tf.matMul(gram, gram).mul(C)) as tf.Tensor2D;
    const product = tall ? tf.matMul(x, polynomial) : tf.matMul(polynomial, x);
    x = x.mul(A).add(product) as tf.Tensor2D;
  }
  return x;
}
