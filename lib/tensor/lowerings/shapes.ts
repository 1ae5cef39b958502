import * as tf from "@tensorflow/tfjs";
import { addNode, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { sameShape } from "./arithmetic.js";
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

export const shapes: Lowerings = {
  Reshape: (graph, { x }, { shape }) =>
    reshape(graph, x!, tf.util.inferFromImplicitShape(shape as number[], sizeOf(x!.shape))),
  ExpandDims: (graph, { input }, { dim }) => {
    const shape = [...input!.shape];
    const axis = Number(dim);
    shape.splice(axis < 0 ? shape.length + 1 + axis : axis, 0, 1);
    return reshape(graph, input!, shape);
  },
  Transpose: (graph, { x }, { perm }) => transpose(graph, x!, perm as number[]),
  Tile: (graph, { x }, { reps }) => {
    const repeats = reps as number[];
    return addNode(graph, "Tile", [x!, int64s(graph, repeats)], {
      shape: x!.shape.map((size, i) => size * repeats[i]!),
      dtype: x!.dtype,
    });
  },
};
