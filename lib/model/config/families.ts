import { z } from "zod";
import { ThoughtbookError } from "../../core/index.js";
import type { Activation, Family, Gpt2Config, RotaryConfig } from "./config.js";
import { parseRope, ropeKeys } from "./rope.js";

/** The names that transformers has for the activations; those of a line give equal numbers. */
const ACTIVATIONS: Record<Activation, readonly string[]> = {
  silu: ["silu", "swish"],
  gelu: ["gelu", "gelu_python"],
  "gelu-tanh": ["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"],
  relu: ["relu"],
};

const count = z.int().positive();
/** More than any model has: a wrong number should be an error, not exhaust the memory. */
const MOST_LAYERS = 10_000;
/** A missing or null value is replaced by the default. */
const or = <T extends z.ZodType>(schema: T, value: z.output<T>) =>
  schema.nullish().transform((given) => given ?? value);
const tokenId = z.int().nullish();
const tokenIds = z.union([z.int(), z.array(z.int())]).nullish();

// The defaults are those of the configuration classes of transformers 5.18.
const rotaryKeys = {
  hidden_size: or(count, 4096),
  num_hidden_layers: or(count.max(MOST_LAYERS), 32),
  num_attention_heads: or(count, 32),
  rms_norm_eps: or(z.number().nonnegative(), 1e-6),
  hidden_act: or(z.string(), "silu"),
  tie_word_embeddings: or(z.boolean(), false),
  pad_token_id: tokenId,
  ...ropeKeys,
};
const qwenKeys = {
  ...rotaryKeys,
  vocab_size: or(count, 151_936),
  intermediate_size: or(count, 22_016),
  num_key_value_heads: count.nullable().default(32),
  max_position_embeddings: or(count, 32_768),
  bos_token_id: tokenId,
  eos_token_id: tokenIds,
  use_sliding_window: or(z.boolean(), false),
  sliding_window: count.nullable().default(4096),
  max_window_layers: or(z.int().nonnegative(), 28),
  layer_types: z.array(z.string()).nullish(),
};
const schemas = {
  llama: z.object({
    ...rotaryKeys,
    vocab_size: or(count, 32_000),
    intermediate_size: or(count, 11_008),
    num_key_value_heads: count.nullish(),
    head_dim: count.nullish(),
    max_position_embeddings: or(count, 2048),
    bos_token_id: z.int().nullable().default(1),
    eos_token_id: tokenIds.default(2),
    attention_bias: or(z.boolean(), false),
    mlp_bias: or(z.boolean(), false),
  }),
  qwen2: z.object({ ...qwenKeys, head_dim: count.nullish() }),
  qwen3: z.object({ ...qwenKeys, head_dim: or(count, 128), attention_bias: or(z.boolean(), false) }),
  gpt2: z.object({
    vocab_size: or(count, 50_257),
    n_positions: or(count, 1024),
    n_embd: or(count, 768),
    n_layer: or(count.max(MOST_LAYERS), 12),
    n_head: or(count, 12),
    n_inner: count.nullish(),
    activation_function: or(z.string(), "gelu_new"),
    layer_norm_epsilon: or(z.number().nonnegative(), 1e-5),
    scale_attn_weights: or(z.boolean(), true),
    scale_attn_by_inverse_layer_idx: or(z.boolean(), false),
    tie_word_embeddings: or(z.boolean(), true),
    bos_token_id: z.int().nullable().default(50_256),
    eos_token_id: tokenIds.default(50_256),
    pad_token_id: tokenId,
  }),
};

export const isFamily = (type: unknown): type is Family => typeof type === "string" && Object.hasOwn(schemas, type);

/** The configuration of a Llama, Qwen2 or Qwen3. Throws as parseConfig does. */
export function readRotary(family: RotaryConfig["family"], raw: Record<string, unknown>, source: string): RotaryConfig {
  refuseUnsupported(raw, source);
  const given = check(schemas[family], raw, source);
  const { hidden_size: hiddenSize, num_attention_heads: heads, max_position_embeddings: maxPositions } = given;
  if ("use_sliding_window" in given) refuseSlidingWindow(given, source);
  const keyValueHeads = given.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    contradict(source, `num_attention_heads is ${heads}, expected a multiple of num_key_value_heads, ${keyValueHeads}`);
  }
  const headDimension = given.head_dim ?? headSize(hiddenSize, heads, ["hidden_size", "num_attention_heads"], source);
  if (headDimension % 2 !== 0) contradict(source, `a head has ${headDimension} dimensions, expected an even number`);
  const attentionBias = "attention_bias" in given && given.attention_bias;
  return {
    family,
    vocabularySize: given.vocab_size,
    hiddenSize,
    layers: given.num_hidden_layers,
    heads,
    keyValueHeads,
    headDimension,
    intermediateSize: given.intermediate_size,
    activation: activationOf(given.hidden_act, "hidden_act", source),
    normEpsilon: given.rms_norm_eps,
    maxPositions,
    tiedEmbeddings: given.tie_word_embeddings,
    ...specialIds(given),
    rope: parseRope(given, maxPositions, source),
    queryKeyValueBias: family === "qwen2" || attentionBias,
    outputBias: attentionBias,
    feedForwardBias: "mlp_bias" in given && given.mlp_bias,
    queryKeyNorm: family === "qwen3",
  };
}

