import tf = require("@tensorflow/tfjs");

import { int64s } from "../graph.js";
import { onnxNode } from "../onnx-node.js";
import { currentGraph, isTracing } from "../tracing.js";
import { fusedOperation } from "./fused-operation.js";

export interface AttentionOptions {
  /** Factor on the scores. Default: 1/√headWidth. */
  scale?: number;
  /**
   * Which keys count, `[batch, time]`: 1 for a token, 0 for padding. Or which key each query may see, `[batch, time, time]`,
   * of those up to its own place. Default: all.
   */
  mask?: tf.Tensor;
}

/** Added to the score of a key that must not be seen: finite, so that a row in which all are hidden is no NaN. */
const HIDDEN = -(2 ** 30);

/**
 * In compiled functions no score is let further below the best of its row than this. exp(−40) is nothing in a float32 sum, but
 * what exp gives below −87, and its products with small gradients, are denormal numbers, with which processors are 10 to
 * 100 times slower.
 */
const DEEPEST = -40;

/**
 * Causal attention: softmax(q·kᵀ·scale)·v in which a query sees the keys up to its own place (Vaswani et al. 2017, eq. 1).
 * With fewer key than query heads, heads share keys in groups of neighbours (Ainslie et al. 2023). The value of a query that
 * sees no key, as in padding, means nothing.
 *
 * @param q `[batch, heads, time, headWidth]`
 * @param k `[batch, keyHeads, time, headWidth]`, keyHeads a divisor of heads
 * @param v `[batch, keyHeads, time, headWidth]`
 * @returns `[batch, heads, time, headWidth]`
 */
export function causalAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, options: AttentionOptions = {}): tf.Tensor {
  return fusedOperation(
    [q, k, v],
    (q, k, v) => causalAttentionReference(q!, k!, v!, options),
    ([q, k, v], save) => {
      const scale = options.scale ?? 1 / Math.sqrt(q!.shape[3]!);
      const blocks = blocksOf(q!.shape[2]!);
      const parts = blocks.map((block) => blockAttention(q!, k!, v!, block, { ...options, scale }));
      const value = joined(parts.map((part) => part.value));
      save([q!, k!, v!, value, ...parts.map(({ seen }) => seen)]);
      return { value, gradient: (dy, saved) => attentionGradient(dy, saved, blocks, scale) };
    },
  );
}

/** Queries of neighbouring places: from `from` up to, not including, `to`. They see the keys below `to`. */
interface Block {
  from: number;
  to: number;
}

/** Queries per block, roughly: with more, scores that nobody sees are computed; with fewer, products are slow. */
const BLOCK = 128;

/** A text's queries in blocks of one length, as far as that goes; a short text is one block. */
function blocksOf(time: number): Block[] {
  const count = Math.max(1, Math.floor(time / BLOCK));
  const length = Math.ceil(time / count);
  return Array.from({ length: count }, (_, at) => ({ from: at * length, to: Math.min(time, (at + 1) * length) }));
}

/**
 * What the queries of a block attend to, `[batch, heads, block, headWidth]`, and for the gradient how much to each key that
 * they see, `[batch, heads, block, to]`. There hidden keys have exactly 0: the little that softmax leaves to them would give
 * padding a gradient, a smaller one in each layer below, and soon denormal numbers, with which products are slow.
 */
function blockAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  block: Block,
  { scale, mask }: { scale: number; mask?: tf.Tensor },
): { value: tf.Tensor; seen: tf.Tensor } {
  const { from, to } = block;
  const [queries, keys, values] = [places(q, from, to), places(k, 0, to), places(v, 0, to)];
  // Scaling queries instead of scores is less work, as there are more scores than queries are wide.
  const products = tf.matMul(grouped(queries.mul(scale), k), keys, false, true);
  const scores = products.reshape([...queries.shape.slice(0, 3), to]);
  const hidden = visibility(block, mask);
  const probabilities = deepSoftmax(scores.add(hidden));
  return {
    value: tf.matMul(grouped(probabilities, k), values).reshape(queries.shape),
    seen: probabilities.mul(hidden.div(-HIDDEN).add(1)),
  };
}

/** Some places of `[batch, heads, time, n]`. */
function places(x: tf.Tensor, from: number, to: number): tf.Tensor {
  const [batch, heads, time, width] = x.shape as [number, number, number, number];
  return to - from === time ? x : x.slice([0, 0, from, 0], [batch, heads, to - from, width]);
}

/** Blocks one after the other. */
const joined = (blocks: tf.Tensor[]): tf.Tensor => (blocks.length === 1 ? blocks[0]! : tf.concat(blocks, 2));

/** Softmax with no score below {@link DEEPEST}; in a traced function only. */
function deepSoftmax(scores: tf.Tensor): tf.Tensor {
  // TensorFlow.js's maximum also looks for NaN, which costs two more passes.
  const shape = [...scores.shape.slice(0, -1), 1];
  const [best] = onnxNode("ReduceMax", [scores, int64s(currentGraph(), [-1])], [{ shape, dtype: "float32" }]);
  // The bound is put to the differences: ONNX Runtime's maximum of two tensors is many times slower than both together.
  return tf.softmax(scores.sub(best!).clipByValue(DEEPEST, 0));
}

/**
 * dP = dO·vᵀ and dS = P∘(dP − rowsum(dP∘P)). The row sums are rowsum(dO∘O) as well (Dao et al. 2022, appendix B.2), which
 * is a product of the width of a head instead of the length of the text.
 */
