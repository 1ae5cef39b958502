import tf = require("@tensorflow/tfjs");

import { addNode, addNodes, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary } from "./arithmetic.js";
import { cast, through } from "./cast.js";
import { select } from "./comparison.js";
import { float32s, int32s } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { reduce } from "./reductions.js";
import { axisOf, expand, reshape, transpose } from "./shapes.js";

/** Slices of a value along one dimension, by indices. */
function gather(graph: Graph, x: Value, indices: Value, axis: number): Value {
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return addNode(graph, "Gather", [x, indices], { shape, dtype: x.dtype }, { axis });
}

/** Gather from each example of a batch by its own indices: one gather from all examples end to end. */
function gatherInBatches(graph: Graph, x: Value, indices: Value, axis: number, batchDims: number): Value {
  const like = (value: Value) => ({ shape: [...value.shape] }) as unknown as tf.Tensor;
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(like(x), like(indices), axis, batchDims);
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  const each = sizeOf(indices.shape) / Math.max(batchSize, 1);
  const rows = transpose(graph, reshape(graph, x, [batchSize, outerSize, dimSize, sliceSize]), [0, 2, 1, 3]);
  const starts = int32s(
    graph,
    Array.from({ length: batchSize }, (_, i) => i * dimSize),
    [batchSize, 1],
  );
  const places = binary(graph, "Add", reshape(graph, indices, [batchSize, each]), starts);
  const table = reshape(graph, rows, [batchSize * dimSize, outerSize * sliceSize]);
  const found = reshape(graph, gather(graph, table, places, 0), [batchSize, each, outerSize, sliceSize]);
  return reshape(graph, transpose(graph, found, [0, 2, 1, 3]), outputShape);
}

/** How many numbers of each row lie below (or at) each value. */
function countBelow(graph: Graph, sorted: Value, values: Value, isInclusive: boolean): Value {
  const [rows, length] = sorted.shape as [number, number];
  const width = values.shape[1]!;
  const isBelow = binary(
    graph,
    isInclusive ? "LessOrEqual" : "Less",
    reshape(graph, sorted, [rows, 1, length]),
    reshape(graph, values, [rows, width, 1]),
    "bool",
  );
  return reduce(graph, "ReduceSum", cast(graph, isBelow, "int32"), [2], false);
}

export const gathers: Lowerings = {
  GatherV2: (graph, { x, indices }, { axis, batchDims }) => {
    const along = axisOf(x!, Number(axis));
    const batches = Number(batchDims ?? 0);
    return batches === 0
      ? gather(graph, x!, indices!, along)
      : gatherInBatches(graph, x!, indices!, along, axisOf(indices!, batches));
  },
  GatherNd: (graph, { params, indices }) => {
    const depth = indices!.shape.at(-1)!;
    const shape = [...indices!.shape.slice(0, -1), ...params!.shape.slice(depth)];
    if (depth === 0) return expand(graph, params!, shape);
    const places = cast(graph, indices!, "int64");
    const find = (x: Value) => addNode(graph, "GatherND", [x, places], { shape, dtype: x.dtype });
    return params!.dtype === "bool" ? through(graph, params!, "int32", find) : find(params!);
  },
  // ONNX Runtime's OneHot is slow.
  OneHot: (graph, { indices }, { depth, onValue, offValue, dtype }) => {
    const classes = int32s(
      graph,
      Array.from({ length: Number(depth) }, (_, i) => i),
    );
    const isHot = binary(graph, "Equal", reshape(graph, indices!, [...indices!.shape, 1]), classes, "bool");
    const type = dtype as "float32" | "int32" | "bool";
    if (onValue === 1 && offValue === 0) return cast(graph, isHot, type);
    const [on, off] = [onValue, offValue].map((value) => float32s(graph, [Number(value)], [])) as [Value, Value];
    return cast(graph, select(graph, isHot, on, off), type);
  },
  TopK: (graph, { x }, { k }) => {
    const shape = [...x!.shape.slice(0, -1), Number(k)];
    const [values, indices] = addNodes(
      graph,
      "TopK",
      [x!, int64s(graph, [Number(k)])],
      [
        { shape, dtype: x!.dtype },
        { shape, dtype: "int64" },
      ],
    );
    return [values!, cast(graph, indices!, "int32")];
  },
  SearchSorted: (graph, { sortedSequence, values }, { side }) =>
    countBelow(graph, sortedSequence!, values!, side === "right"),
  LowerBound: (graph, { sortedSequence, values }) => countBelow(graph, sortedSequence!, values!, false),
  UpperBound: (graph, { sortedSequence, values }) => countBelow(graph, sortedSequence!, values!, true),
};
