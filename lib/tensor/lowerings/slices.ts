import tf = require("@tensorflow/tfjs");

import { addNode, addNodes, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { scalar } from "./arithmetic.js";
import { filled, int32s } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { axisOf, reshape } from "./shapes.js";

/**
 * A part of a value: `size` numbers of each dimension from `begin`, `stride` apart (backwards if negative).
 */
export function slice(
  graph: Graph,
  x: Value,
  begin: readonly number[],
  size: readonly number[],
  strides: readonly number[] = begin.map(() => 1),
): Value {
  const axes = [...x.shape.keys()].filter((i) => size[i] !== x.shape[i] || (strides[i] !== 1 && size[i] !== 1));
  if (axes.length === 0) return x;
  // Before the first element, where a negative number would count from the end.
  const before = -(2 ** 31);
  const ends = axes.map((i) => {
    const end = begin[i]! + (size[i]! - 1) * strides[i]! + Math.sign(strides[i]!);
    return end < 0 ? before : end;
  });
  return addNode(
    graph,
    "Slice",
    [
      x,
      int64s(
        graph,
        axes.map((i) => begin[i]!),
      ),
      int64s(graph, ends),
      int64s(graph, axes),
      int64s(
        graph,
        axes.map((i) => strides[i]!),
      ),
    ],
    { shape: size, dtype: x.dtype },
  );
}

/** Part of one dimension. */
export function sliceAxis(graph: Graph, x: Value, axis: number, begin: number, size: number): Value {
  const starts = x.shape.map((_, i) => (i === axis ? begin : 0));
  return slice(
    graph,
    x,
    starts,
    x.shape.map((whole, i) => (i === axis ? size : whole)),
  );
}

/** Put a number around a value: `[before, after]` for each dimension. */
export function pad(graph: Graph, x: Value, paddings: readonly (readonly number[])[], number: number): Value {
  const shape = x.shape.map((size, i) => size + paddings[i]![0]! + paddings[i]![1]!);
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
  if (sizeOf(x.shape) === 0) return filled(graph, number, shape, x.dtype);
  const pads = [...paddings.map(([before]) => before!), ...paddings.map(([, after]) => after!)];
  return addNode(graph, "Pad", [x, int64s(graph, pads), scalar(graph, number, x)], { shape, dtype: x.dtype });
}

/** The elements of one dimension at known places. */
export function pick(graph: Graph, x: Value, axis: number, places: readonly number[]): Value {
  if (places.length === x.shape[axis] && places.every((place, i) => place === i)) return x;
  const shape = x.shape.map((size, i) => (i === axis ? places.length : size));
  return addNode(graph, "Gather", [x, int32s(graph, places)], { shape, dtype: x.dtype }, { axis });
}

/** The order of some dimensions turned round. */
function reverse(graph: Graph, x: Value, axes: readonly number[]): Value {
  const turned = x.shape.map((_, i) => axes.includes(i));
  return slice(
    graph,
    x,
    x.shape.map((size, i) => (turned[i] ? size - 1 : 0)),
    x.shape,
    turned.map((isTurned) => (isTurned ? -1 : 1)),
  );
}

/** Cut one dimension into parts of the given sizes. */
function split(graph: Graph, x: Value, axis: number, sizes: readonly number[]): Value[] {
  if (sizes.length === 1) return [x];
  const outputs = sizes.map((size) => ({
    shape: x.shape.map((whole, i) => (i === axis ? size : whole)),
    dtype: x.dtype,
  }));
  return addNodes(graph, "Split", [x, int64s(graph, sizes)], outputs, { axis });
}

export const slices: Lowerings = {
  Slice: (graph, { x }, { begin, size }) => {
    const like = { shape: [...x!.shape], rank: x!.shape.length } as unknown as tf.Tensor;
    const [starts, sizes] = tf.slice_util.parseSliceParams(like, begin as number[], size as number[]);
    return slice(graph, x!, starts!, sizes!);
  },
  StridedSlice: (graph, { x }, attributes) => {
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes as {
      begin: number[];
      end: number[];
      strides: number[];
    } & Record<"beginMask" | "endMask" | "ellipsisMask" | "newAxisMask" | "shrinkAxisMask", number>;
    const part = tf.slice_util.sliceInfo(
      [...x!.shape],
      begin,
      end,
      strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    const size = tf.slice_util.computeOutShape(part.begin, part.end, part.strides);
    if (size.includes(0)) return filled(graph, 0, part.finalShape, x!.dtype);
    return reshape(graph, slice(graph, x!, part.begin, size, part.strides), part.finalShape);
  },
  SplitV: (graph, { x }, { numOrSizeSplits, axis }) => {
    const along = axisOf(x!, Number(axis));
    const like = { shape: [...x!.shape] } as unknown as tf.Tensor;
    return split(graph, x!, along, tf.backend_util.prepareSplitSize(like, numOrSizeSplits as number | number[], along));
  },
  Unpack: (graph, { value }, { axis }) => {
    const along = axisOf(value!, Number(axis));
    const rest = value!.shape.filter((_, i) => i !== along);
    const ones = new Array<number>(value!.shape[along]!).fill(1);
    return split(graph, value!, along, ones).map((part) => reshape(graph, part, rest));
  },
  PadV2: (graph, { x }, { paddings, constantValue }) => pad(graph, x!, paddings as number[][], Number(constantValue)),
  MirrorPad: (graph, { x }, { paddings, mode }) => {
    // "reflect" leaves the edge out, "symmetric" repeats it.
    const repeated = mode === "reflect" ? 0 : 1;
    return (paddings as number[][]).reduce((padded, [before, after], axis) => {
      const size = x!.shape[axis]!;
      const places = Array.from({ length: before! + size + after! }, (_, i) => {
        const place = i - before!;
        if (place < 0) return -place - repeated;
        return place < size ? place : 2 * (size - 1) - place + repeated;
      });
      return pick(graph, padded, axis, places);
    }, x!);
  },
  Reverse: (graph, { x }, { dims }) => reverse(graph, x!, tf.util.parseAxisParam(dims as number[], [...x!.shape])),
  FlipLeftRight: (graph, { image }) => reverse(graph, image!, [2]),
};
