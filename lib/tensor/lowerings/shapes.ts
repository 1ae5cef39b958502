import * as tf from "@tensorflow/tfjs";
import { addNode, addSplat, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary, sameShape, scalar } from "./arithmetic.js";
import { select } from "./comparison.js";
import type { Lowerings } from "./lowering.js";
import { pad, slice } from "./slices.js";

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
  const filled = values.filter(({ shape }) => sizeOf(shape) > 0);
  if (filled.length <= 1) return filled[0] ?? values[0]!;
  const shape = [...filled[0]!.shape];
  shape[axis] = filled.reduce((sum, value) => sum + value.shape[axis]!, 0);
  return addNode(graph, "Concat", filled, { shape, dtype: filled[0]!.dtype }, { axis });
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
  // Shapes as tensors, with ones put in front of the shorter one.
  BroadcastArgs: (graph, { s0, s1 }) => {
    const rank = Math.max(s0!.shape[0]!, s1!.shape[0]!);
    const [a, b] = [s0!, s1!].map((sizes) =>
      concat(graph, [addSplat(graph, 1, [rank - sizes.shape[0]!], "int32"), sizes], 0),
    ) as [Value, Value];
    const isOne = binary(graph, "Equal", a, scalar(graph, 1, a), "bool");
    return select(graph, isOne, b, a);
  },
  Concat: (graph, inputs, { axis }) => {
    const values = Object.values(inputs);
    return concat(graph, values, axisOf(values[0]!, Number(axis)));
  },
  Pack: (graph, inputs, { axis }) => {
    const values = Object.values(inputs).map((value) => insertAxis(graph, value, Number(axis)));
    return concat(graph, values, axisOf(values[0]!, Number(axis)));
  },
  DepthToSpace: (graph, { x }, { blockSize, dataFormat }) => {
    const block = Number(blockSize);
    const isLast = dataFormat === "NHWC";
    const [batch, height, width, depth] = (isLast ? x!.shape : [0, 2, 3, 1].map((i) => x!.shape[i]!)) as [
      number,
      number,
      number,
      number,
    ];
    const inner = depth / block ** 2;
    const [split, perm] = isLast
      ? [
          [batch, height, width, block, block, inner],
          [0, 1, 3, 2, 4, 5],
        ]
      : [
          [batch, block, block, inner, height, width],
          [0, 3, 4, 1, 5, 2],
        ];
    const moved = transpose(graph, reshape(graph, x!, split), perm);
    const [outHeight, outWidth] = [height * block, width * block];
    return reshape(graph, moved, isLast ? [batch, outHeight, outWidth, inner] : [batch, inner, outHeight, outWidth]);
  },
  SpaceToBatchND: (graph, { x }, { blockShape, paddings }) => {
    const block = blockShape as number[];
    const around = [[0, 0], ...(paddings as number[][])];
    const padded = pad(graph, x!, [...around, ...x!.shape.slice(around.length).map(() => [0, 0])], 0);
    const { getReshaped, getPermuted, getReshapedPermuted } = tf.backend_util;
    const blocks = sizeOf(block);
    const split = getReshaped([...padded.shape], block, blocks, false);
    const moved = transpose(graph, reshape(graph, padded, split), getPermuted(split.length, block.length, false));
    return reshape(graph, moved, getReshapedPermuted([...padded.shape], block, blocks, false));
  },
  BatchToSpaceND: (graph, { x }, { blockShape, crops }) => {
    const block = blockShape as number[];
    const { getReshaped, getPermuted, getReshapedPermuted, getSliceBeginCoords, getSliceSize } = tf.backend_util;
    const blocks = sizeOf(block);
    const split = getReshaped([...x!.shape], block, blocks);
    const moved = transpose(graph, reshape(graph, x!, split), getPermuted(split.length, block.length));
    const whole = getReshapedPermuted([...x!.shape], block, blocks);
    const edges = crops as number[][];
    return slice(
      graph,
      reshape(graph, moved, whole),
      getSliceBeginCoords(edges, block.length),
      getSliceSize(whole, edges, block.length),
    );
  },
};
