import type { Graph, Value } from "../graph.js";

/**
 * How one TensorFlow.js kernel becomes ONNX nodes. Inputs and attributes have the names of tfjs-core's
 * `kernel_names.ts`. Outputs have the shape and dtype TensorFlow.js gives them.
 */
export type Lowering = (
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  // Attributes are TensorFlow.js's own, of a kind known by kernel; each lowering reads what its kernel declares.
  attributes: Readonly<Record<string, unknown>>,
) => Value | Value[];

export type Lowerings = Readonly<Record<string, Lowering>>;
