import { addNode, constantData, type Graph, isConstant, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary, scalar } from "./arithmetic.js";
import { cast, numeric } from "./cast.js";
import { select } from "./comparison.js";
import { filled, int32s } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { reduce } from "./reductions.js";
import { expand, reshape } from "./shapes.js";
import { pad, sliceAxis } from "./slices.js";

/**
 * Write slices into a value at indices. Sums where indices repeat; written without a sum, the order of ONNX Runtime's
 * threads decides there, where TensorFlow.js's cpu backend takes the last.
 *
 * @param indices `[..., depth]`, each an index into the first `depth` dimensions, or `[...]` of one dimension
 */
export function scatter(graph: Graph, data: Value, indices: Value, updates: Value, isSum: boolean): Value {
  const depth = indices.shape.length > 1 ? indices.shape.at(-1)! : 1;
  const count = sizeOf(indices.shape) / Math.max(depth, 1);
  const sliceShape = data.shape.slice(depth);
  if (count === 0 || sizeOf(data.shape) === 0) return data;
  const shape = [count, ...sliceShape];
  const slices = updates.shape.length === 0 ? expand(graph, updates, shape) : reshape(graph, updates, shape);
  const places = cast(graph, reshape(graph, indices, [count, depth]), "int64");
  return isSum ? scatterSum(graph, data, places, slices) : addNode(graph, "ScatterND", [data, places, slices], data);
}

/**
 * ONNX Runtime's ScatterND adds up in several threads at once, which lose sums where indices repeat; its ScatterElements
 * adds in the order of the slices.
 *
 * @param places `[count, depth]` int64
 * @param slices `[count, ...]`
 */
function scatterSum(graph: Graph, data: Value, places: Value, slices: Value): Value {
  const [count, depth] = places.shape as [number, number];
  const outer = data.shape.slice(0, depth);
  const width = sizeOf(data.shape.slice(depth));
  const strides = outer.map((_, axis) => sizeOf(outer.slice(axis + 1)));
  const steps = cast(graph, int32s(graph, strides, [1, depth]), "int64");
  const row = reduce(graph, "ReduceSum", binary(graph, "Mul", places, steps), [1], true);
  const sums = addNode(
    graph,
    "ScatterElements",
    [
      reshape(graph, data, [sizeOf(outer), width]),
      expand(graph, row, [count, width]),
      reshape(graph, slices, [count, width]),
    ],
    { shape: [sizeOf(outer), width], dtype: data.dtype },
    { axis: 0, reduction: "add" },
  );
  return reshape(graph, sums, data.shape);
}

/** Replace all indices outside of 0 … size − 1 by `size`, one position past the end. */
function boundedIndices(graph: Graph, indices: Value, size: number): { places: Value; areBounded: boolean } {
  if (isConstant(indices) && Array.from(constantData(indices), Number).every((i) => i >= 0 && i < size))
    return { places: indices, areBounded: true };
  const isInside = binary(
    graph,
    "And",
    binary(graph, "GreaterOrEqual", indices, scalar(graph, 0, indices), "bool"),
    binary(graph, "Less", indices, scalar(graph, size, indices), "bool"),
  );
  return { places: select(graph, isInside, indices, scalar(graph, size, indices)), areBounded: false };
}

/** Sums of slices by indices along a new first dimension; slices with other indices are left out. */
function sumByIndex(graph: Graph, indices: Value, slices: Value, size: number): Value {
  const { places, areBounded } = boundedIndices(graph, indices, size);
  const shape = [size + Number(!areBounded), ...slices.shape.slice(1)];
  const sums = scatter(graph, filled(graph, 0, shape, slices.dtype), places, slices, true);
  return sliceAxis(graph, sums, 0, 0, size);
}

/** Numbers to add up for each index: the weights, or ones. */
function weightsOf(graph: Graph, x: Value, weights: Value): Value {
  return sizeOf(weights.shape) > 0 ? weights : filled(graph, 1, x.shape, weights.dtype);
}

