import tf = require("@tensorflow/tfjs");

import { attentionScale, type ModelConfig } from "../config/config.js";
import { type Attended, headSplitter, joinHeads, type Projected } from "../network/forward.js";

/** Added to a score, it makes the weight 0. */
const HIDDEN = -1e9;

/**
 * Self-attention of texts that begin alike, each over that beginning, whose keys and values are known, and over itself.
 *
 * @param before keys and values of the beginning, `[1, keyHeads, capacity, headDimension]` a layer, of finite numbers
 * @param from `[1]` int32: how many of them are tokens
 * @param positions `[rows, time]` int32
 * @returns as `causalAttend` gives; keys and values of the new tokens alone
 */
export function attendAfter(
  config: ModelConfig,
  before: { keys: tf.Tensor[]; values: tf.Tensor[] },
  from: tf.Tensor,
  positions: tf.Tensor,
): (layer: number, projected: Projected) => Omit<Attended, "queries"> {
  const [rows, time] = positions.shape as [number, number];
  const { heads, keyValueHeads: keyHeads, headDimension: width, maxPositions } = config;
  const capacity = before.keys[0]!.shape[2]!;
  const split = headSplitter(config, positions, Math.min(maxPositions, capacity) + time);
  const group = (heads / keyHeads) * time;
  const hiddenBefore = tf
    .greaterEqual(tf.range(0, capacity, 1, "int32"), from)
    .toFloat()
    .mul(HIDDEN);
  const places = tf.range(0, time, 1, "int32");
  const hiddenAfter = tf
    .greater(places.reshape([1, time]), places.reshape([time, 1]))
    .toFloat()
    .mul(HIDDEN);
  // Key heads first: for each of them the beginning is one matrix, with which the queries of all rows are multiplied.
  const byKeyHead = (x: tf.Tensor, length: number) =>
    x.reshape([rows, keyHeads, length, width]).transpose([1, 0, 2, 3]);
  return (layer, projected) => {
    const { queries, keys, values } = split(projected);
    const q = byKeyHead(queries, group).mul(attentionScale(config, layer));
    const first = { k: before.keys[layer]!, v: before.values[layer]! };
    const known = (x: tf.Tensor) => x.reshape([keyHeads, capacity, width]);
    const scoresBefore = tf
      .matMul(q.reshape([keyHeads, rows * group, width]), known(first.k), false, true)
      .reshape([keyHeads, rows, group, capacity])
      .add(hiddenBefore);
    const scoresAfter = tf
      .matMul(q, byKeyHead(keys, time), false, true)
      .reshape([keyHeads, rows, heads / keyHeads, time, time])
      .add(hiddenAfter)
      .reshape([keyHeads, rows, group, time]);
    const weights = tf.softmax(tf.concat([scoresBefore, scoresAfter], 3));
    const [weightsBefore, weightsAfter] = tf.split(weights, [capacity, time], 3) as [tf.Tensor, tf.Tensor];
    const value = tf
      .matMul(weightsBefore.reshape([keyHeads, rows * group, capacity]), known(first.v))
      .reshape([keyHeads, rows, group, width])
      .add(tf.matMul(weightsAfter, byKeyHead(values, time)));
    const byHead = value.transpose([1, 0, 2, 3]).reshape([rows, heads, time, width]);
    return { value: joinHeads(byHead), keys, values };
  };
}
