import tf = require("@tensorflow/tfjs");

import { type BlockMatrix, blockLinear, lowRankLinear } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { blockNames } from "../quantised/block-parameters.js";

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
  const bias = weights[`${name}.bias`];
  const blocks = blocksOf(weights, `${name}.weight`);
  // GPT-2 stores `[in, out]`, the others `[out, in]`.
  const transposed = config.family !== "gpt2";
  const a = adapters?.weights[`${name}.lora_A.weight`];
  const b = adapters?.weights[`${name}.lora_B.weight`];
  if (blocks) {
    const product = blockLinear(x, blocks);
    const sum = bias ? product.add(bias) : product;
    if (!adapters || !a || !b) return sum;
    const low = tf.matMul(x as tf.Tensor2D, a as tf.Tensor2D, false, true).mul(adapters.scale) as tf.Tensor2D;
    return sum.add(tf.matMul(low, b as tf.Tensor2D, false, true));
  }
  const weight = weights[`${name}.weight`]!;
  if (adapters && a && b) return lowRankLinear(x, weight, a, b, bias, { scale: adapters.scale, transposed });
  const product = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D, false, transposed);
  return bias ? product.add(bias) : product;
}

/** A weight that is in blocks; undefined for another one. */
export function blocksOf(weights: Weights, name: string): BlockMatrix | undefined {
  const names = blockNames(name);
  const [quants, scales, offsets] = [weights[names.quants], weights[names.scales], weights[names.offsets]];
  return quants && scales && { quants, scales, offsets };
}
