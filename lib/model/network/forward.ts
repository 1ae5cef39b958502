import tf = require("@tensorflow/tfjs");

import {
  attentionProbabilities,
  blockLinear,
  blockRows,
  blockWeights,
  causalAttention,
  embedding,
  gelu,
  geluTanh,
  layerNorm,
  linearCrossEntropy,
  type RotaryTable,
  rmsNorm,
  rotary,
  swiGlu,
} from "../../tensor/index.js";
import {
  type Activation,
  attentionScale,
  type Gpt2Config,
  type ModelConfig,
  type RotaryConfig,
} from "../config/config.js";
import { ropeFrequencies } from "../config/rope.js";
import { blocksOf, linear, type Model, type Weights } from "./linear.js";

/** Attention of one layer: turns its queries, keys and values into one vector per token. */
export type Attend = (layer: number, projected: Projected) => tf.Tensor;

/** Projections of one layer, `[batch · time, heads · headDimension]`; keys and values have `keyValueHeads`. */
export interface Projected {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
}

/**
 * Embeddings of tokens, without positions.
 *
 * @param ids `[batch, time]` int32
 * @returns `[batch, time, hidden]`
 */
export function tokenEmbeddings({ config, weights }: Model, ids: tf.Tensor): tf.Tensor {
  return rowsOf(weights, config.family === "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight", ids);
}

function rowsOf(weights: Weights, name: string, ids: tf.Tensor): tf.Tensor {
  const blocks = blocksOf(weights, name);
  return blocks ? blockRows(blocks, ids) : embedding(weights[name]!, ids);
}

