import tf = require("@tensorflow/tfjs");

import { MICROSOFT, type Value } from "../graph.js";
import { int64Of, onnxNode } from "../onnx-node.js";
import { fusedOperation } from "./fused-operation.js";

/** Cosines and sines of the rotation angles, `[positions, headWidth / 2]` each. */
export interface RotaryTable {
  cos: tf.Tensor;
  sin: tf.Tensor;
}

/**
 * Rotary position embedding (Su et al. 2021, eq. 34) in Hugging Face's layout: dimension i is paired with i + headWidth/2.
 *
 * @param x `[batch, heads, time, headWidth]`
 * @param positions `[batch, time]` int32, each a row of the table
 * @returns `[batch, heads, time, headWidth]`
 */
export function rotary(x: tf.Tensor, positions: tf.Tensor, { cos, sin }: RotaryTable): tf.Tensor {
  return fusedOperation(
    [x],
    (x) => rotaryReference(x!, positions, { cos, sin }),
    ([x], save) => {
      save([positions, cos, sin]);
      const index = int64Of(positions);
      return {
        value: rotate(x!, index, cos, sin),
        // A rotation's transpose is the rotation back.
        gradient: (dy, [positions, cos, sin]) => [rotate(dy, int64Of(positions!), cos!, sin!.neg())],
      };
    },
  );
}

function rotate(x: tf.Tensor, positions: Value, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor {
  return onnxNode("RotaryEmbedding", [x, positions, cos, sin], [{ shape: x.shape, dtype: "float32" }], {
    domain: MICROSOFT,
  })[0]!;
}

/** {@link rotary} in plain TensorFlow.js. */
export function rotaryReference(x: tf.Tensor, positions: tf.Tensor, { cos, sin }: RotaryTable): tf.Tensor {
  const [batch, , time, width] = x.shape as [number, number, number, number];
  const rows = (table: tf.Tensor) => tf.gather(table, positions.toInt()).reshape([batch, 1, time, width / 2]);
  const [c, s] = [rows(cos), rows(sin)];
  const [first, second] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.concat([first.mul(c).sub(second.mul(s)), second.mul(c).add(first.mul(s))], -1);
}
