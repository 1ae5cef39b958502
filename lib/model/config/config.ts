import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileSystemError, isLfsPointer, lfsPointerError, ThoughtbookError } from "../../core/index.js";
import { isFamily, readGpt2, readRotary } from "./families.js";
import type { Rope } from "./rope.js";

/** The function between the two halves of a feed-forward block; `gelu-tanh` is GPT-2's approximation of `gelu`. */
export type Activation = "silu" | "gelu" | "gelu-tanh" | "relu";

interface CommonConfig {
  vocabularySize: number;
  /** Width of the embeddings and of the residual stream. */
  hiddenSize: number;
  layers: number;
  /** Query heads a layer. */
  heads: number;
  /** Key and value heads a layer; each serves `heads / keyValueHeads` query heads. */
  keyValueHeads: number;
  headDimension: number;
  /** Width of the feed-forward block. */
  intermediateSize: number;
  activation: Activation;
  /** Added to the variance in each norm. */
  normEpsilon: number;
  /** The most positions a sequence can have. */
  maxPositions: number;
  /** Whether the output layer is the token embedding. */
  tiedEmbeddings: boolean;
  /** Begins a text. This and the other special ids may lie outside the vocabulary, as some public checkpoints have it. */
  beginId: number | undefined;
  /** Each of these ends a text. */
  endIds: readonly number[];
  paddingId: number | undefined;
}

/** Llama and what grew out of it: RMS norms before each block, rotary positions, a gated feed-forward block. */
export interface RotaryConfig extends CommonConfig {
  family: "llama" | "qwen2" | "qwen3";
  rope: Rope;
  /** Whether the projections to queries, keys and values add a bias. */
  queryKeyValueBias: boolean;
  /** Whether the projection of the attention's output adds a bias. */
  outputBias: boolean;
  /** Whether the three projections of the feed-forward block add a bias. */
  feedForwardBias: boolean;
  /** Whether queries and keys pass through an RMS norm a head, before the rotation. */
  queryKeyNorm: boolean;
}

/** Layer norms before each block, learned positions, biases everywhere. */
export interface Gpt2Config extends CommonConfig {
  family: "gpt2";
  /** Whether attention scores are divided by √headDimension. */
  scaleByHeadDimension: boolean;
  /** Whether the scores of layer i, counted from 0, are also divided by i + 1. */
  scaleByLayer: boolean;
}

/** What a causal language model is made of; `family` tells the architectures apart. */
export type ModelConfig = RotaryConfig | Gpt2Config;
export type Family = ModelConfig["family"];

/**
 * Read the content of a Hugging Face `config.json`, of any version from transformers 4.0 on. A key that is absent
 * gets the default that transformers 5 gives it for the family.
 *
 * @param source what the messages of errors call it
 * @throws bad-input for an architecture outside the four families, or an option of one that is not supported here;
 *   corrupt-data for a value of the wrong type, or values that contradict each other
 */
export function parseConfig(value: unknown, source = "config.json"): ModelConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ThoughtbookError("corrupt-data", `${source} holds no JSON object`, {
      hint: "Give the folder of a Hugging Face checkpoint.",
    });
  }
  const raw = value as Record<string, unknown>;
  const { model_type: type } = raw;
  if (!isFamily(type)) {
    throw new ThoughtbookError(
      "bad-input",
      `${source}: model_type is ${type === undefined ? "missing" : JSON.stringify(type)}; supported are llama, qwen2, qwen3 and gpt2`,
      { hint: "Choose a checkpoint of one of these families." },
    );
  }
  return type === "gpt2" ? readGpt2(raw, source) : readRotary(type, raw, source);
}

/**
 * The configuration of the checkpoint in a folder, from its `config.json`.
 *
 * @throws not-found, file-system, corrupt-data (not JSON), and the errors of {@link parseConfig}
 */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const file = join(folder, "config.json");
  return parseConfig(await readJsonFile(file), file);
}

/** The JSON value in a file. Throws not-found, file-system, corrupt-data. */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileSystemError(error, "read", file);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (isLfsPointer(text)) throw lfsPointerError(file, text);
    throw new ThoughtbookError("corrupt-data", `${file} is not JSON: ${(cause as Error).message}`, {
      hint: "Download the checkpoint again.",
      cause,
    });
  }
}

/** What the scores of a layer, queries times keys, are multiplied with before the softmax. */
export function attentionScale(config: ModelConfig, layer: number): number {
  if (config.family !== "gpt2") return config.headDimension ** -0.5;
  const scale = config.scaleByHeadDimension ? config.headDimension ** -0.5 : 1;
  return config.scaleByLayer ? scale / (layer + 1) : scale;
}
