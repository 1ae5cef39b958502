import tf = require("@tensorflow/tfjs");

import { int64Of, onnxNode } from "../onnx-node.js";
import { fusedOperation } from "./fused-operation.js";

/**
 * Rows of a table. The gradient is a scattered sum over the rows that were looked up.
 *
 * @param table `[vocab, width]`
 * @param ids `[...]` int32, 0 ≤ id < vocab
 * @returns `[..., width]`
 */
export function embedding(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  return fusedOperation(
    [table],
    (table) => embeddingReference(table!, ids),
    ([table], save) => {
      const width = table!.shape[1]!;
      save([ids]);
      return {
        value: onnxNode("Gather", [table!, ids], [{ shape: [...ids.shape, width], dtype: "float32" }])[0]!,
        gradient: (dy, [ids]) => {
          // Not ScatterND, whose threads lose sums where ids repeat; see `scatterSum` of the lowerings.
          const places = int64Of(tf.tile(ids!.reshape([-1, 1]), [1, width]));
          return onnxNode(
            "ScatterElements",
            [tf.fill(table!.shape, 0), places, dy.reshape([-1, width])],
            [{ shape: table!.shape, dtype: "float32" }],
            { attributes: { axis: 0, reduction: "add" } },
          );
        },
      };
    },
  );
}

/** {@link embedding} in plain TensorFlow.js; by a one-hot product, as not every backend has scattered sums. */
export function embeddingReference(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  const [vocabulary, width] = table.shape as [number, number];
  const chosen = tf.oneHot(ids.flatten().toInt(), vocabulary).toFloat();
  return tf.matMul(chosen as tf.Tensor2D, table as tf.Tensor2D).reshape([...ids.shape, width]);
}