/** The configuration of a GPT-2. Throws as parseConfig does. */
export function readGpt2(raw: Record<string, unknown>, source: string): Gpt2Config {
  refuseUnsupported(raw, source);
  const given = check(schemas.gpt2, withGpt2Keys(raw), source);
  const { n_embd: hiddenSize, n_head: heads } = given;
  return {
    family: "gpt2",
    vocabularySize: given.vocab_size,
    hiddenSize,
    layers: given.n_layer,
    heads,
    keyValueHeads: heads,
    headDimension: headSize(hiddenSize, heads, ["n_embd", "n_head"], source),
    intermediateSize: given.n_inner ?? 4 * hiddenSize,
    activation: activationOf(given.activation_function, "activation_function", source),
    normEpsilon: given.layer_norm_epsilon,
    maxPositions: given.n_positions,
    tiedEmbeddings: given.tie_word_embeddings,
    ...specialIds(given),
    scaleByHeadDimension: given.scale_attn_weights,
    scaleByLayer: given.scale_attn_by_inverse_layer_idx,
  };
}

/** Keys that change the architecture beyond what is supported, unless they have the value beside them. */
const UNSUPPORTED: Record<string, { value: unknown; what: string; hint: string }> = {
  quantization_config: {
    value: null,
    what: "quantized weights are not supported",
    hint: "Choose the checkpoint in float32, float16 or bfloat16.",
  },
  partial_rotary_factor: {
    value: 1,
    what: "only whole heads can be rotated",
    hint: "Choose another checkpoint of the family.",
  },
  add_cross_attention: {
    value: false,
    what: "cross attention is not supported",
    hint: "Choose a decoder-only checkpoint.",
  },
  num_experts: { value: null, what: "mixtures of experts are not supported", hint: "Choose a dense checkpoint." },
  num_local_experts: { value: null, what: "mixtures of experts are not supported", hint: "Choose a dense checkpoint." },
};

function refuseUnsupported(raw: Record<string, unknown>, source: string): void {
  for (const [key, { value, what, hint }] of Object.entries(UNSUPPORTED)) {
    const given = raw[key] ?? value;
    if (given === value) continue;
    const shown = typeof given === "object" ? "set" : JSON.stringify(given);
    throw new ThoughtbookError("bad-input", `${source}: ${key} is ${shown}; ${what}`, { hint });
  }
}

function refuseSlidingWindow(given: z.output<typeof schemas.qwen2 | typeof schemas.qwen3>, source: string): void {
  const { layer_types: types, sliding_window: window, max_position_embeddings: maxPositions } = given;
  const unknown = types?.find((type) => type !== "full_attention" && type !== "sliding_attention");
  if (unknown !== undefined) {
    const message = `${source}: layer_types has ${JSON.stringify(unknown)}; only full attention is supported`;
    throw new ThoughtbookError("bad-input", message, { hint: "Choose another checkpoint of the family." });
  }
  if (!given.use_sliding_window || window === null || window >= maxPositions) return;
  const slides = types?.includes("sliding_attention") ?? given.max_window_layers < given.num_hidden_layers;
  if (!slides) return;
  const message = `sliding_window is ${window}, less than max_position_embeddings, ${maxPositions}; sliding windows are not supported`;
  throw new ThoughtbookError("bad-input", `${source}: ${message}`, {
    hint: `Set max_position_embeddings to ${window}: in texts up to that length the window has no effect.`,
  });
}

function check<S extends z.ZodType>(schema: S, raw: Record<string, unknown>, source: string): z.output<S> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  return contradict(source, `${path.join(".")}: ${message}`);
}

function contradict(source: string, what: string): never {
  throw new ThoughtbookError("corrupt-data", `${source}: ${what}`, {
    hint: "Correct it, or download the checkpoint again.",
  });
}

/** GPT-2's own names for keys of other families; transformers reads both. */
function withGpt2Keys(raw: Record<string, unknown>): Record<string, unknown> {
  return {
    ...raw,
    n_embd: raw.n_embd ?? raw.hidden_size,
    n_layer: raw.n_layer ?? raw.num_hidden_layers,
    n_head: raw.n_head ?? raw.num_attention_heads,
    n_positions: raw.n_positions ?? raw.max_position_embeddings,
  };
}

function headSize(hiddenSize: number, heads: number, keys: [string, string], source: string): number {
  if (hiddenSize % heads === 0) return hiddenSize / heads;
  return contradict(source, `${keys[0]} is ${hiddenSize}, expected a multiple of ${keys[1]}, ${heads}`);
}

function activationOf(name: string, key: string, source: string): Activation {
  const found = (Object.keys(ACTIVATIONS) as Activation[]).find((each) => ACTIVATIONS[each].includes(name));
  if (found !== undefined) return found;
  const supported = Object.values(ACTIVATIONS).flat().join(", ");
  throw new ThoughtbookError("bad-input", `${source}: ${key} is ${JSON.stringify(name)}; supported are ${supported}`, {
    hint: "Choose another checkpoint of the family.",
  });
}

interface SpecialIds {
  bos_token_id?: number | null | undefined;
  eos_token_id?: number | number[] | null | undefined;
  pad_token_id?: number | null | undefined;
}

function specialIds(given: SpecialIds): Pick<RotaryConfig, "beginId" | "endIds" | "paddingId"> {
  // Some older checkpoints write -1 for none.
  const known = (id: number | null | undefined) => (typeof id === "number" && id >= 0 ? id : undefined);
  const endIds = [given.eos_token_id ?? []].flat().filter((id) => id >= 0);
  return { beginId: known(given.bos_token_id), endIds, paddingId: known(given.pad_token_id) };
}
