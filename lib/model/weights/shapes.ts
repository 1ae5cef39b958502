import type { Gpt2Config, ModelConfig, RotaryConfig } from "../config/config.js";
import { elementCount } from "./safetensors-header.js";

/** Names and shapes of a model's weights. */
export type ParameterShapes = Record<string, readonly number[]>;

/**
 * The weights of a model with their shapes, under the names and in the layout of Hugging Face checkpoints. Linear layers
 * are `[out, in]`, in GPT-2 `[in, out]`; tied embeddings have no `lm_head.weight`.
 */
export function parameterShapes(config: ModelConfig): ParameterShapes {
  const { vocabularySize, hiddenSize, tiedEmbeddings } = config;
  return {
    ...(config.family === "gpt2" ? gpt2Shapes(config) : rotaryShapes(config)),
    ...(tiedEmbeddings ? {} : { "lm_head.weight": [vocabularySize, hiddenSize] }),
  };
}

/** How many numbers the weights of a model are; those of tied embeddings count once. */
export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + elementCount(shape), 0);
}

function rotaryShapes(config: RotaryConfig): ParameterShapes {
  const { hiddenSize: hidden, intermediateSize: inner, headDimension: head } = config;
  const [queries, keys] = [config.heads * head, config.keyValueHeads * head];
  const shapes: ParameterShapes = { "model.embed_tokens.weight": [config.vocabularySize, hidden] };
  const linear = (name: string, out: number, input: number, bias: boolean) => {
    shapes[`${name}.weight`] = [out, input];
    if (bias) shapes[`${name}.bias`] = [out];
  };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    shapes[`${prefix}.input_layernorm.weight`] = [hidden];
    linear(`${prefix}.self_attn.q_proj`, queries, hidden, config.queryKeyValueBias);
    linear(`${prefix}.self_attn.k_proj`, keys, hidden, config.queryKeyValueBias);
    linear(`${prefix}.self_attn.v_proj`, keys, hidden, config.queryKeyValueBias);
    linear(`${prefix}.self_attn.o_proj`, hidden, queries, config.outputBias);
    if (config.queryKeyNorm) {
      shapes[`${prefix}.self_attn.q_norm.weight`] = [head];
      shapes[`${prefix}.self_attn.k_norm.weight`] = [head];
    }
    shapes[`${prefix}.post_attention_layernorm.weight`] = [hidden];
    linear(`${prefix}.mlp.gate_proj`, inner, hidden, config.feedForwardBias);
    linear(`${prefix}.mlp.up_proj`, inner, hidden, config.feedForwardBias);
    linear(`${prefix}.mlp.down_proj`, hidden, inner, config.feedForwardBias);
  }
  shapes["model.norm.weight"] = [hidden];
  return shapes;
}

function gpt2Shapes({ vocabularySize, maxPositions, hiddenSize: hidden, ...config }: Gpt2Config): ParameterShapes {
  const shapes: ParameterShapes = {
    "transformer.wte.weight": [vocabularySize, hidden],
    "transformer.wpe.weight": [maxPositions, hidden],
  };
  const norm = (name: string) => {
    shapes[`${name}.weight`] = [hidden];
    shapes[`${name}.bias`] = [hidden];
  };
  const linear = (name: string, input: number, out: number) => {
    shapes[`${name}.weight`] = [input, out];
    shapes[`${name}.bias`] = [out];
  };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `transformer.h.${layer}`;
    norm(`${prefix}.ln_1`);
    linear(`${prefix}.attn.c_attn`, hidden, 3 * hidden);
    linear(`${prefix}.attn.c_proj`, hidden, hidden);
    norm(`${prefix}.ln_2`);
    linear(`${prefix}.mlp.c_fc`, hidden, config.intermediateSize);
    linear(`${prefix}.mlp.c_proj`, config.intermediateSize, hidden);
  }
  norm("transformer.ln_f");
  return shapes;
}
