import type { Activation, Gpt2Config, ModelConfig, RotaryConfig } from "./config.js";
import { ropeToHuggingFace } from "./rope.js";

/** Storage type of a checkpoint's weights. */
export type WeightType = "float32" | "float16" | "bfloat16";

/** The name that transformers has for each activation. */
const ACTIVATION_NAMES: Record<Activation, string> = {
  silu: "silu",
  gelu: "gelu",
  "gelu-tanh": "gelu_new",
  relu: "relu",
};

const ARCHITECTURES = {
  llama: "LlamaForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
  gpt2: "GPT2LMHeadModel",
};

/**
 * The content of a `config.json` for the model, which transformers 4 and 5 and transformers.js understand.
 * `parseConfig` gives the same configuration back.
 *
 * @param dtype the type of the weights beside it
 */
export function configToHuggingFace(config: ModelConfig, dtype: WeightType = "float32"): Record<string, unknown> {
  return {
    architectures: [ARCHITECTURES[config.family]],
    model_type: config.family,
    vocab_size: config.vocabularySize,
    ...(config.family === "gpt2" ? gpt2Keys(config) : rotaryKeys(config)),
    tie_word_embeddings: config.tiedEmbeddings,
    bos_token_id: config.beginId ?? null,
    eos_token_id: config.endIds.length > 1 ? [...config.endIds] : (config.endIds[0] ?? null),
    pad_token_id: config.paddingId ?? null,
    torch_dtype: dtype, // The name up to transformers 4; 5 reads both, and calls it `dtype`.
    dtype,
  };
}

function rotaryKeys(config: RotaryConfig): Record<string, unknown> {
  const { rope_theta, ...scaling } = ropeToHuggingFace(config.rope);
  return {
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headDimension,
    hidden_act: ACTIVATION_NAMES[config.activation],
    rms_norm_eps: config.normEpsilon,
    max_position_embeddings: config.maxPositions,
    // transformers 5 reads rope_parameters, 4 the other two.
    rope_parameters: ropeToHuggingFace(config.rope),
    rope_theta,
    rope_scaling: config.rope.kind === "default" ? null : scaling,
    ...biasKeys(config),
  };
}

function biasKeys(config: RotaryConfig): Record<string, unknown> {
  const window = { use_sliding_window: false, sliding_window: null };
  switch (config.family) {
    case "llama":
      return { attention_bias: config.outputBias, mlp_bias: config.feedForwardBias };
    case "qwen2":
      return window;
    case "qwen3":
      return { attention_bias: config.outputBias, ...window };
  }
}

function gpt2Keys(config: Gpt2Config): Record<string, unknown> {
  return {
    n_embd: config.hiddenSize,
    n_layer: config.layers,
    n_head: config.heads,
    n_inner: config.intermediateSize,
    n_positions: config.maxPositions,
    activation_function: ACTIVATION_NAMES[config.activation],
    layer_norm_epsilon: config.normEpsilon,
    scale_attn_weights: config.scaleByHeadDimension,
    scale_attn_by_inverse_layer_idx: config.scaleByLayer,
  };
}
