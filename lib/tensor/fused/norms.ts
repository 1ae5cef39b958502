import tf = require("@tensorflow/tfjs");

import { float } from "../graph.js";
import { onnxNode } from "../onnx-node.js";
import type { DType } from "../tensor-data.js";
import { fusedOperation } from "./fused-operation.js";

const last = (x: tf.Tensor): number => x.shape.at(-1)!;
const rows = (x: tf.Tensor): tf.Tensor2D => x.reshape([-1, last(x)]);
const likeRows = (x: tf.Tensor): { shape: number[]; dtype: DType } => ({
  shape: [...x.shape.slice(0, -1), 1],
  dtype: "float32",
});
const like = (x: tf.Tensor): { shape: number[]; dtype: DType } => ({ shape: [...x.shape], dtype: "float32" });

/**
 * Root-mean-square normalisation, x / sqrt(mean(x²) + ε) · gain, over the last dimension (Zhang & Sennrich 2019, eq. 4).
 *
 * @param x `[..., width]`
 * @param gain `[width]`
 * @returns `[..., width]`
 */
export function rmsNorm(x: tf.Tensor, gain: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  return fusedOperation(
    [x, gain],
    (x, gain) => rmsNormReference(x!, gain!, epsilon),
    ([x, gain], save) => {
      const [value, inverse] = onnxNode("SimplifiedLayerNormalization", [x!, gain!], [like(x!), likeRows(x!)], {
        attributes: { axis: -1, epsilon: float(epsilon), stash_type: 1 },
      }) as [tf.Tensor, tf.Tensor];
      save([x!, gain!, inverse]);
      return { value, gradient: rmsNormGradient };
    },
  );
}

/**
 * With r = 1/sqrt(mean(x²) + ε): dx = dy·gain·r − x·r³·mean(dy·gain·x) and dgain = Σ dy·x·r. Both sums are products with
 * a vector, which read `dy·x` once each.
 */
function rmsNormGradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const [x, gain, inverse] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
  const product = rows(dy.mul(x));
  const inverseColumn = inverse.reshape<tf.Tensor2D>([-1, 1]);
  const gainColumn = gain.reshape<tf.Tensor2D>([-1, 1]);
  const dgain = tf.matMul(inverseColumn, product, true).reshape(gain.shape);
  const mean = tf.matMul(product, gainColumn).div(last(x));
  const correction = inverseColumn.mul(inverseColumn).mul(inverseColumn).mul(mean).reshape(inverse.shape);
  return [dy.mul(gain).mul(inverse).sub(x.mul(correction)), dgain];
}

/** {@link rmsNorm} in plain TensorFlow.js. */
export function rmsNormReference(x: tf.Tensor, gain: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  return x.mul(x.square().mean(-1, true).add(epsilon).rsqrt()).mul(gain);
}

/**
 * Layer normalisation, (x − mean) / sqrt(variance + ε) · gain + bias, over the last dimension (Ba et al. 2016, eq. 4).
 *
 * @param x `[..., width]`
 * @param gain `[width]`
 * @param bias `[width]`
 * @returns `[..., width]`
 */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  return fusedOperation(
    [x, gain, bias],
    (x, gain, bias) => layerNormReference(x!, gain!, bias!, epsilon),
    ([x, gain, bias], save) => {
      const [value, mean, inverse] = onnxNode(
        "LayerNormalization",
        [x!, gain!, bias!],
        [like(x!), likeRows(x!), likeRows(x!)],
        { attributes: { axis: -1, epsilon: float(epsilon), stash_type: 1 } },
      ) as [tf.Tensor, tf.Tensor, tf.Tensor];
      save([x!, gain!, mean, inverse]);
      return { value, gradient: layerNormGradient };
    },
  );
}

function layerNormGradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const [x, gain, mean, inverse] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const normal = x.sub(mean).mul(inverse);
  const product = rows(dy.mul(normal));
  const gainColumn = gain.reshape<tf.Tensor2D>([-1, 1]);
  const meanOf = (t: tf.Tensor2D) => tf.matMul(t, gainColumn).div(last(x)).reshape(inverse.shape);
  const dx = dy
    .mul(gain)
    .sub(meanOf(rows(dy)))
    .sub(normal.mul(meanOf(product)))
    .mul(inverse);
  const ones = tf.ones([product.shape[0], 1]) as tf.Tensor2D;
  const dgain = tf.matMul(ones, product, true).reshape(gain.shape);
  const dbias = tf.matMul(ones, rows(dy), true).reshape(gain.shape);
  return [dx, dgain, dbias];
}

/** {@link layerNorm} in plain TensorFlow.js. */
export function layerNormReference(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  const centred = x.sub(x.mean(-1, true));
  return centred.mul(centred.square().mean(-1, true).add(epsilon).rsqrt()).mul(gain).add(bias);
}
