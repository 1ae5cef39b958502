import tf = require("@tensorflow/tfjs");

import { int64s } from "../graph.js";
import { onnxNode } from "../onnx-node.js";
import { currentGraph, graphValue, isTracing } from "../tracing.js";
import { fusedOperation } from "./fused-operation.js";

/** A frozen matrix `[out, in]` in blocks along `in`: weight = scale · quant + offset. */
export interface BlockMatrix {
  /** `[out, in]` int8. */
  quants: tf.Tensor;
  /** `[out, in / blockSize]`. */
  scales: tf.Tensor;
  /** `[out, in / blockSize]`. Default: 0. */
  offsets?: tf.Tensor | undefined;
}

export interface BlockOptions {
  /** The most weights that a product has in float32 at a time: a larger matrix is taken in pieces. Default: 2^24, 64 MB. */
  weightsAtATime?: number;
}

const WEIGHTS_AT_A_TIME = 2 ** 24;

/**
 * The product x·Wᵀ with a matrix in blocks, which is in float32 only while it is used, in the forward and again in the
 * backward pass. The gradient is that of `x`.
 *
 * @param x `[rows, in]`
 * @returns `[rows, out]`
 */
export function blockLinear(x: tf.Tensor, matrix: BlockMatrix, options: BlockOptions = {}): tf.Tensor {
  const [out, input] = matrix.quants.shape as [number, number];
  const most = Math.max(1, Math.floor((options.weightsAtATime ?? WEIGHTS_AT_A_TIME) / input));
  return fusedOperation(
    [x],
    (x) => tf.matMul(x as tf.Tensor2D, blockWeights(matrix) as tf.Tensor2D, false, true),
    ([x]) => {
      const starts = Array.from({ length: Math.ceil(out / most) }, (_, piece) => piece * most);
      const pieceOf = (start: number, after: tf.Tensor) =>
        lowered(rowsOf(matrix, start, Math.min(out, start + most)), after) as tf.Tensor2D;
      const products = starts.map((start) => tf.matMul(x as tf.Tensor2D, pieceOf(start, x!), false, true));
      return {
        value: products.length === 1 ? products[0]! : tf.concat(products, 1),
        gradient: (dy) => {
          const rows = dy.shape[0]!;
          const parts = starts.map((start) => {
            const part = dy.slice([0, start], [rows, Math.min(out, start + most) - start]);
            return tf.matMul(part as tf.Tensor2D, pieceOf(start, dy));
          });
          return [parts.reduce((total, each) => total.add(each))];
        },
      };
    },
  );
}

/**
 * Rows of a matrix in blocks; they have no gradient.
 *
 * @param ids `[...]` int32
 * @returns `[..., in]`
 */
export function blockRows({ quants, scales, offsets }: BlockMatrix, ids: tf.Tensor): tf.Tensor {
  const flat = ids.flatten();
  if (!isTracing()) {
    return tf.gather(blockWeights({ quants, scales, offsets }), flat.toInt()).reshape([...ids.shape, quants.shape[1]!]);
  }
  const rows = (table: tf.Tensor) =>
    onnxNode("Gather", [table, flat], [{ shape: [flat.size, table.shape[1]!], dtype: graphValue(table).dtype }])[0]!;
  const chosen = { quants: rows(quants), scales: rows(scales), offsets: offsets && rows(offsets) };
  return lowered(chosen).reshape([...ids.shape, quants.shape[1]!]);
}

/** All weights of a matrix in blocks, `[out, in]`; they have no gradient. */
export function blockWeights(matrix: BlockMatrix, after?: tf.Tensor): tf.Tensor {
  if (isTracing()) return lowered(matrix, after);
  const { quants, scales, offsets } = matrix;
  const [out, input] = quants.shape as [number, number];
  const perBlock = (x: tf.Tensor) => x.reshape([out, -1, 1]);
  const scaled = quants.toFloat().reshape([out, scales.shape[1]!, -1]).mul(perBlock(scales));
  return (offsets ? scaled.add(perBlock(offsets)) : scaled).reshape([out, input]);
}

/**
 * @param after what is computed before: without it the runtime could make the matrices of all layers first, and keep that
 *   of the forward pass for the backward pass
 */
function lowered({ quants, scales, offsets }: BlockMatrix, after?: tf.Tensor): tf.Tensor {
  const [out, input] = quants.shape as [number, number];
  const blocks = scales.shape[1]!;
  const [weights] = onnxNode(
    "DequantizeLinear",
    [quants, after ? scales.add(nothingOf(after)) : scales],
    [{ shape: [out, input], dtype: "float32" }],
    { attributes: { axis: 1, block_size: input / blocks } },
  );
  if (!offsets) return weights!;
  return weights!
    .reshape([out, blocks, input / blocks])
    .add(offsets.reshape([out, blocks, 1]))
    .reshape([out, input]);
}

/** A 0 that is known when a tensor is. */
function nothingOf(x: tf.Tensor): tf.Tensor {
  const [first] = onnxNode(
    "Slice",
    [x, ...[[0, 0], [1, 1], [0, 1]].map((each) => int64s(currentGraph(), each))],
    [{ shape: [1, 1], dtype: "float32" }],
  );
  return onnxNode("Mul", [first!, tf.scalar(0)], [{ shape: [1, 1], dtype: "float32" }])[0]!;
}

function rowsOf(matrix: BlockMatrix, from: number, to: number): BlockMatrix {
  if (from === 0 && to === matrix.quants.shape[0]) return matrix;
  const part = (x: tf.Tensor) =>
    onnxNode(
      "Slice",
      [x, ...[[from], [to], [0]].map((each) => int64s(currentGraph(), each))],
      [{ shape: [to - from, x.shape[1]!], dtype: graphValue(x).dtype }],
    )[0]!;
  return { quants: part(matrix.quants), scales: part(matrix.scales), offsets: matrix.offsets && part(matrix.offsets) };
}
