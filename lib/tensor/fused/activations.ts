import tf = require("@tensorflow/tfjs");

import { float, MICROSOFT } from "../graph.js";
import { onnxNode } from "../onnx-node.js";
import { sizeOf } from "../tensor-data.js";
import { fusedOperation, type Lowered, type Save } from "./fused-operation.js";

const contrib = (op: string, x: tf.Tensor, alpha?: number): tf.Tensor =>
  onnxNode(op, [x], [{ shape: x.shape, dtype: "float32" }], {
    domain: MICROSOFT,
    attributes: alpha === undefined ? {} : { alpha: float(alpha) },
  })[0]!;

/**
 * Gaussian error linear unit, x·Φ(x) (Hendrycks & Gimpel 2016).
 *
 * @param x any shape
 */
export function gelu(x: tf.Tensor): tf.Tensor {
  return fusedOperation(
    [x],
    (x) => geluReference(x!),
    ([x], save) => {
      save([x!]);
      return { value: contrib("Gelu", x!), gradient: (dy, [x]) => [dy.mul(geluSlope(x!))] };
    },
  );
}

// Φ(x) + x·φ(x)
function geluSlope(x: tf.Tensor): tf.Tensor {
  const cumulative = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
  const density = x.mul(x).mul(-0.5).exp();
  return cumulative.add(x.mul(density).mul(1 / Math.sqrt(2 * Math.PI)));
}

/** {@link gelu} in plain TensorFlow.js. */
export function geluReference(x: tf.Tensor): tf.Tensor {
  return x.mul(x.mul(Math.SQRT1_2).erf().add(1).mul(0.5));
}

const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBE = 0.044715;

/**
 * The tanh approximation of GELU that GPT-2 was trained with (`gelu_new`, `gelu_pytorch_tanh`; Hendrycks & Gimpel 2016, section 2).
 *
 * @param x any shape
 */
export function geluTanh(x: tf.Tensor): tf.Tensor {
  return fusedOperation(
    [x],
    (x) => geluTanhReference(x!),
    ([x], save) => {
      save([x!]);
      return { value: contrib("FastGelu", x!), gradient: (dy, [x]) => [dy.mul(geluTanhSlope(x!))] };
    },
  );
}

// ½(1 + tanh u) = σ(2u) =: s, so y = x·s and y' = s + x·s·(1 − s)·2u'.
function geluTanhSlope(x: tf.Tensor): tf.Tensor {
  const square = x.mul(x);
  const sigmoid = square
    .mul(2 * TANH_SCALE * TANH_CUBE)
    .add(2 * TANH_SCALE)
    .mul(x)
    .sigmoid();
  const slope = square.mul(6 * TANH_SCALE * TANH_CUBE).add(2 * TANH_SCALE);
  return sigmoid.add(x.mul(sigmoid).mul(tf.sub(1, sigmoid)).mul(slope));
}

/** {@link geluTanh} in plain TensorFlow.js. */
export function geluTanhReference(x: tf.Tensor): tf.Tensor {
  const inner = x.mul(x).mul(x).mul(TANH_CUBE).add(x).mul(TANH_SCALE);
  return x.mul(inner.tanh().add(1).mul(0.5));
}

/**
 * Sigmoid linear unit, x·σ(x), also called swish (Ramachandran et al. 2017).
 *
 * @param x any shape
 */
export function silu(x: tf.Tensor): tf.Tensor {
  return fusedOperation(
    [x],
    (x) => siluReference(x!),
    ([x], save) => {
      save([x!]);
      return {
        value: contrib("QuickGelu", x!, 1),
        gradient: (dy, [x]) => {
          const sigmoid = x!.sigmoid();
          return [dy.mul(sigmoid).mul(x!.add(1).sub(x!.mul(sigmoid)))];
        },
      };
    },
  );
}

/** {@link silu} in plain TensorFlow.js. */
export function siluReference(x: tf.Tensor): tf.Tensor {
  return x.mul(x.sigmoid());
}

/**
 * The gate of a SwiGLU feed-forward layer, silu(gate)·up (Shazeer 2020, eq. 6).
 *
 * @param gate any shape
 * @param up the same shape
 * @param options `recomputes`: keep only the two inputs for the gradient, not the sigmoid as well. Default: from 16 MB on
 */
export function swiGlu(
  gate: tf.Tensor,
  up: tf.Tensor,
  { recomputes = sizeOf(gate.shape) >= RECOMPUTED_FROM }: { recomputes?: boolean } = {},
): tf.Tensor {
  return fusedOperation(
    [gate, up],
    (gate, up) => swiGluReference(gate!, up!),
    ([gate, up], save) => {
      if (recomputes) return recomputingSwiGlu(gate!, up!, save);
      const sigmoid = gate!.sigmoid();
      const swish = gate!.mul(sigmoid);
      save([gate!, up!, sigmoid, swish]);
      return {
        value: swish.mul(up!),
        gradient: (dy, saved) => {
          const [gate, up, sigmoid, swish] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
          // (x·σ)' = σ·(1 + x − x·σ)
          const slope = sigmoid.mul(gate.sub(swish).add(1));
          return [dy.mul(up).mul(slope), dy.mul(swish)];
        },
      };
    },
  );
}

/** Numbers from which a gate is large: 16 MB, more than caches hold. */
const RECOMPUTED_FROM = 2 ** 22;

/**
 * {@link swiGlu} that keeps nothing but its inputs for the gradient, in as many passes over memory: of large gates, what is
 * kept of all layers is most of what training a model takes.
 */
function recomputingSwiGlu(gate: tf.Tensor, up: tf.Tensor, save: Save): Lowered {
  save([gate, up]);
  return {
    value: contrib("QuickGelu", gate, 1).mul(up),
    gradient: (dy, saved) => {
      const [gate, up] = saved as [tf.Tensor, tf.Tensor];
      const scaled = dy.mul(gate.sigmoid());
      // (x·σ(x))' = σ(x)·(1 + x·σ(−x)), and x·σ(−x) is one operator.
      const slope = contrib("QuickGelu", gate, -1).add(1);
      return [scaled.mul(up).mul(slope), scaled.mul(gate)];
    },
  };
}

/** {@link swiGlu} in plain TensorFlow.js. */
export function swiGluReference(gate: tf.Tensor, up: tf.Tensor): tf.Tensor {
  return siluReference(gate).mul(up);
}

/**
 * relu(x)² (So et al. 2021, Primer, section 3).
 *
 * @param x any shape
 */
export function squaredRelu(x: tf.Tensor): tf.Tensor {
  return fusedOperation(
    [x],
    (x) => squaredReluReference(x!),
    ([x], save) => {
      const positive = x!.relu();
      save([positive]);
      return { value: positive.mul(positive), gradient: (dy, [positive]) => [dy.mul(positive!).mul(2)] };
    },
  );
}

/** {@link squaredRelu} in plain TensorFlow.js. */
export function squaredReluReference(x: tf.Tensor): tf.Tensor {
  return x.relu().square();
}
