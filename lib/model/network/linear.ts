import tf = require("@tensorflow/tfjs");

import type { ModelConfig } from "../config/config.js";

/** Low-rank additions (Hu et al. 2021, LoRA): W·x becomes W·x + scale · B·A·x. */
export interface Adapters {
  /** alpha / rank. */
  scale: number;
  /** `<layer>.lora_A.weight` `[rank, in]` and `<layer>.lora_B.weight` `[out, rank]`, as PEFT names them. */
  weights: Readonly<Record<string, tf.Tensor>>;
}

/** Weights under their Hugging Face names, as tensors. */
export type Weights = Readonly<Record<string, tf.Tensor>>;

/** A model as tensors: its configuration and its weights. */
export interface Model {
  config: ModelConfig;
  weights: Weights;
  /** Low-rank additions to the linear layers. */
  adapters?: Adapters;
}

/**
 * A linear layer of a model with its bias and adapter, if it has them.
 *
 * @param name without `.weight`
 * @param x `[rows, in]`
 * @returns `[rows, out]`
 */
export function linear({ config, weights, adapters }: Model, name: string, x: tf.Tensor): tf.Tensor {
  const input = x as tf.Tensor2D;
  // GPT-2 stores `[in, out]`, the others `[out, in]`.
  const product = tf.matMul(input, weights[`${name}.weight`] as tf.Tensor2D, false, config.family !== "gpt2");
  const bias = weights[`${name}.bias`];
  const sum = bias ? product.add(bias) : product;
  const a = adapters?.weights[`${name}.lora_A.weight`] as tf.Tensor2D | undefined;
  const b = adapters?.weights[`${name}.lora_B.weight`] as tf.Tensor2D | undefined;
  if (!adapters || !a || !b) return sum;
  const low = tf.matMul(input, a, false, true).mul(adapters.scale) as tf.Tensor2D;
  return sum.add(tf.matMul(low, b, false, true));
}
