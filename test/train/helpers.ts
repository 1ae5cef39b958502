import { join } from "node:path";
import { initializeParameters, type ModelConfig, type ModelParameters, parseConfig } from "thoughtbook/model";
import { type Example, exampleOf } from "thoughtbook/train";

export const CHECKPOINTS = join(import.meta.dirname, "..", "fixtures", "checkpoints");

/** Shows nothing. */
export const SILENT = { show() {}, finish() {}, log() {} };

/** A Llama of a few thousand weights. */
export const TINY: ModelConfig = parseConfig({
  model_type: "llama",
  vocab_size: 20,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  tie_word_embeddings: true,
});

export const tinyParameters = (): ModelParameters => initializeParameters(TINY, { seed: 1 });

/** Texts that count up, of different lengths and beginnings. */
export function countingTexts(count: number): Example[] {
  return Array.from({ length: count }, (_, i) =>
    exampleOf(Array.from({ length: 4 + (i % 7) }, (_, place) => (i + place) % 20)),
  );
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
