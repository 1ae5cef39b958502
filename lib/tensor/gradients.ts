import tf = require("@tensorflow/tfjs");

import { badInput } from "../core/index.js";
import { leavesOf, rebuildTree } from "./tree.js";

/** What can be differentiated: a scalar, or a record whose `loss` is one and whose other members come along. */
export type Differentiable = tf.Tensor | { readonly loss: tf.Tensor };

export interface ValueAndGradients<P, R> {
  /** What the function returned. */
  value: R;
  /** The derivative of the loss by each leaf of the parameters, in a tree of the same shape. */
  gradients: P;
}

export const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/**
 * The value of a function and the gradients of its loss with respect to a tree of parameters: `jax.value_and_grad` for
 * TensorFlow.js. Works while a function is being compiled and eagerly on any backend.
 *
 * What is not to be trained (frozen weights, the batch) reaches the function by closure. A parameter on which the loss
 * does not depend has a gradient of zeros. Eagerly, everything in between is freed; the caller owns what is returned.
 *
 * @param fn gets the parameters and returns the loss, or `{ loss, ...others }` with tensors in any tree as others
 * @throws ThoughtbookError (from the returned function) when there are no parameters, one of them is not float32, or the
 *   loss is not a float32 scalar
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { valueAndGradients } from "thoughtbook/tensor";
 *
 * const lossOf = valueAndGradients(({ w }: { w: tf.Tensor }) => ({ loss: w.square().sum() }));
 * const { value, gradients } = lossOf({ w: tf.tensor1d([1, 3]) });
 * console.log(value.loss.dataSync()[0], [...gradients.w.dataSync()]); // 10 [ 2, 6 ]
 * ```
 */
export function valueAndGradients<P, R extends Differentiable>(
  fn: (params: P) => R,
): (params: P) => ValueAndGradients<P, R> {
  return (params) => {
    const leaves = leavesOf(params, isTensor);
    checkParameters(leaves);
    const run = () => {
      // A clone each: a tensor that stands in two places of the tree has two gradients, as two equal tensors would.
      const inputs = leaves.map(({ value }) => value.clone());
      let returned: unknown;
      let outputs: tf.Tensor[] = [];
      const forward = () => {
        returned = fn(rebuildTree(params, isTensor, inputs) as P);
        const loss = lossOf(returned);
        // Kept from the end of the forward pass, at which TensorFlow.js frees all but the loss.
        outputs = leavesOf(returned, isTensor).map(({ value }) => tf.keep(value.clone()));
        return loss;
      };
      const { grads } = tf.engine().gradients(forward, inputs, undefined, true);
      const value = outputs.map((output) => output.clone());
      tf.dispose(outputs);
      return {
        value: rebuildTree(returned, isTensor, value),
        gradients: rebuildTree(
          params,
          isTensor,
          // TensorFlow.js's type does not say that a gradient is missing where the loss does not depend on an input.
          inputs.map((input, i) => (grads[i] as tf.Tensor | undefined) ?? tf.zerosLike(input)),
        ),
      };
    };
    return tf.tidy(run as () => tf.TensorContainer) as unknown as ValueAndGradients<P, R>;
  };
}

function checkParameters(leaves: readonly { path: string; value: tf.Tensor }[]): void {
  if (leaves.length === 0) {
    throw badInput("there are no parameters to differentiate by", "Pass a tree with at least one tensor.");
  }
  for (const { path, value } of leaves) {
    if (value.dtype === "float32") continue;
    throw badInput(
      `parameter ${path || "(the tree itself)"} is ${value.dtype}, expected float32`,
      "Only float32 tensors have gradients; let the function close over the others.",
    );
  }
}

function lossOf(returned: unknown): tf.Scalar {
  const loss = isTensor(returned) ? returned : (returned as { loss?: unknown } | null | undefined)?.loss;
  if (isTensor(loss) && loss.rank === 0 && loss.dtype === "float32") return loss as tf.Scalar;
  const given = isTensor(loss) ? `${loss.dtype} [${loss.shape.join(", ")}]` : "missing";
  throw badInput(
    `the loss is ${given}, expected a float32 scalar`,
    "Return a scalar, such as the mean of the losses, or { loss, ...others }.",
  );
}
