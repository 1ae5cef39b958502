import tf = require("@tensorflow/tfjs");

import { isTracing } from "../tracing.js";

/** Tensors a gradient needs, kept by TensorFlow.js until it has run. */
export type Save = (tensors: tf.Tensor[]) => void;

export interface Lowered {
  value: tf.Tensor;
  /** Gradients of the inputs, in their order, from that of the value and the saved tensors. */
  gradient: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[];
}

/**
 * One operation in two forms. Outside of compiled functions it is `reference`, plain TensorFlow.js with TensorFlow.js's
 * gradient, on any backend. While tracing it is `lower`, ONNX Runtime's own operators with a gradient by hand.
 */
export function fusedOperation(
  inputs: readonly tf.Tensor[],
  reference: (...inputs: tf.Tensor[]) => tf.Tensor,
  lower: (inputs: tf.Tensor[], save: Save) => Lowered,
): tf.Tensor {
  if (!isTracing()) return reference(...inputs);
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as Save;
    const { value, gradient } = lower(args as tf.Tensor[], save);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, saved) };
  });
  return operation(...inputs);
}
