import { badInput } from "../../core/index.js";
import { ropeFrequencies } from "../config/rope.js";
import { type GgufFile, readGgufFloats } from "./file.js";
import { corruptGguf, type GgufValue } from "./header.js";
import { ROPE_FACTORS } from "./weights.js";

const ARCHITECTURES = ["llama", "qwen2", "qwen3", "gpt2"];

/** Keys of the metadata, after the architecture's name, that change the computation unless they have this value. */
const UNSUPPORTED: Readonly<Record<string, { value: number; what: string }>> = {
  expert_count: { value: 0, what: "mixtures of experts are not supported" },
  "attention.clamp_kqv": { value: 0, what: "clamped attention is not supported" },
  logit_scale: { value: 1, what: "scaled logits are not supported" },
  embedding_scale: { value: 1, what: "scaled embeddings are not supported" },
  residual_scale: { value: 1, what: "scaled residuals are not supported" },
  attn_logit_softcapping: { value: 0, what: "capped attention is not supported" },
  final_logit_softcapping: { value: 0, what: "capped logits are not supported" },
};

/** What is kept of a text that ends by these tokens: llama.cpp knows them by their names too. */
const END_NAMES: ReadonlySet<string> = new Set([
  ...["<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>"],
  ...["<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<｜end▁of▁sentence｜>"],
]);

/** Reads values of a file's metadata by their keys, and checks their kinds. */
export interface Metadata {
  text(key: string): string | undefined;
  number(key: string): number | undefined;
  flag(key: string): boolean | undefined;
  /** Throws corrupt-data without one. */
  requiredNumber(key: string): number;
}

export function metadataOf({ metadata, path }: GgufFile): Metadata {
  const read = <T extends GgufValue>(key: string, kind: "string" | "number" | "boolean"): T | undefined => {
    const value = metadata.get(key);
    if (value === undefined || typeof value === kind) return value as T | undefined;
    throw corruptGguf(
      path,
      `${key} is ${typeof value === "object" ? "a list" : JSON.stringify(value)}, expected a ${kind}`,
    );
  };
  const number = (key: string) => read<number>(key, "number");
  return {
    text: (key) => read<string>(key, "string"),
    flag: (key) => read<boolean>(key, "boolean"),
    number,
    requiredNumber(key) {
      const value = number(key);
      if (value === undefined) throw corruptGguf(path, `its metadata lacks ${key}`);
      return value;
    },
  };
}

/**
 * What the metadata of a GGUF file says about the model, as the content of a `config.json`.
 *
 * @param tokens the vocabulary, to know the tokens that end a text by their names
 * @throws bad-input (an architecture or option that is not supported, a part of a split file), corrupt-data, file-system
 */
