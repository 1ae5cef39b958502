import tf = require("@tensorflow/tfjs");

import { onnxNode } from "../onnx-node.js";
import { fusedOperation } from "./fused-operation.js";

/**
 * Negative log-probability of each label, −log softmax(logits)[label]; 0, with no gradient, where a label is negative
 * (Hugging Face's −100: positions that do not count).
 *
 * @param logits `[..., vocab]`
 * @param labels `[...]` int32
 * @returns `[...]`, in nats
 */
export function softmaxCrossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return fusedOperation(
    [logits],
    (logits) => softmaxCrossEntropyReference(logits!, labels),
    ([logits], save) => {
      const vocabulary = logits!.shape.at(-1)!;
      const flat = logits!.reshape([-1, vocabulary]);
      const [logProbabilities] = onnxNode("LogSoftmax", [flat], [{ shape: flat.shape, dtype: "float32" }], {
        attributes: { axis: -1 },
      }) as [tf.Tensor];
      const ids = labels.reshape([-1, 1]);
      const counted = ids.greaterEqual(0).toFloat();
      const index = ids.maximum(tf.scalar(0, "int32"));
      const [picked] = onnxNode("GatherElements", [logProbabilities, index], [{ shape: ids.shape, dtype: "float32" }], {
        attributes: { axis: 1 },
      });
      save([logProbabilities, index, counted]);
      return {
        value: picked!.mul(counted).neg().reshape(labels.shape),
        gradient: (dy, [logProbabilities, index, counted]) => {
          const scale = dy.reshape([-1, 1]).mul(counted!);
          return [logitGradient(logProbabilities!, index!).mul(scale).reshape(logits!.shape)];
        },
      };
    },
  );
}

/** softmax − one-hot: one is taken off each row of probabilities at its label. */
function logitGradient(logProbabilities: tf.Tensor, index: tf.Tensor): tf.Tensor {
  const { shape } = logProbabilities;
  return onnxNode(
    "ScatterElements",
    [logProbabilities.exp(), index, tf.fill(index.shape, -1)],
    [{ shape, dtype: "float32" }],
    { attributes: { axis: 1, reduction: "add" } },
  )[0]!;
}

/** {@link softmaxCrossEntropy} in plain TensorFlow.js; by a one-hot product, as not every backend has scattered sums. */
export function softmaxCrossEntropyReference(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  // A negative label has a row of zeros.
  const chosen = tf.oneHot(labels.toInt(), logits.shape.at(-1)!).toFloat();
  return logits.logSoftmax().mul(chosen).sum(-1).neg();
}
