import tf = require("@tensorflow/tfjs");

import { isTracing } from "../tracing.js";
import { fusedOperation } from "./fused-operation.js";

export interface LowRankOptions {
  /** Factor on the low-rank product. */
  scale: number;
  /** Whether the weight is stored as `[out, in]`. */
  transposed: boolean;
  /**
   * Compute a sum of two products as one product of joined factors, for results that do not fit into a processor's caches.
   * Default: where that moves fewer numbers.
   */
  joins?: boolean;
}

/** Numbers of a result below which adding two is cheap: 16 MB. */
const IN_CACHE = 2 ** 22;

/** Whether joining `[rows, inner]` with `[inner, columns]` moves less than writing a second result and adding it. */
const movesLess = (rows: number, inner: number, columns: number): boolean =>
  rows * columns >= IN_CACHE && 2 * inner * (rows + columns) < 4 * rows * columns;

/**
 * A linear layer with a low-rank addition (Hu et al. 2021, LoRA): x·W + scale·(x·Aᵀ)·Bᵀ.
 *
 * A sum of two products of one shape, x·W + y·V, is one product, [x, y]·[W; V]: it writes the result once instead of
 * twice and reads neither again, which pays where the result is much larger than the factors.
 *
 * @param x `[rows, in]`
 * @param w `[out, in]`, or `[in, out]` if it is not transposed
 * @param a `[rank, in]`
 * @param b `[out, rank]`
 * @param bias `[out]`, if there is one
 * @returns `[rows, out]`
 */
export function lowRankLinear(
  x: tf.Tensor,
  w: tf.Tensor,
  a: tf.Tensor,
  b: tf.Tensor,
  bias: tf.Tensor | undefined,
  options: LowRankOptions,
): tf.Tensor {
  const { scale, transposed, joins } = options;
  const [rows, input] = x.shape as [number, number];
  const output = b.shape[0]!;
  const joinsForward = joins ?? movesLess(rows, input, output);
  const joinsBackward = joins ?? movesLess(rows, output, input);
  if (!isTracing() || !(joinsForward || joinsBackward)) return lowRankLinearReference(x, w, a, b, bias, options);
  const product = fusedOperation(
    [x, w, a, b],
    (x, w, a, b) => lowRankLinearReference(x!, w!, a!, b!, undefined, options),
    (inputs, save) => {
      const [x, w, a, b] = inputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
      const low = tf.matMul(x, a, false, true).mul(scale) as tf.Tensor2D;
      save([x, w, a, b, low]);
      return {
        value: joinsForward ? joinedForward(x, w, low, b, transposed) : separate(x, w, low, b, transposed),
        gradient: (dy, saved) => {
          const [x, w, a, b, low] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
          const gradient = dy as tf.Tensor2D;
          const dLow = tf.matMul(gradient, b).mul(scale) as tf.Tensor2D;
          return [
            joinsBackward
              ? tf.matMul(
                  tf.concat([gradient, dLow], 1),
                  tf.concat([w, transposed ? a : a.transpose()], transposed ? 0 : 1),
                  false,
                  !transposed,
                )
              : tf.matMul(gradient, w, false, !transposed).add(tf.matMul(dLow, a)),
            // Of a frozen weight nobody asks for it, so that it is not computed.
            transposed ? tf.matMul(gradient, x, true) : tf.matMul(x, gradient, true),
            tf.matMul(dLow, x, true),
            tf.matMul(gradient, low, true),
          ];
        },
      };
    },
  );
  return bias ? product.add(bias) : product;
}

const joinedForward = (x: tf.Tensor2D, w: tf.Tensor2D, low: tf.Tensor2D, b: tf.Tensor2D, transposed: boolean) =>
  transposed
    ? tf.matMul(tf.concat([x, low], 1), tf.concat([w, b], 1), false, true)
    : tf.matMul(tf.concat([x, low], 1), tf.concat([w, b.transpose()], 0));

const separate = (x: tf.Tensor2D, w: tf.Tensor2D, low: tf.Tensor2D, b: tf.Tensor2D, transposed: boolean) =>
  tf.matMul(x, w, false, transposed).add(tf.matMul(low, b, false, true));

/** {@link lowRankLinear} in plain TensorFlow.js. */
export function lowRankLinearReference(
  x: tf.Tensor,
  w: tf.Tensor,
  a: tf.Tensor,
  b: tf.Tensor,
  bias: tf.Tensor | undefined,
  { scale, transposed }: LowRankOptions,
): tf.Tensor {
  const input = x as tf.Tensor2D;
  const product = tf.matMul(input, w as tf.Tensor2D, false, transposed);
  const sum = bias ? product.add(bias) : product;
  const low = tf.matMul(input, a as tf.Tensor2D, false, true).mul(scale) as tf.Tensor2D;
  return sum.add(tf.matMul(low, b as tf.Tensor2D, false, true));
}