export async function ggufConfigJson(
  file: GgufFile,
  tokens: readonly { name: string; isControl: boolean }[],
): Promise<Record<string, unknown>> {
  const { path } = file;
  const metadata = metadataOf(file);
  const architecture = checkArchitecture(file, metadata);
  const key = (name: string) => `${architecture}.${name}`;
  const required = (name: string) => metadata.requiredNumber(key(name));
  for (const [name, { value, what }] of Object.entries(UNSUPPORTED)) {
    const given = metadata.number(key(name)) ?? value;
    if (given !== value) throw unsupported(path, `${key(name)} is ${given}; ${what}`);
  }
  if (metadata.flag(key("attention.causal")) === false) {
    throw unsupported(path, `${key("attention.causal")} is false; models that see the tokens after are not supported`);
  }
  const embedding = file.tensors.get("token_embd.weight");
  if (embedding?.shape.length !== 2)
    throw corruptGguf(path, "it has no matrix token_embd.weight: it is no whole model");
  const common = {
    model_type: architecture,
    vocab_size: embedding.shape[0],
    tie_word_embeddings: !file.tensors.has("output.weight"),
    ...specialIds(metadata, tokens),
  };
  if (architecture === "gpt2") {
    return {
      ...common,
      n_embd: required("embedding_length"),
      n_layer: required("block_count"),
      n_head: required("attention.head_count"),
      n_positions: required("context_length"),
      n_inner: metadata.number(key("feed_forward_length")),
      layer_norm_epsilon: required("attention.layer_norm_epsilon"),
      activation_function: "gelu_new",
    };
  }
  const heads = headCount(file, key("attention.head_count"))!;
  if (heads === undefined) throw corruptGguf(path, `its metadata lacks ${key("attention.head_count")}`);
  const hidden = required("embedding_length");
  const positions = required("context_length");
  const headDimension = metadata.number(key("attention.key_length")) ?? hidden / heads;
  for (const name of ["attention.value_length", "rope.dimension_count"]) {
    const given = metadata.number(key(name)) ?? headDimension;
    if (given !== headDimension)
      throw unsupported(path, `${key(name)} is ${given}, and a head has ${headDimension} dimensions`);
  }
  // 0 is that of the heads' width.
  const scale = metadata.number(key("attention.scale")) || headDimension ** -0.5;
  if (Math.abs(scale * Math.sqrt(headDimension) - 1) > 1e-4) {
    throw unsupported(path, `${key("attention.scale")} is ${scale}; other scales than a head's are not supported`);
  }
  const window = metadata.number(key("attention.sliding_window")) ?? 0;
  if (window > 0 && window < positions) {
    throw unsupported(
      path,
      `${key("attention.sliding_window")} is ${window}, less than the context of ${positions}; sliding windows are not supported`,
    );
  }
  const biased = file.tensors.has("blk.0.attn_output.bias");
  return {
    ...common,
    hidden_size: hidden,
    intermediate_size: required("feed_forward_length"),
    num_hidden_layers: required("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: headCount(file, key("attention.head_count_kv")) ?? heads,
    head_dim: headDimension,
    rms_norm_eps: required("attention.layer_norm_rms_epsilon"),
    max_position_embeddings: positions,
    rope_theta: metadata.number(key("rope.freq_base")) ?? 10_000,
    rope_scaling: await ropeScaling(file, metadata, key, headDimension),
    attention_bias: biased,
    mlp_bias: file.tensors.has("blk.0.ffn_up.bias"),
    use_sliding_window: false,
  };
}

function checkArchitecture({ path, tensors }: GgufFile, metadata: Metadata): string {
  const parts = metadata.number("split.count") ?? 1;
  if (parts > 1) {
    const part = (metadata.number("split.no") ?? 0) + 1;
    throw badInput(
      `${path} is part ${part} of ${parts} of a model; models in one file are supported`,
      "Join the parts with llama.cpp: llama-gguf-split --merge FIRST_PART.gguf WHOLE.gguf.",
    );
  }
  const type = metadata.text("general.type") ?? "model";
  if (type !== "model")
    throw badInput(
      `${path} holds no model: its general.type is ${JSON.stringify(type)}`,
      "Give the file of a whole model.",
    );
  const architecture = metadata.text("general.architecture");
  if (architecture === undefined) {
    const what = tensors.size === 0 ? "it has no tensors and " : "";
    throw corruptGguf(path, `${what}its metadata lacks general.architecture`);
  }
  if (ARCHITECTURES.includes(architecture)) return architecture;
  throw badInput(
    `${path}: general.architecture is ${JSON.stringify(architecture)}; supported are ${ARCHITECTURES.join(", ")}`,
    "Choose a model of one of these architectures, or run it with llama.cpp's server and give its address.",
  );
}

const unsupported = (path: string, what: string) => badInput(`${path}: ${what}`, "Choose another model.");

/** A number, or a list of a number for each layer, which must be equal. */
function headCount(file: GgufFile, key: string): number | undefined {
  const value = file.metadata.get(key);
  if (!Array.isArray(value)) {
    if (value === undefined || typeof value === "number") return value;
    throw unsupported(file.path, `${key} differs from layer to layer`);
  }
  const [first, ...others] = value;
  if (typeof first === "number" && others.every((other) => other === first)) return first;
  throw unsupported(file.path, `${key} differs from layer to layer`);
}

function specialIds(metadata: Metadata, tokens: readonly { name: string; isControl: boolean }[]) {
  const given = ["eos", "eot", "eom"].flatMap((role) => metadata.number(`tokenizer.ggml.${role}_token_id`) ?? []);
  const named = tokens.flatMap(({ name, isControl }, id) => (isControl && END_NAMES.has(name) ? [id] : []));
  return {
    bos_token_id: metadata.number("tokenizer.ggml.bos_token_id") ?? null,
    eos_token_id: [...new Set([...given, ...named])],
    pad_token_id: metadata.number("tokenizer.ggml.padding_token_id") ?? null,
  };
}

async function ropeScaling(
  file: GgufFile,
  metadata: Metadata,
  key: (name: string) => string,
  headDimension: number,
): Promise<Record<string, unknown> | null> {
  const factor = metadata.number(key("rope.scaling.factor")) ?? metadata.number(key("rope.scale_linear"));
  const type = metadata.text(key("rope.scaling.type")) ?? (factor === undefined || factor === 1 ? "none" : "linear");
  if (type !== "none") return { rope_type: type, ...(factor === undefined ? {} : { factor }) };
  if (!file.tensors.has(ROPE_FACTORS)) return null;
  const factors = await readGgufFloats(file, ROPE_FACTORS);
  const found =
    factors.length === headDimension / 2
      ? llama3Scaling(factors, metadata.number(key("rope.freq_base")) ?? 10_000)
      : undefined;
  if (found !== undefined) return found;
  throw unsupported(file.path, `${ROPE_FACTORS} holds other factors than Llama 3's, which are not supported`);
}

/**
 * The parameters of Llama 3's scaling, of which a file has only the factors that frequencies are divided by: 1 above one
 * frequency, the whole factor below another, interpolated between. Undefined if they are not of that kind.
 */
export function llama3Scaling(factors: Float32Array, theta: number): Record<string, unknown> | undefined {
  const [headDimension, originalPositions] = [factors.length * 2, 8192];
  const plain = ropeFrequencies({ kind: "default", theta }, headDimension);
  const factor = factors.reduce((most, each) => Math.max(most, each), 1);
  // Each interpolated frequency turns `turns` times over the original positions, and keeps the part `kept` of itself.
  const points = [...factors].flatMap((each, i) => {
    const kept = (1 / each - 1 / factor) / (1 - 1 / factor);
    return kept > 1e-4 && kept < 1 - 1e-4 ? [{ kept, turns: (originalPositions * plain[i]!) / (2 * Math.PI) }] : [];
  });
  const [first, last] = [points[0], points.at(-1)];
  const fitted = () => {
    const span = (first!.turns - last!.turns) / (first!.kept - last!.kept);
    const low = last!.turns - last!.kept * span;
    return { lowFactor: rounded(low), highFactor: rounded(low + span) };
  };
  // With fewer points, any would do that are as published.
  const limits = points.length > 1 ? fitted() : { lowFactor: 1, highFactor: 4 };
  const expected = ropeFrequencies({ kind: "llama3", theta, factor, originalPositions, ...limits }, headDimension);
  const agrees = factors.every((each, i) => Math.abs(plain[i]! / each / expected[i]! - 1) < 1e-4);
  if (!agrees) return undefined;
  return {
    rope_type: "llama3",
    factor,
    low_freq_factor: limits.lowFactor,
    high_freq_factor: limits.highFactor,
    original_max_position_embeddings: originalPositions,
  };
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
