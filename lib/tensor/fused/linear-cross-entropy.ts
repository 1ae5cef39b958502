import tf = require("@tensorflow/tfjs");

import { int64s } from "../graph.js";
import { int64Of, onnxNode } from "../onnx-node.js";
import type { DType } from "../tensor-data.js";
import { currentGraph } from "../tracing.js";
import { softmaxCrossEntropy } from "./cross-entropy.js";
import { fusedOperation } from "./fused-operation.js";

/** Logits kept at a time: 256 MB. More are computed in pieces of about this size, each one dropped before the next. */
const LOGITS_AT_A_TIME = 2 ** 26;

export interface LinearCrossEntropyOptions {
  /** Most rows whose logits are kept at a time. Default: as many as fit into 256 MB. */
  rowsAtATime?: number;
}

/**
 * Negative log-probability of each label under an output layer, −log softmax(hidden·tableᵀ)[label], without keeping all
 * logits: `softmaxCrossEntropy` of a matrix product. With a large vocabulary the rows are computed in pieces, and what a
 * piece contributes to the gradient of `hidden`, (softmax − one-hot)·table, follows at once: each row's gradient is this
 * times a number, so that nothing as wide as the vocabulary waits for the backward pass (Hsu et al. 2024, Liger Kernel, section 3.2).
 *
 * @param hidden `[rows, width]`
 * @param table `[vocab, width]`
 * @param labels `[rows]` int32; negative: 0, with no gradient
 * @returns `[rows]`, in nats
 */
export function linearCrossEntropy(
  hidden: tf.Tensor,
  table: tf.Tensor,
  labels: tf.Tensor,
  { rowsAtATime }: LinearCrossEntropyOptions = {},
): tf.Tensor {
  const vocabulary = table.shape[0]!;
  const most = Math.max(1, rowsAtATime ?? Math.floor(LOGITS_AT_A_TIME / vocabulary));
  const pieces = piecesOf(hidden.shape[0]!, most);
  if (pieces.length <= 1) return linearCrossEntropyReference(hidden, table, labels);
  return fusedOperation(
    [hidden, table],
    (hidden, table) => linearCrossEntropyReference(hidden!, table!, labels),
    ([hidden, table], save) => {
      const [rows, width] = hidden!.shape as [number, number];
      const column = labels.reshape([-1, 1]);
      const counted = column.greaterEqual(0).toFloat();
      const index = column.maximum(tf.scalar(0, "int32"));
      // Rows behind the last counted one are left out: lists of counted tokens have room for more.
      const end = tf
        .range(1, rows + 1)
        .mul(counted.reshape([rows]))
        .max()
        .toInt()
        .reshape([1]);
      const parts = pieces.map((piece) => {
        const part = (x: tf.Tensor) => rowsBelow(x, piece, end);
        return pieceOf(part(hidden!), table!, part(index), part(counted));
      });
      // Loss and gradient of a piece in one tensor: the runtime, which computes backwards from what is asked for, has to
      // finish one piece before the next.
      const both = tf.concat([
        ...parts.map(({ loss, gradient }) => tf.concat([gradient, loss], 1)),
        tf.zeros([rows, width + 1]),
      ]);
      const gradients = both.slice([0, 0], [rows, width]);
      save([hidden!, gradients, end, ...parts.map(({ slope }) => slope)]);
      return {
        value: both.slice([0, width], [rows, 1]).reshape([rows]),
        gradient: (dy, [hidden, gradients, end, ...slopes]) => {
          const scale = dy.reshape([-1, 1]);
          const scaled = hidden!.mul(scale);
          const table = slopes.map((slope, at) =>
            tf.matMul(slope as tf.Tensor2D, rowsBelow(scaled, pieces[at]!, end!) as tf.Tensor2D, true),
          );
          // Of a frozen table nobody asks for the latter, so that it is not computed.
          return [gradients!.mul(scale), table.reduce((total, each) => total.add(each))];
        },
      };
    },
  );
}

/** The rows of a piece below `end`, a number that only a call knows: when traced they count as all of the piece. */
function rowsBelow(x: tf.Tensor, { from, count }: Range, end: tf.Tensor): tf.Tensor {
  const graph = currentGraph();
  const to = end.minimum(tf.scalar(from + count, "int32"));
  const bounds = [int64s(graph, [from]), int64Of(to), int64s(graph, [0])];
  return onnxNode("Slice", [x, ...bounds], [{ shape: [count, x.shape[1]!], dtype: x.dtype as DType }])[0]!;
}

interface Piece {
  loss: tf.Tensor;
  /** The loss by the hidden states. */
  gradient: tf.Tensor;
  /** The loss by the logits. */
  slope: tf.Tensor;
}

/** Every operator here takes any number of rows. */
function pieceOf(hidden: tf.Tensor, table: tf.Tensor, index: tf.Tensor, counted: tf.Tensor): Piece {
  const logits = tf.matMul(hidden as tf.Tensor2D, table as tf.Tensor2D, false, true);
  const like = { shape: logits.shape, dtype: "float32" } as const;
  // Both from the logits: the runtime's softmax is several times as fast as its exponential.
  const [logProbabilities] = onnxNode("LogSoftmax", [logits], [like], { attributes: { axis: -1 } });
  const [probabilities] = onnxNode("Softmax", [logits], [like], { attributes: { axis: -1 } });
  const [picked] = onnxNode("GatherElements", [logProbabilities!, index], [{ shape: index.shape, dtype: "float32" }], {
    attributes: { axis: 1 },
  });
  const [difference] = onnxNode("ScatterElements", [probabilities!, index, counted.neg()], [like], {
    attributes: { axis: 1, reduction: "add" },
  });
  return {
    loss: picked!.mul(counted).neg(),
    gradient: tf.matMul(difference as tf.Tensor2D, table as tf.Tensor2D).mul(counted),
    slope: difference!.mul(counted),
  };
}

interface Range {
  from: number;
  count: number;
}

/** Rows in as few pieces of nearly one length as fit. */
function piecesOf(rows: number, most: number): Range[] {
  const count = Math.ceil(rows / most);
  const length = Math.ceil(rows / Math.max(1, count));
  return Array.from({ length: count }, (_, at) => ({
    from: at * length,
    count: Math.min(length, rows - at * length),
  })).filter(({ count }) => count > 0);
}

/** {@link linearCrossEntropy} with all logits at once. */
export function linearCrossEntropyReference(hidden: tf.Tensor, table: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return softmaxCrossEntropy(tf.matMul(hidden as tf.Tensor2D, table as tf.Tensor2D, false, true), labels);
}
