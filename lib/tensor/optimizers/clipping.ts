import tf = require("@tensorflow/tfjs");

import { isTensor } from "../gradients.js";
import { isConstant } from "../graph.js";
import { onnxNode } from "../onnx-node.js";
import { graphValue, isTracing } from "../tracing.js";
import { leavesOf } from "../tree.js";

/** Added to the norm, so that all zeros do not divide by zero; PyTorch's value. */
const NORM_OFFSET = 1e-6;

/** One running sum over more values than this loses digits: 1e-5 of the sum here, 1e-3 at 2^24. */
const SUM_AT_ONCE = 2 ** 20;

/**
 * Factor that clips gradients by the norm of all of them together, min(1, maxNorm / (norm + 1e-6)), as PyTorch's
 * `clip_grad_norm_` (Pascanu et al. 2013). An optimizer takes it as `gradientScale`, which saves a pass over them.
 */
export function clippingScale(norm: tf.Tensor, maxNorm: number): tf.Tensor {
  return tf.tidy(() => tf.minimum(1, tf.div(maxNorm, norm.add(NORM_OFFSET))));
}

/** The Euclidean norm of all values of a tree of tensors together; a scalar. */
export function globalNorm(tree: unknown): tf.Tensor {
  return tf.tidy(() => {
    const sums = leavesOf(tree, isTensor).map(({ value }) => sumOfSquares(value));
    return sums.length === 0 ? tf.scalar(0) : tf.addN(sums).sqrt();
  });
}

function sumOfSquares(x: tf.Tensor): tf.Tensor {
  // One pass that writes nothing. Constants are left to TensorFlow.js, which computes them at once.
  if (x.size <= SUM_AT_ONCE && isTracing() && !isConstant(graphValue(x))) {
    return onnxNode("ReduceSumSquare", [x], [{ shape: [], dtype: "float32" }], { attributes: { keepdims: 0 } })[0]!;
  }
  return x.rank > 1 ? x.square().sum(-1).sum() : x.square().sum();
}
