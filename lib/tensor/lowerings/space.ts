import tf = require("@tensorflow/tfjs");

import { sizeOf } from "../tensor-data.js";
import type { Lowerings } from "./lowering.js";
import { reshape, transpose } from "./shapes.js";
import { pad, slice } from "./slices.js";

/** Blocks of pixels moved to the depth or the batch, and back. */
export const spaces: Lowerings = {
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
    const edges = crops as number[][];
    const shape = getReshapedPermuted([...x!.shape], block, blocks);
    const begin = getSliceBeginCoords(edges, block.length);
    const size = getSliceSize(shape, edges, block.length);
    const rest = shape.slice(begin.length);
    return slice(graph, reshape(graph, moved, shape), [...begin, ...rest.map(() => 0)], [...size, ...rest]);
  },
};
