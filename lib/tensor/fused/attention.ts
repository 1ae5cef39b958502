import * as tf from "@tensorflow/tfjs";
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
const HIDDEN = -1e9;

/**
 * In compiled functions no score is let further below the best of its row than this. exp(−40) is nothing in a float32 sum, but
 * what exp gives below −87, and its products with small gradients, are denormal numbers, with which processors are 10 to
 * 100 times slower.
 */
const DEEPEST = -40;

/**
 * Causal attention: softmax(q·kᵀ·scale)·v in which a query sees the keys up to its own place (Vaswani et al. 2017, eq. 1).
 * With fewer key than query heads, heads share keys in groups of neighbours (Ainslie et al. 2023).
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
      const scores = visibleScores(q!, k!, { ...options, scale });
      const probabilities = deepSoftmax(scores);
      const value = tf.matMul(grouped(probabilities, k!), v!).reshape(q!.shape);
      save([q!, k!, v!, probabilities, value]);
      return { value, gradient: (dy, saved) => attentionGradient(dy, saved, scale) };
    },
  );
}

/** Softmax with no score below {@link DEEPEST}; in a traced function only. */
function deepSoftmax(scores: tf.Tensor): tf.Tensor {
  // TensorFlow.js's maximum also looks for NaN, which costs two more passes.
  const shape = [...scores.shape.slice(0, -1), 1];
  const [best] = onnxNode("ReduceMax", [scores, int64s(currentGraph(), [-1])], [{ shape, dtype: "float32" }]);
  return tf.softmax(scores.maximum(best!.add(DEEPEST)));
}

/**
 * dP = dO·vᵀ and dS = P∘(dP − rowsum(dP∘P)). The row sums are rowsum(dO∘O) as well (Dao et al. 2022, appendix B.2), which
 * is a product of the width of a head instead of the length of the text.
 */
function attentionGradient(dy: tf.Tensor, saved: tf.Tensor[], scale: number): tf.Tensor[] {
  const [q, k, v, probabilities, value] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const dOutput = grouped(dy, k);
  const p = grouped(probabilities, k);
  const rowSums = grouped(dy.mul(value).sum(-1, true), k);
  const dScores = p.mul(tf.matMul(dOutput, v, false, true).sub(rowSums));
  const dq = tf.matMul(dScores, k).mul(scale).reshape(q.shape);
  const dk = tf.matMul(dScores, grouped(q, k), true).mul(scale);
  const dv = tf.matMul(p, dOutput, true);
  return [dq, dk, dv];
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
  return scores.add(visibility(time, mask));
}

/** 0 where a query sees a key and a large negative number where not; `[time, time]`, or `[batch, 1, time, time]` with a mask. */
function visibility(time: number, mask: tf.Tensor | undefined): tf.Tensor {
  const later = isTracing()
    ? hiddenAbove(time)
    : tf.sub(1, tf.linalg.bandPart(tf.ones([time, time]), -1, 0)).mul(HIDDEN);
  if (!mask) return later;
  const padding = tf
    .sub(1, mask.toFloat())
    .mul(HIDDEN)
    .reshape([mask.shape[0]!, 1, mask.rank === 3 ? time : 1, time]);
  return tf.minimum(later, padding);
}

/** The same in a traced function: TensorFlow.js would take longer to make it than the program takes to run. */
function hiddenAbove(time: number): tf.Tensor {
  const hidden = tf.fill([time, time], HIDDEN);
  const [later] = onnxNode(
    "Trilu",
    [hidden, int64s(currentGraph(), [1])],
    [{ shape: [time, time], dtype: "float32" }],
    {
      attributes: { upper: 1 },
    },
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
