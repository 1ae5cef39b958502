import * as tf from "@tensorflow/tfjs";
import { addNode, type Graph, int64s, type Value } from "../graph.js";
import type { Lowering, Lowerings } from "./lowering.js";

/** An ONNX reduction over some axes. */
export function reduce(graph: Graph, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const [reduced] = tf.backend_util.computeOutAndReduceShapes([...x.shape], [...axes]);
  const shape = keepDims ? tf.backend_util.expandShapeToKeepDim(reduced!, [...axes]) : reduced!;
  return addNode(graph, op, [x, int64s(graph, axes)], { shape, dtype: x.dtype }, { keepdims: Number(keepDims) });
}

const simple =
  (op: string): Lowering =>
  (graph, { x }, { axis, reductionIndices, keepDims }) =>
    reduce(
      graph,
      op,
      x!,
      tf.util.parseAxisParam((axis ?? reductionIndices) as number | number[], [...x!.shape]),
      Boolean(keepDims),
    );

export const reductions: Lowerings = {
  Sum: simple("ReduceSum"),
  Mean: simple("ReduceMean"),
  Max: simple("ReduceMax"),
  Min: simple("ReduceMin"),
  Softmax: (graph, { logits }, { dim }) => addNode(graph, "Softmax", [logits!], logits!, { axis: Number(dim) }),
  LogSoftmax: (graph, { logits }, { axis }) => addNode(graph, "LogSoftmax", [logits!], logits!, { axis: Number(axis) }),
};