/** Cosines and sines for the first positions, `[length, headDimension / 2]`; undefined for learned positions. */
export function rotaryTable(config: ModelConfig, length: number): RotaryTable | undefined {
  if (config.family === "gpt2") return undefined;
  const frequencies = ropeFrequencies(config.rope, config.headDimension);
  const angles = Array.from({ length }, (_, position) =>
    Array.from(frequencies, (frequency) => position * frequency),
  ).flat();
  const table = (f: (angle: number) => number) =>
    tf.tensor2d(Float32Array.from(angles, f), [length, config.headDimension / 2]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/**
 * Apply all layers and the final norm to embedded tokens; shared by scoring, training and generating, which differ in
 * how they attend.
 *
 * @param embeddings `[batch, time, hidden]`
 * @param positions `[batch, time]` int32
 * @returns `[batch · time, hidden]`
 */
export function hiddenStates(model: Model, embeddings: tf.Tensor, positions: tf.Tensor, attend: Attend): tf.Tensor {
  const { config, weights } = model;
  const { hiddenSize } = config;
  let hidden = embeddings.reshape([-1, hiddenSize]);
  if (config.family === "gpt2") {
    hidden = hidden.add(rowsOf(weights, "transformer.wpe.weight", positions).reshape([-1, hiddenSize]));
    for (let layer = 0; layer < config.layers; layer++) hidden = gpt2Layer(model, config, layer, hidden, attend);
    return norm(config, weights, "transformer.ln_f", hidden);
  }
  for (let layer = 0; layer < config.layers; layer++) hidden = rotaryLayer(model, config, layer, hidden, attend);
  return norm(config, weights, "model.norm", hidden);
}

/**
 * Compute logits over the vocabulary.
 *
 * @param hidden `[rows, hidden]`
 * @returns `[rows, vocab]`
 */
export function outputLogits(model: Model, hidden: tf.Tensor): tf.Tensor {
  const blocks = blocksOf(model.weights, outputName(model));
  if (blocks) return blockLinear(hidden, blocks);
  return tf.matMul(hidden as tf.Tensor2D, model.weights[outputName(model)] as tf.Tensor2D, false, true);
}

/**
 * Negative log-probability of labels, in nats, without keeping all logits at once.
 *
 * @param hidden `[rows, hidden]`
 * @param labels `[rows]` int32; negative: 0, with no gradient
 * @returns `[rows]`
 */
export function labelLosses(model: Model, hidden: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const blocks = blocksOf(model.weights, outputName(model));
  const table = blocks ? blockWeights(blocks, hidden) : model.weights[outputName(model)]!;
  return linearCrossEntropy(hidden, table, labels);
}

function outputName({ config }: Model): string {
  const tied = config.family === "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight";
  return config.tiedEmbeddings ? tied : "lm_head.weight";
}

function rotaryLayer(model: Model, config: RotaryConfig, layer: number, hidden: tf.Tensor, attend: Attend): tf.Tensor {
  const { weights } = model;
  const prefix = `model.layers.${layer}`;
  const project = (name: string, x: tf.Tensor) => linear(model, `${prefix}.${name}`, x);
  const normed = norm(config, weights, `${prefix}.input_layernorm`, hidden);
  const headNorm = (name: string, x: tf.Tensor) =>
    config.queryKeyNorm
      ? norm(config, weights, `${prefix}.self_attn.${name}`, x.reshape([-1, config.headDimension])).reshape(x.shape)
      : x;
  const attended = attend(layer, {
    q: headNorm("q_norm", project("self_attn.q_proj", normed)),
    k: headNorm("k_norm", project("self_attn.k_proj", normed)),
    v: project("self_attn.v_proj", normed),
  });
  const middle = hidden.add(project("self_attn.o_proj", attended));
  const input = norm(config, weights, `${prefix}.post_attention_layernorm`, middle);
  const gate = project("mlp.gate_proj", input);
  const up = project("mlp.up_proj", input);
  const inner = config.activation === "silu" ? swiGlu(gate, up) : activate(config.activation, gate).mul(up);
  return middle.add(project("mlp.down_proj", inner));
}

function gpt2Layer(model: Model, config: Gpt2Config, layer: number, hidden: tf.Tensor, attend: Attend): tf.Tensor {
  const { weights } = model;
  const prefix = `transformer.h.${layer}`;
  const joined = linear(model, `${prefix}.attn.c_attn`, norm(config, weights, `${prefix}.ln_1`, hidden));
  const [q, k, v] = tf.split(joined, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const middle = hidden.add(linear(model, `${prefix}.attn.c_proj`, attend(layer, { q, k, v })));
  const inner = linear(model, `${prefix}.mlp.c_fc`, norm(config, weights, `${prefix}.ln_2`, middle));
  return middle.add(linear(model, `${prefix}.mlp.c_proj`, activate(config.activation, inner)));
}

function norm(config: ModelConfig, weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const gain = weights[`${name}.weight`]!;
  if (config.family === "gpt2") return layerNorm(x, gain, weights[`${name}.bias`]!, config.normEpsilon);
  return rmsNorm(x, gain, config.normEpsilon);
}

function activate(activation: Activation, x: tf.Tensor): tf.Tensor {
  if (activation === "gelu") return gelu(x);
  if (activation === "gelu-tanh") return geluTanh(x);
  return activation === "relu" ? x.relu() : x.mul(x.sigmoid());
}

/**
 * Attention mask of rows that hold several texts: a token sees those of its own text, and those of the text that it
 * continues.
 *
 * @param texts `segments`: number of each token's text, `[rows, time]` int32; `prefixes`: number of the text that it
 * continues
 * @returns `[rows, time, time]`, 1 where the token of a row sees that of a column
 */
export function ownText({ segments, prefixes }: { segments: tf.Tensor; prefixes: tf.Tensor }): tf.Tensor {
  const [rows, length] = segments.shape as [number, number];
  const isOf = (texts: tf.Tensor) => texts.reshape([rows, length, 1]).equal(segments.reshape([rows, 1, length]));
  return isOf(segments).logicalOr(isOf(prefixes)).toFloat();
}

export interface ForwardOptions {
  /** 1 for a token, 0 for padding, `[batch, time]` int32; padding belongs on the left. Default: all tokens. */
  mask?: tf.Tensor;
}

export interface ForwardResult {
  /** `[batch, time, vocab]`. */
  logits: tf.Tensor;
  /** Weights of the last layer's attention, `[batch, heads, time, time]`, rows sum to 1. */
  lastAttention: tf.Tensor;
}

/**
 * Run the whole forward pass on ids or embeddings (a soft prompt is put in front of the embeddings by the caller).
 *
 * @param input ids `[batch, time]` int32, or embeddings `[batch, time, hidden]`
 */
export function forward(model: Model, input: tf.Tensor, { mask }: ForwardOptions = {}): ForwardResult {
  const { config } = model;
  const embeddings = input.rank === 2 ? tokenEmbeddings(model, input) : input;
  const [batch, time] = embeddings.shape as [number, number];
  const positions = mask ? positionsOf(mask) : tf.tile(tf.range(0, time, 1, "int32").reshape([1, time]), [batch, 1]);
  const attend = causalAttend(config, positions, mask);
  let lastAttention: tf.Tensor | undefined;
  const hidden = hiddenStates(model, embeddings, positions, (layer, projected) => {
    const { value, queries, keys } = attend(layer, projected);
    if (layer === config.layers - 1) {
      const options = { scale: attentionScale(config, layer), ...(mask ? { mask } : {}) };
      lastAttention = attentionProbabilities(queries, keys, options);
    }
    return value;
  });
  return {
    logits: outputLogits(model, hidden).reshape([batch, time, config.vocabularySize]),
    lastAttention: lastAttention!,
  };
}

/**
 * Result of a layer's attention; `value` is `[batch · time, heads · headDimension]`, the others `[batch, heads, time,
 * headDimension]`.
 */
export interface Attended {
  value: tf.Tensor;
  queries: tf.Tensor;
  keys: tf.Tensor;
  values: tf.Tensor;
}

/**
 * Self-attention of whole texts.
 *
 * @param positions `[batch, time]` int32
 * @param mask `[batch, time]`, 0 for padding, or `[batch, time, time]`, the keys that each query may see
 */
export function causalAttend(
  config: ModelConfig,
  positions: tf.Tensor,
  mask?: tf.Tensor,
): (layer: number, projected: Projected) => Attended {
  const split = headSplitter(config, positions);
  return (layer, projected) => {
    const parts = split(projected);
    const { queries, keys, values } = parts;
    const options = { scale: attentionScale(config, layer), ...(mask ? { mask } : {}) };
    return { ...parts, value: joinHeads(causalAttention(queries, keys, values, options)) };
  };
}

/**
 * Split a layer's projections into heads, and rotate queries and keys by their positions: each `[batch, heads, time,
 * headDimension]`.
 *
 * @param positions `[batch, time]` int32
 * @param length all positions are below it; default: time
 */
export function headSplitter(
  config: ModelConfig,
  positions: tf.Tensor,
  length = positions.shape[1]!,
): (projected: Projected) => Omit<Attended, "value"> {
  const [batch, time] = positions.shape as [number, number];
  const { heads, keyValueHeads, headDimension } = config;
  const table = rotaryTable(config, length);
  const split = (x: tf.Tensor, count: number) => x.reshape([batch, time, count, headDimension]).transpose([0, 2, 1, 3]);
  const turn = (x: tf.Tensor) => (table ? rotary(x, positions, table) : x);
  return ({ q, k, v }) => ({
    queries: turn(split(q, heads)),
    keys: turn(split(k, keyValueHeads)),
    values: split(v, keyValueHeads),
  });
}

/**
 * Concatenate the heads of each token: `[batch, heads, time, headDimension]` to `[batch · time, heads ·
 * headDimension]`.
 */
export function joinHeads(value: tf.Tensor): tf.Tensor {
  const [batch, , time] = value.shape as [number, number, number, number];
  return value.transpose([0, 2, 1, 3]).reshape([batch * time, -1]);
}

/** Positions count tokens from 0 in each row; padding has position 0. */
function positionsOf(mask: tf.Tensor): tf.Tensor {
  return mask.toInt().cumsum(1).sub(tf.scalar(1, "int32")).maximum(tf.scalar(0, "int32"));
}
