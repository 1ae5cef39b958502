import tf = require("@tensorflow/tfjs");

import { addNode, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { sameShape } from "./arithmetic.js";
import { filled } from "./constants.js";
import type { Lowerings } from "./lowering.js";

/** View a value in another shape of the same size. */
export function reshape(graph: Graph, x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape)
    ? x
    : addNode(graph, "Reshape", [x, int64s(graph, shape)], { shape, dtype: x.dtype }, { allowzero: 1 });
}

/** Reorder dimensions: output dimension `i` is input dimension `perm[i]`. */
export function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  if (perm.every((from, to) => from === to)) return x;
  const shape = perm.map((i) => x.shape[i]!);
  // Moving dimensions of size 1 moves nothing in memory.
  const moved = perm.filter((i) => x.shape[i] !== 1);
  if (moved.every((from, i) => i === 0 || from > moved[i - 1]!)) return reshape(graph, x, shape);
  return addNode(graph, "Transpose", [x], { shape, dtype: x.dtype }, { perm });
}

/** Repeat a value along dimensions of size 1, in front of which further ones may come. */
export function expand(graph: Graph, x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape) ? x : addNode(graph, "Expand", [x, int64s(graph, shape)], { shape, dtype: x.dtype });
}

/** Join values along one dimension. */
export function concat(graph: Graph, values: readonly Value[], axis: number): Value {
  const present = values.filter(({ shape }) => sizeOf(shape) > 0);
  if (present.length === 1) return present[0]!;
  const shape = [...values[0]!.shape];
  shape[axis] = values.reduce((sum, value) => sum + value.shape[axis]!, 0);
  if (present.length === 0) return filled(graph, 0, shape, values[0]!.dtype);
  return addNode(graph, "Concat", present, { shape, dtype: present[0]!.dtype }, { axis });
}

function insertAxis(graph: Graph, x: Value, axis: number): Value {
  const shape = [...x.shape];
  shape.splice(axis < 0 ? shape.length + 1 + axis : axis, 0, 1);
  return reshape(graph, x, shape);
}

/** The place of a dimension from the front. */
export function axisOf(x: Value, axis: number): number {
  return axis < 0 ? axis + x.shape.length : axis;
}

export const shapes: Lowerings = {
  Reshape: (graph, { x }, { shape }) =>
    reshape(graph, x!, tf.util.inferFromImplicitShape(shape as number[], sizeOf(x!.shape))),
  ExpandDims: (graph, { input }, { dim }) => insertAxis(graph, input!, Number(dim)),
  Transpose: (graph, { x }, { perm }) => transpose(graph, x!, perm as number[]),
  Tile: (graph, { x }, { reps }) => {
    const repeats = reps as number[];
    const shape = x!.shape.map((size, i) => size * repeats[i]!);
    if (x!.shape.every((size, i) => size === 1 || repeats[i] === 1)) return expand(graph, x!, shape);
    return addNode(graph, "Tile", [x!, int64s(graph, repeats)], { shape, dtype: x!.dtype });
  },
  BroadcastTo: (graph, { x }, { shape }) => expand(graph, x!, shape as number[]),
  Concat: (graph, inputs, { axis }) => {
    const values = Object.values(inputs);
    return concat(graph, values, axisOf(values[0]!, Number(axis)));
  },
  Pack: (graph, inputs, { axis }) => {
    const values = Object.values(inputs).map((value) => insertAxis(graph, value, Number(axis)));
    return concat(graph, values, axisOf(values[0]!, Number(axis)));
  },
};
