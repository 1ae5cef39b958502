import tf = require("@tensorflow/tfjs");

import { badInput } from "../../core/index.js";
import { float, MICROSOFT } from "../graph.js";
import { int64Of, onnxNode } from "../onnx-node.js";
import type { DType } from "../tensor-data.js";
import { isTracing } from "../tracing.js";
import { type RotaryTable, rotaryReference } from "./rotary.js";

/** Keys and values of the tokens so far, `[batch, keyHeads, capacity, headWidth]` each. */
export interface KeyValueCache {
  keys: tf.Tensor;
  values: tf.Tensor;
}

export interface CachedAttentionOptions {
  heads: number;
  /** Heads of keys and values: a divisor of `heads`. */
  keyHeads: number;
  /** Rotate queries and keys by their positions; without it they are used as they are. */
  rotary?: RotaryTable;
  /** Factor on the scores. Default: 1/√headWidth. */
  scale?: number;
}

export interface CachedAttention {
  /** `[batch, time, heads · headWidth]`. */
  value: tf.Tensor;
  cache: KeyValueCache;
}

/** ONNX Runtime's operator takes heads whose width is a multiple of it. */
const OPERATOR_WIDTHS = 8;
/** From this many rows times key heads on, plain products are faster than ONNX Runtime's operator. */
const PRODUCTS_FROM = 64;
/** In caches of a larger capacity rows differ much in length, and products compute all of it for each. */
const PRODUCTS_CAPACITY = 2048;
/** Added to a score, it makes the weight 0. */
const HIDDEN = -1e9;

/**
 * Grouped-query attention of new tokens over themselves and a cache, for generating text (Ainslie et al. 2023).
 *
 * Either the new tokens are the first ones (`time` > 1, rows padded on the right), or each row has one new token, or the
 * batch is one row with any number of new tokens. Rows have lengths of their own. In a compiled function, name the
 * cache in `inPlace`: the runtime then appends to it where it is, and a token costs no copy.
 *
 * @param q `[batch, time, heads · headWidth]`
 * @param k `[batch, time, keyHeads · headWidth]`
 * @param v `[batch, time, keyHeads · headWidth]`
 * @param lengths `[batch]` int32: tokens of each row with the new ones, at most the cache's capacity
 * @throws ThoughtbookError when widths or heads do not fit each other
 */
export function cachedAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  cache: KeyValueCache,
  lengths: tf.Tensor,
  options: CachedAttentionOptions,
): CachedAttention {
  const { heads, keyHeads } = options;
  const headWidth = cache.keys.shape[3]!;
  if (heads % keyHeads !== 0 || q.shape[2] !== heads * headWidth || k.shape[2] !== keyHeads * headWidth) {
    throw badInput(
      `attention with ${heads} heads and ${keyHeads} key heads of width ${headWidth} was given queries of width ${q.shape[2]} and keys of width ${k.shape[2]}`,
      "Queries have heads · headWidth numbers a token, keys and values keyHeads · headWidth.",
    );
  }
  if (!isTracing()) return cachedAttentionReference(q, k, v, cache, lengths, options);
  const operatorCan = headWidth % OPERATOR_WIDTHS === 0;
  const isShort = cache.keys.shape[2]! <= PRODUCTS_CAPACITY;
  return !operatorCan || (q.shape[1] === 1 && isShort && q.shape[0]! * keyHeads >= PRODUCTS_FROM)
    ? attendByProducts(q, k, v, cache, lengths, options)
    : attendByOperator(q, k, v, cache, lengths, options);
}

/** One operator for all, which reads no more of the cache than there are tokens; the fastest for few rows and for prompts. */
function attendByOperator(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  cache: KeyValueCache,
  lengths: tf.Tensor,
  { heads, keyHeads, rotary, scale }: CachedAttentionOptions,
): CachedAttention {
  const headWidth = cache.keys.shape[3]!;
  const last = lengths.sub(tf.scalar(1, "int32"));
  const longest = lengths.max().reshape([1]);
  // The operator rotates heads whose width is a multiple of 16 by itself; others are rotated before.
  const rotatesItself = rotary !== undefined && headWidth % 16 === 0;
  const positions = positionsOf(lengths, q.shape[0]!, q.shape[1]!);
  const turn = (x: tf.Tensor, count: number) =>
    rotary && !rotatesItself ? rotateFlat(x, count, positions, rotary) : x;
  const [value, keys, values] = onnxNode(
    "GroupQueryAttention",
    [
      turn(q, heads),
      turn(k, keyHeads),
      v,
      cache.keys,
      cache.values,
      last,
      longest,
      rotatesItself ? rotary.cos : null,
      rotatesItself ? rotary.sin : null,
    ],
    [like(q), like(cache.keys), like(cache.values)],
    {
      domain: MICROSOFT,
      attributes: {
        num_heads: heads,
        kv_num_heads: keyHeads,
        do_rotary: Number(rotatesItself),
        scale: float(scale ?? 1 / Math.sqrt(headWidth)),
      },
    },
  ) as [tf.Tensor, tf.Tensor, tf.Tensor];
  return { value, cache: { keys, values } };
}

/**
 * Plain products over the whole cache, whose numbers must be finite. The operator above makes a product of a single row
 * for each head, these one for each key head, of as many rows as share it: with many rows of one new token about twice as
 * fast.
 */
