import type { Rope } from "./rope.js";

/** Activation function of a feed-forward block; `gelu-tanh` is GPT-2's approximation of `gelu`. */
export type Activation = "silu" | "gelu" | "gelu-tanh" | "relu";

interface CommonConfig {
  vocabularySize: number;
  /** Width of the embeddings and of the residual stream. */
  hiddenSize: number;
  layers: number;
  /** Query heads a layer. */
  heads: number;
  /** Key and value heads a layer; each serves `heads / keyValueHeads` query heads. */
  keyValueHeads: number;
  headDimension: number;
  /** Width of the feed-forward block. */
  intermediateSize: number;
  activation: Activation;
  /** Added to the variance in each norm. */
  normEpsilon: number;
  /** Maximum number of positions of a sequence. */
  maxPositions: number;
  /** Whether the output layer is the token embedding. */
  tiedEmbeddings: boolean;
  /** Begins a text. This and the other special ids may lie outside the vocabulary, as some public checkpoints have it. */
  beginId: number | undefined;
  /** Each of these ends a text. */
  endIds: readonly number[];
  paddingId: number | undefined;
}

/** Llama and its descendants: RMS norms before each block, rotary positions, a gated feed-forward block. */
export interface RotaryConfig extends CommonConfig {
  family: "llama" | "qwen2" | "qwen3";
  rope: Rope;
  /** Whether the projections to queries, keys and values add a bias. */
  queryKeyValueBias: boolean;
  /** Whether the projection of the attention's output adds a bias. */
  outputBias: boolean;
  /** Whether the three projections of the feed-forward block add a bias. */
  feedForwardBias: boolean;
  /** Whether queries and keys pass through an RMS norm per head, before the rotation. */
  queryKeyNorm: boolean;
}

/** Layer norms before each block, learned positions, biases everywhere. */
export interface Gpt2Config extends CommonConfig {
  family: "gpt2";
  /** Whether attention scores are divided by √headDimension. */
  scaleByHeadDimension: boolean;
  /** Whether the scores of layer i, counted from 0, are also divided by i + 1. */
  scaleByLayer: boolean;
}

/** Architecture of a causal language model; `family` distinguishes the kinds. */
export type ModelConfig = RotaryConfig | Gpt2Config;
export type Family = ModelConfig["family"];

/** Factor on a layer's attention scores, queries times keys, before the softmax. */
export function attentionScale(config: ModelConfig, layer: number): number {
  if (config.family !== "gpt2") return config.headDimension ** -0.5;
  const scale = config.scaleByHeadDimension ? config.headDimension ** -0.5 : 1;
  return config.scaleByLayer ? scale / (layer + 1) : scale;
}
