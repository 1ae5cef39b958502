import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type HostModel,
  initializeParameters,
  loadTokenizer,
  openCheckpoint,
  openSafetensors,
  parseConfig,
  readParameters,
  saveBpe,
  saveCheckpoint,
  type Tokenizer,
  trainBpe,
} from "thoughtbook/model";
import { readTensor } from "../../../lib/dist/model/weights/safetensors.js";

export const CHECKPOINTS = join(import.meta.dirname, "..", "..", "fixtures", "checkpoints");
export const PARITY = ["llama-gqa-tied", "qwen2-bias", "qwen3-qknorm", "gpt2"];

export async function checkpoint(name: string): Promise<HostModel> {
  const found = await openCheckpoint(join(CHECKPOINTS, name));
  return { config: found.config, weights: await readParameters(found) };
}

export function expectedOf<T>(name: string): T {
  return JSON.parse(readFileSync(join(CHECKPOINTS, name, "expected.json"), "utf8")) as T;
}

/** A tensor of expected.safetensors as numbers, with its shape. */
export async function expectedTensor(name: string, key: string): Promise<{ shape: readonly number[]; data: number[] }> {
  const file = await openSafetensors(join(CHECKPOINTS, name, "expected.safetensors"));
  const { shape, data } = await readTensor(file, key);
  return { shape, data: Array.from(data as ArrayLike<number | bigint>, Number) };
}

/** Row 0 of the inputs that the expected values of a parity checkpoint were computed for. */
export async function parityIds(name: string): Promise<number[]> {
  const { shape, data } = await expectedTensor(name, "input_ids");
  return data.slice(0, shape[1]);
}

export const CONFIG = {
  model_type: "llama",
  vocab_size: 300,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 2048,
  bos_token_id: 0,
  eos_token_id: 1,
  tie_word_embeddings: true,
};

/** A model with random weights whose next tokens are neither certain nor all alike. */
export function randomModel(changes: object = {}): HostModel {
  const config = parseConfig({ ...CONFIG, ...changes });
  return { config, weights: initializeParameters(config, { seed: 1, deviation: 0.4 }) };
}

const CORPUS = [
  "the cat sat on the mat, and the dog sat on the log; then the cat and the dog ran. ",
  "Zoë naïve café über. ",
];
const TEMPLATE =
  "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

/** A folder with a checkpoint like {@link randomModel}, a tokenizer and a chat template. */
export async function writeChatModel(folder: string): Promise<void> {
  const { config, weights } = randomModel();
  await saveCheckpoint(folder, { config, parameters: weights });
  const bpe = await trainBpe(CORPUS, {
    vocabularySize: 300,
    specialTokens: ["<s>", "<|end|>", "<|user|>", "<|assistant|>"],
    bosToken: "<s>",
    eosToken: "<|end|>",
    minFrequency: 1,
  });
  await saveBpe(folder, bpe, { chatTemplate: TEMPLATE });
}

export async function tokenizerOf(folder: string): Promise<Tokenizer> {
  await writeChatModel(folder);
  return loadTokenizer(folder);
}

/** The largest difference between two lists of the same length; infinite if their lengths differ. */
export function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((most, each) => Math.max(most, each), 0);
}