function countRows(graph: Graph, x: Value, weights: Value, size: number, isBinary: boolean): Value {
  const [rows, columns] = x.shape as [number, number];
  const { places } = boundedIndices(graph, x, size);
  const starts = int32s(
    graph,
    Array.from({ length: rows }, (_, i) => i * (size + 1)),
    [rows, 1],
  );
  const flat = reshape(graph, binary(graph, "Add", places, starts), [rows * columns]);
  const updates = isBinary ? filled(graph, 1, x.shape, weights.dtype) : weightsOf(graph, x, weights);
  const counts = filled(graph, 0, [rows * (size + 1)], weights.dtype);
  const all = scatter(graph, counts, flat, reshape(graph, updates, [rows * columns]), !isBinary);
  return sliceAxis(graph, reshape(graph, all, [rows, size + 1]), 1, 0, size);
}

export const scatters: Lowerings = {
  ScatterNd: (graph, { indices, updates }, { shape }) => {
    const numbers = numeric(graph, updates!);
    const zeros = filled(graph, 0, shape as number[], numbers.dtype);
    return cast(graph, scatter(graph, zeros, indices!, numbers, true), updates!.dtype);
  },
  TensorScatterUpdate: (graph, { tensor, indices, updates }) =>
    scatter(graph, tensor!, indices!, cast(graph, updates!, tensor!.dtype), false),
  SparseToDense: (graph, { sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
    const empty = expand(graph, cast(graph, defaultValue!, sparseValues!.dtype), outputShape as number[]);
    return scatter(graph, empty, sparseIndices!, sparseValues!, false);
  },
  UnsortedSegmentSum: (graph, { x, segmentIds }, { numSegments }) => {
    const count = Number(numSegments);
    // The cpu backend multiplies with masks of float32.
    const numbers = cast(graph, x!, "float32");
    const ids = segmentIds!;
    if (ids.shape.length === 1) return sumByIndex(graph, ids, numbers, count);
    // Of more than one dimension the cpu backend sums over the first one only, unlike TensorFlow.
    const rest = new Array<number>(x!.shape.length - ids.shape.length).fill(1);
    const [first, ...others] = ids.shape as [number, ...number[]];
    const places = reshape(graph, ids, [1, first, ...rest, ...others]);
    const segments = int32s(
      graph,
      Array.from({ length: count }, (_, i) => i),
      [count, ...x!.shape.map(() => 1)],
    );
    const mask = cast(graph, binary(graph, "Equal", places, segments, "bool"), "float32");
    const masked = binary(graph, "Mul", mask, reshape(graph, numbers, [1, ...x!.shape]));
    return reduce(graph, "ReduceSum", masked, [1], false);
  },
  Bincount: (graph, { x, weights }, { size }) => sumByIndex(graph, x!, weightsOf(graph, x!, weights!), Number(size)),
  DenseBincount: (graph, { x, weights }, { size, binaryOutput }) =>
    x!.shape.length === 1
      ? // The cpu backend counts here whether binaryOutput is set or not.
        sumByIndex(graph, x!, weightsOf(graph, x!, weights!), Number(size))
      : countRows(graph, x!, weights!, Number(size), Boolean(binaryOutput)),
  // Each number followed by zeros, one more than would fill its row, stands on the diagonal.
  Diag: (graph, { x }) => {
    const size = sizeOf(x!.shape);
    if (size === 0) return filled(graph, 0, [...x!.shape, ...x!.shape], x!.dtype);
    const column = reshape(graph, x!, [size, 1]);
    const rows = pad(
      graph,
      column,
      [
        [0, 0],
        [0, size],
      ],
      0,
    );
    const flat = sliceAxis(graph, reshape(graph, rows, [size * (size + 1)]), 0, 0, size * size);
    return reshape(graph, flat, [...x!.shape, ...x!.shape]);
  },
};