function attentionGradient(dy: tf.Tensor, saved: tf.Tensor[], blocks: readonly Block[], scale: number): tf.Tensor[] {
  const [q, k, v, value, ...probabilities] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  const rowSums = dy.mul(value).sum(-1, true);
  const time = q.shape[2]!;
  const parts = blocks.map(({ from, to }, at) => {
    const [queries, keys, values] = [places(q, from, to), places(k, 0, to), places(v, 0, to)];
    const dOutput = grouped(places(dy, from, to), k);
    const p = grouped(probabilities[at]!, k);
    const dP = tf.matMul(dOutput, values, false, true);
    const dScores = p.mul(dP.sub(grouped(places(rowSums, from, to), k)));
    return {
      dq: tf.matMul(dScores, keys).reshape(queries.shape),
      dk: filled(tf.matMul(dScores, grouped(queries, k), true), time),
      dv: filled(tf.matMul(p, dOutput, true), time),
    };
  });
  const sum = (gradients: tf.Tensor[]) => gradients.reduce((total, each) => total.add(each));
  return [
    joined(parts.map(({ dq }) => dq)).mul(scale),
    sum(parts.map(({ dk }) => dk)).mul(scale),
    sum(parts.map(({ dv }) => dv)),
  ];
}

/** The same with zeros at the places behind. */
function filled(x: tf.Tensor, time: number): tf.Tensor {
  const missing = time - x.shape[2]!;
  return missing === 0
    ? x
    : x.pad([
        [0, 0],
        [0, 0],
        [0, missing],
        [0, 0],
      ]);
}

/**
 * The weights of causal attention; for the last layer's attention map.
 *
 * @returns `[batch, heads, time, time]`, rows sum to 1
 */
export function attentionProbabilities(q: tf.Tensor, k: tf.Tensor, options: AttentionOptions = {}): tf.Tensor {
  return tf.softmax(visibleScores(q, k, options));
}

/**
 * {@link causalAttention} together with its weights, for computing without gradients.
 *
 * @returns `value` `[batch, heads, time, headWidth]`; `weights` `[batch, heads, time, time]`, rows sum to 1
 */
export function weightedAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  { scale = 1 / Math.sqrt(q.shape[3]!), mask }: AttentionOptions = {},
): { value: tf.Tensor; weights: tf.Tensor } {
  // The queries are scaled: where texts are longer than heads are wide, there are more scores.
  const scores = visibleScores(q.mul(scale), k, { scale: 1, ...(mask ? { mask } : {}) });
  const weights = isTracing() ? deepSoftmax(scores) : tf.softmax(scores);
  return { value: tf.matMul(grouped(weights, k), v).reshape(q.shape), weights };
}

function visibleScores(
  q: tf.Tensor,
  k: tf.Tensor,
  { scale = 1 / Math.sqrt(q.shape[3]!), mask }: AttentionOptions,
): tf.Tensor {
  const [batch, heads, time] = q.shape as [number, number, number, number];
  const products = tf.matMul(grouped(q, k), k, false, true);
  const scores = (scale === 1 ? products : products.mul(scale)).reshape([batch, heads, time, time]);
  return scores.add(visibility({ from: 0, to: time }, mask));
}

/**
 * 0 where a query of a block sees a key and a large negative number where not; `[block, to]`, or `[batch, 1, block, to]` with
 * a mask.
 */
function visibility(block: Block, mask: tf.Tensor | undefined): tf.Tensor {
  const later = isTracing() ? hiddenAbove(block) : hiddenAboveReference(block);
  if (!mask) return later;
  const { from, to } = block;
  const rows = mask.shape[0]!;
  const own = mask.rank === 3 ? mask.slice([0, from, 0], [rows, to - from, to]) : mask.slice([0, 0], [rows, to]);
  const padding = tf
    .sub(1, own.toFloat())
    .mul(HIDDEN)
    .reshape([rows, 1, mask.rank === 3 ? to - from : 1, to]);
  return tf.minimum(later, padding);
}

const hiddenAboveReference = ({ from, to }: Block): tf.Tensor =>
  tf
    .sub(1, tf.linalg.bandPart(tf.ones([to, to]), -1, 0))
    .mul(HIDDEN)
    .slice([from, 0], [to - from, to]);

/** The same in a traced function: TensorFlow.js would take longer to make it than the program takes to run. */
function hiddenAbove({ from, to }: Block): tf.Tensor {
  const shape: [number, number] = [to - from, to];
  const [later] = onnxNode(
    "Trilu",
    [tf.fill(shape, HIDDEN), int64s(currentGraph(), [from + 1])],
    [{ shape, dtype: "float32" }],
    { attributes: { upper: 1 } },
  );
  return later!;
}

/** Heads that share a key head, one under the other: `[batch, heads, time, n]` → `[batch, keyHeads, group · time, n]`. */
function grouped(x: tf.Tensor, k: tf.Tensor): tf.Tensor {
  const [batch, heads, time, width] = x.shape as [number, number, number, number];
  const keyHeads = k.shape[1]!;
  return keyHeads === heads ? x : x.reshape([batch, keyHeads, (heads / keyHeads) * time, width]);
}

/** {@link causalAttention} in plain TensorFlow.js. */
export function causalAttentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): tf.Tensor {
  const probabilities = attentionProbabilities(q, k, options);
  return tf.matMul(grouped(probabilities, k), v).reshape(q.shape);
}
