import tf = require("@tensorflow/tfjs");

import { addNode, addSplat, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary, scalar } from "./arithmetic.js";
import { cast, numeric } from "./cast.js";
import type { Lowering, Lowerings } from "./lowering.js";
import { axisOf, reshape } from "./shapes.js";

/** An ONNX reduction over some axes. Over none, or over dimensions of size 1, it leaves the numbers as they are. */
export function reduce(graph: Graph, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const shape = reducedShape(x, axes, keepDims);
  if (axes.every((axis) => x.shape[axis] === 1)) return reshape(graph, x, shape);
  return addNode(graph, op, [x, int64s(graph, axes)], { shape, dtype: x.dtype }, { keepdims: Number(keepDims) });
}

function reducedShape(x: Value, axes: readonly number[], keepDims: boolean): number[] {
  const [reduced] = tf.backend_util.computeOutAndReduceShapes([...x.shape], [...axes]);
  return keepDims ? tf.backend_util.expandShapeToKeepDim(reduced!, [...axes]) : reduced!;
}

/** The largest or smallest numbers; unlike ONNX Runtime's own, NaN if there is one. */
function extreme(
  graph: Graph,
  op: "ReduceMax" | "ReduceMin",
  x: Value,
  axes: readonly number[],
  keepDims: boolean,
): Value {
  const found = reduce(graph, op, x, axes, keepDims);
  if (x.dtype !== "float32" || axes.every((axis) => x.shape[axis] === 1)) return found;
  // 0 of every number but NaN.
  const zero = scalar(graph, 0, x);
  const traces = addNode(graph, "Clip", [x, zero, zero], x);
  const trace = reduce(graph, "ReduceSum", traces, axes, keepDims);
  return binary(graph, "Add", found, trace);
}

type Reduction = (graph: Graph, x: Value, axes: readonly number[], keepDims: boolean) => Value;

/** A reduction as TensorFlow.js's cpu backend has it, with a number for what is made of nothing. */
const reduction =
  (ofNothing: number, prepare: (graph: Graph, x: Value) => Value, compute: Reduction): Lowering =>
  (graph, { x }, { axis, reductionIndices, keepDims }) => {
    const axes = tf.util.parseAxisParam((axis ?? reductionIndices) as number | number[], [...x!.shape]);
    const numbers = prepare(graph, x!);
    if (sizeOf(x!.shape) > 0) return compute(graph, numbers, axes, Boolean(keepDims));
    const dtype = numbers.dtype as "float32" | "int32" | "bool";
    const nothing = dtype === "float32" ? ofNothing : ofNothing || 0;
    return addSplat(graph, nothing, reducedShape(x!, axes, Boolean(keepDims)), dtype);
  };

const by =
  (op: string): Reduction =>
  (graph, x, axes, keepDims) =>
    reduce(graph, op, x, axes, keepDims);

const extremeBy =
  (op: "ReduceMax" | "ReduceMin"): Reduction =>
  (graph, x, axes, keepDims) =>
    extreme(graph, op, x, axes, keepDims);

const asTruth = (graph: Graph, x: Value) => cast(graph, x, "bool");
const asItIs = (_: Graph, x: Value) => x;

/** The place of the largest or smallest number: the first, ignoring NaN unless it comes first, as ONNX Runtime does too. */
const place =
  (op: "ArgMax" | "ArgMin"): Lowering =>
  (graph, { x }, { axis }) => {
    const along = axisOf(x!, tf.util.parseAxisParam(axis as number, [...x!.shape])[0]!);
    const shape = x!.shape.filter((_, i) => i !== along);
    if (x!.shape[along] === 0) return addSplat(graph, 0, shape, "int32");
    const found = addNode(graph, op, [numeric(graph, x!)], { shape, dtype: "int64" }, { axis: along, keepdims: 0 });
    return cast(graph, found, "int32");
  };

export const reductions: Lowerings = {
  Sum: reduction(0, numeric, by("ReduceSum")),
  Mean: reduction(0, (graph, x) => cast(graph, x, "float32"), by("ReduceMean")),
  Prod: reduction(1, numeric, by("ReduceProd")),
  Max: reduction(Number.NaN, asItIs, extremeBy("ReduceMax")),
  Min: reduction(Number.NaN, asItIs, extremeBy("ReduceMin")),
  // The cpu backend finds neither in nothing.
  All: reduction(0, asTruth, by("ReduceMin")),
  Any: reduction(0, asTruth, by("ReduceMax")),
  ArgMax: place("ArgMax"),
  ArgMin: place("ArgMin"),
  Softmax: (graph, { logits }, { dim }) => addNode(graph, "Softmax", [logits!], logits!, { axis: Number(dim) }),
  LogSoftmax: (graph, { logits }, { axis }) => addNode(graph, "LogSoftmax", [logits!], logits!, { axis: Number(axis) }),
};
