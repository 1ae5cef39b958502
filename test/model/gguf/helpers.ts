import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  exportGguf,
  type GgufType,
  initializeParameters,
  type ModelConfig,
  openCheckpoint,
  parseConfig,
  saveCheckpoint,
} from "thoughtbook/model";
import type { GgufEntry, GgufOutput } from "../../../lib/dist/model/gguf/write.js";
import { writeGguf } from "../../../lib/dist/model/gguf/write.js";
import { temporaryFolder } from "../../core/helpers.js";
import { tokenizerFolder } from "../tokenizer/fixtures.js";

/** Small models, one of each architecture, with what distinguishes it: several heads a key, biases, norms of heads. */
export const TINY: Readonly<Record<string, Record<string, unknown>>> = {
  llama: {
    model_type: "llama",
    num_attention_heads: 4,
    num_key_value_heads: 2,
    tie_word_embeddings: true,
    rope_theta: 5000,
  },
  "llama-biased": {
    model_type: "llama",
    num_attention_heads: 4,
    num_key_value_heads: 4,
    attention_bias: true,
    mlp_bias: true,
  },
  "llama-3": {
    ...{ model_type: "llama", num_attention_heads: 2, num_key_value_heads: 1, rope_theta: 500_000 },
    ...{ max_position_embeddings: 16_384 },
    rope_scaling: {
      ...{ rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      original_max_position_embeddings: 8192,
    },
  },
  "llama-linear": {
    model_type: "llama",
    num_attention_heads: 4,
    num_key_value_heads: 2,
    rope_scaling: { rope_type: "linear", factor: 2 },
  },
  qwen2: { model_type: "qwen2", num_attention_heads: 4, num_key_value_heads: 2, rope_theta: 1_000_000 },
  qwen3: {
    model_type: "qwen3",
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 32,
    tie_word_embeddings: true,
  },
  gpt2: { model_type: "gpt2", n_embd: 64, n_layer: 2, n_head: 4, n_positions: 256, n_inner: 128 },
};

export function tinyConfig(name: string, changes: Record<string, unknown> = {}): ModelConfig {
  return parseConfig({
    ...{ vocab_size: 640, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, max_position_embeddings: 256 },
    ...{ bos_token_id: 0, eos_token_id: 0, pad_token_id: null },
    ...TINY[name],
    ...changes,
  });
}

/** A folder with an untrained model, whose biases and gains are random too, and the tokenizer of a fixture. */
export async function tinyFolder(
  name: string,
  {
    folder,
    tokenizer = "gpt2",
    changes = {},
  }: { folder?: string; tokenizer?: string; changes?: Record<string, unknown> } = {},
): Promise<string> {
  const target = folder ?? join(await temporaryFolder(), "model");
  const config = tinyConfig(name, changes);
  const parameters = initializeParameters(config, { seed: 1, deviation: 0.1 });
  let state = 1;
  for (const { shape, data } of Object.values(parameters)) {
    if (shape.length > 1) continue;
    for (let i = 0; i < data.length; i++) {
      state = (state * 48_271) % 2_147_483_647;
      data[i]! += 0.2 * (state / 2_147_483_647 - 0.5);
    }
  }
  await saveCheckpoint(target, { config, parameters });
  const from = tokenizerFolder(tokenizer);
  for (const file of await readdir(from)) if (file !== "expected.json") await cp(join(from, file), join(target, file));
  return target;
}

/** The same model as a GGUF file. */
export async function tinyGguf(name: string, type: GgufType = "f16", options: Parameters<typeof tinyFolder>[1] = {}) {
  const folder = await tinyFolder(name, options);
  const file = `${folder}.gguf`;
  const { notes } = await exportGguf(await openCheckpoint(folder), file, { type });
  return { folder, file, notes };
}

export const text = (value: string | readonly string[]): GgufEntry => ({ type: "string", value });
export const whole = (value: number): GgufEntry => ({ type: "uint32", value });

/** A tensor of zeros. */
export const zeros = (name: string, shape: readonly number[]): GgufOutput => {
  const read = async () => new Uint8Array(shape.reduce((product, size) => product * size, 4));
  return { name, shape, type: "F32", read };
};

/** A GGUF file of the running test with the given metadata and tensors. */
export async function fileOf(
  metadata: Record<string, GgufEntry>,
  tensors: readonly GgufOutput[] = [],
): Promise<string> {
  const file = join(await temporaryFolder(), "made.gguf");
  await writeGguf(file, metadata, tensors);
  return file;
}
