import type * as tf from "@tensorflow/tfjs";
import { type Attributes, addNodes, type OutputSpec, type Value } from "./graph.js";
import { cast } from "./lowerings/unary.js";
import { currentGraph, graphValue, tensorOf } from "./tracing.js";

export interface OnnxNodeOptions {
  attributes?: Attributes;
  /** Operator set of the node: ONNX itself by default, `com.microsoft` for ONNX Runtime's own operators. */
  domain?: string;
}

/**
 * Append an ONNX node of your choice to the function that is being compiled.
 *
 * It has no gradient of its own (wrap it in `tf.customGrad`) and no meaning outside of a compiled function (ask
 * `isTracing()` and compute otherwise there).
 *
 * @param inputs tensors, graph values, or `null` for an optional input left out
 * @param outputs shape and dtype of each output
 */
export function onnxNode(
  op: string,
  inputs: readonly (tf.Tensor | Value | null)[],
  outputs: readonly OutputSpec[],
  { attributes = {}, domain = "" }: OnnxNodeOptions = {},
): tf.Tensor[] {
  const values = inputs.map((input) =>
    input === null || ("id" in input && !("dataId" in input))
      ? (input as Value | null)
      : graphValue(input as tf.Tensor),
  );
  return addNodes(currentGraph(), op, values, outputs, attributes, domain).map(tensorOf);
}

/** An int32 tensor as int64, which ONNX wants for the indices of many operators; for the inputs of {@link onnxNode}. */
export function int64Of(tensor: tf.Tensor): Value {
  return cast(currentGraph(), graphValue(tensor), "int64");
}
