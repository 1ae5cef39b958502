import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import {
  exportOnnx,
  initializeParameters,
  type ModelConfig,
  openCheckpoint,
  parameterCount,
  parseConfig,
  saveCheckpoint,
} from "thoughtbook/model";

/** What is generated with what: sizes of a Llama, and lengths in tokens. */
export interface GenerateProblem {
  vocabulary: number;
  width: number;
  hidden: number;
  layers: number;
  heads: number;
  keyHeads: number;
  promptTokens: number;
  newTokens: number;
}

/** 2.5 M parameters. */
export const PROBLEM: GenerateProblem = {
  vocabulary: 1024,
  width: 192,
  hidden: 512,
  layers: 6,
  heads: 6,
  keyHeads: 2,
  promptTokens: 64,
  newTokens: 128,
};

/** Larger than what training begins with: the best token then differs clearly from the next one. */
const DEVIATION = 0.1;
/** Lower ids are often special tokens. */
const FIRST_ID = 3;

export function modelConfig(problem: GenerateProblem): ModelConfig {
  return parseConfig({
    model_type: "llama",
    vocab_size: problem.vocabulary,
    hidden_size: problem.width,
    intermediate_size: problem.hidden,
    num_hidden_layers: problem.layers,
    num_attention_heads: problem.heads,
    num_key_value_heads: problem.keyHeads,
    max_position_embeddings: problem.promptTokens + problem.newTokens,
    tie_word_embeddings: true,
  });
}

/** The model's folders: Hugging Face's, and one that transformers.js opens. */
export function modelFolders(folder: string): { checkpoint: string; onnx: string } {
  return { checkpoint: join(folder, "checkpoint"), onnx: join(folder, "onnx") };
}

/** Write a model with random weights, and export it. */
export async function writeModel(folder: string, problem: GenerateProblem, seed: number): Promise<void> {
  const config = modelConfig(problem);
  const { checkpoint, onnx } = modelFolders(folder);
  await saveCheckpoint(checkpoint, {
    config,
    parameters: initializeParameters(config, { seed, deviation: DEVIATION }),
  });
  await exportOnnx(await openCheckpoint(checkpoint), onnx, { dtypes: ["fp32"], numLogitsToKeep: true });
}

/** Random prompts, all of one length. */
export function randomPrompts(problem: GenerateProblem, rows: number, seed: number): number[][] {
  const random = createRandom(seed).stream(`prompts ${rows}`);
  const { promptTokens, vocabulary } = problem;
  return Array.from({ length: rows }, () =>
    Array.from({ length: promptTokens }, () => FIRST_ID + random.integer(vocabulary - FIRST_ID)),
  );
}

export const countParameters = (problem: GenerateProblem): number => parameterCount(modelConfig(problem));

/**
 * Floating-point operations that one text needs: products with the weights, for the vocabulary only where a token is
 * chosen, and attention to the tokens up to each. A multiplication and an addition count as two.
 */
export function flopsOfText(problem: GenerateProblem): number {
  const { vocabulary, width, hidden, layers, heads, keyHeads, promptTokens, newTokens } = problem;
  const keyWidth = (width / heads) * keyHeads;
  const layer = 2 * width * width + 2 * width * keyWidth + 3 * width * hidden;
  // The last new token goes through no layer.
  const tokens = promptTokens + newTokens - 1;
  const attention = (4 * layers * width * tokens * (tokens + 1)) / 2;
  return 2 * tokens * layers * layer + 2 * newTokens * width * vocabulary + attention;
}