function attendByProducts(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  cache: KeyValueCache,
  lengths: tf.Tensor,
  { heads, keyHeads, rotary, scale }: CachedAttentionOptions,
): CachedAttention {
  const [batch, , capacity, headWidth] = cache.keys.shape as [number, number, number, number];
  const time = q.shape[1]!;
  const positions = positionsOf(lengths, batch, time);
  const turn = (x: tf.Tensor, count: number) => (rotary ? rotateFlat(x, count, positions, rotary) : x);
  /** `[batch, time, count · headWidth]` as `[batch, count, time, headWidth]`. */
  const byHead = (x: tf.Tensor, count: number) =>
    time === 1
      ? x.reshape([batch, count, 1, headWidth])
      : x.reshape([batch, time, count, headWidth]).transpose([0, 2, 1, 3]);
  // Where in the cache each new key goes: row, head, place.
  const places = tf.stack(
    [
      tf.range(0, batch, 1, "int32").reshape([batch, 1, 1]).tile([1, keyHeads, time]),
      tf.range(0, keyHeads, 1, "int32").reshape([1, keyHeads, 1]).tile([batch, 1, time]),
      positions.reshape([batch, 1, time]).tile([1, keyHeads, 1]),
    ],
    3,
  );
  // The operator copies the cache only where its output has other memory.
  const append = (old: tf.Tensor, fresh: tf.Tensor) =>
    onnxNode("ScatterND", [old, int64Of(places), byHead(fresh, keyHeads)], [like(old)])[0]!;
  const keys = append(cache.keys, turn(k, keyHeads));
  const values = append(cache.values, v);
  const hidden = tf.greater(tf.range(0, capacity, 1, "int32"), positions.reshape([batch, 1, time, 1]));
  const rows = (heads / keyHeads) * time;
  const [scores] = onnxNode(
    "FusedMatMul",
    [byHead(turn(q, heads), heads).reshape([batch, keyHeads, rows, headWidth]), keys],
    [{ shape: [batch, keyHeads, rows, capacity], dtype: "float32" }],
    { domain: MICROSOFT, attributes: { transB: 1, alpha: float(scale ?? 1 / Math.sqrt(headWidth)) } },
  );
  const byQuery = [batch, heads, time, capacity];
  const weights = tf.softmax(scores!.reshape(byQuery).add(hidden.toFloat().mul(HIDDEN)));
  const value = tf.matMul(weights.reshape(scores!.shape), values).reshape([batch, heads, time, headWidth]);
  return { value: (time === 1 ? value : value.transpose([0, 2, 1, 3])).reshape(q.shape), cache: { keys, values } };
}

const like = (x: tf.Tensor): { shape: number[]; dtype: DType } => ({ shape: [...x.shape], dtype: "float32" });

/** Places of the new tokens in their rows, `[batch, time]`. */
function positionsOf(lengths: tf.Tensor, batch: number, time: number): tf.Tensor {
  const start = time === 1 || batch === 1 ? lengths.sub(tf.scalar(time, "int32")) : tf.zeros([batch], "int32");
  return start.reshape([batch, 1]).add(tf.range(0, time, 1, "int32"));
}

function rotateFlat(x: tf.Tensor, count: number, positions: tf.Tensor, { cos, sin }: RotaryTable): tf.Tensor {
  const inputs = [x, int64Of(positions), cos, sin];
  const [rotated] = onnxNode("RotaryEmbedding", inputs, [{ shape: x.shape, dtype: "float32" }], {
    domain: MICROSOFT,
    attributes: { num_heads: count },
  });
  return rotated!;
}

/** {@link cachedAttention} in plain TensorFlow.js; the cache given is left as it is. */
export function cachedAttentionReference(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  cache: KeyValueCache,
  lengths: tf.Tensor,
  { heads, keyHeads, rotary, scale }: CachedAttentionOptions,
): CachedAttention {
  const [batch, time] = q.shape as [number, number];
  const [, , capacity, headWidth] = cache.keys.shape as [number, number, number, number];
  const split = (x: tf.Tensor, count: number) => x.reshape([batch, time, count, headWidth]).transpose([0, 2, 1, 3]);
  const positions = positionsOf(lengths, batch, time) as tf.Tensor2D;
  const rotate = (x: tf.Tensor) => (rotary ? rotaryReference(x, positions, rotary) : x);

  // Which new token, if any, goes to each place of the cache.
  const places = tf.oneHot(positions, capacity).toFloat().reshape([batch, 1, time, capacity]);
  const written = places.sum(2).reshape([batch, 1, capacity, 1]);
  const append = (old: tf.Tensor, fresh: tf.Tensor) => {
    const spread = tf.tile(places, [1, keyHeads, 1, 1]);
    return old.mul(tf.sub(1, written)).add(tf.matMul(spread, fresh, true));
  };
  const keys = append(cache.keys, rotate(split(k, keyHeads)));
  const values = append(cache.values, split(v, keyHeads));

  const group = heads / keyHeads;
  const repeat = (x: tf.Tensor) =>
    tf.tile(x.expandDims(2), [1, 1, group, 1, 1]).reshape([batch, heads, capacity, headWidth]);
  const scores = tf.matMul(rotate(split(q, heads)), repeat(keys), false, true).mul(scale ?? 1 / Math.sqrt(headWidth));
  const visible = tf.lessEqual(tf.range(0, capacity, 1, "int32"), positions.reshape([batch, 1, time, 1]));
  const weights = tf.softmax(scores.add(tf.sub(1, visible.toFloat()).mul(-1e9)));
  const value = tf.matMul(weights, repeat(values)).transpose([0, 2, 1, 3]).reshape(q.shape);
  return { value, cache: { keys, values } };
}
