/** Trainers that data and configurations are written for. */
export const ENGINES = ["trl", "llama-factory", "litgpt"] as const;
export type Engine = (typeof ENGINES)[number];

/** How a model is trained: supervised, on preferences, or by groups of rewarded attempts. */
export const METHODS = ["sft", "dpo", "grpo"] as const;
export type Method = (typeof METHODS)[number];

/** Settings of a training run, for any engine. */
export interface TrainingRecipe {
  /** Model on the Hugging Face hub, or a folder. */
  model: string;
  /** Names of the conversation's template, for engines that choose one by name. */
  template: { llamaFactory: string; litgpt: string };
  epochs: number;
  learningRate: number;
  /** LitGPT only: what the cosine ends at. Others end at 0. */
  minLearningRate: number;
  schedule: "cosine" | "linear" | "constant";
  /** Updates until the learning rate is reached; below 1 a share of all updates. */
  warmup: number;
  weightDecay: number;
  betas: readonly [number, number];
  /** Rows per update over all devices, and rows that a device computes at once. */
  batchSize: number;
  perDevice: number;
  nodes: number;
  /** Devices of a node. */
  devices: number;
  /** Maximum tokens of a row. */
  context: number;
  /** Updates between two savings, or after each epoch. */
  save: number | "epoch";
  /** Share of the rows that LitGPT measures on. */
  validation: number;
  seed: number;
}

const ASTAR: TrainingRecipe = {
  model: "Qwen/QwQ-32B",
  template: { llamaFactory: "qwen", litgpt: "qwen2.5" },
  epochs: 3,
  learningRate: 1e-5,
  minLearningRate: 0,
  schedule: "cosine",
  warmup: 0.1,
  weightDecay: 0,
  betas: [0.9, 0.999],
  batchSize: 64,
  perDevice: 1,
  nodes: 1,
  devices: 8,
  context: 16384,
  save: "epoch",
  validation: 0.01,
  seed: 42,
};

const DOTS: TrainingRecipe = {
  model: "meta-llama/Meta-Llama-3-8B-Instruct",
  template: { llamaFactory: "llama3", litgpt: "llama3" },
  epochs: 4,
  learningRate: 2e-5,
  minLearningRate: 2e-6,
  schedule: "cosine",
  warmup: 60,
  weightDecay: 0.02,
  betas: [0.9, 0.95],
  batchSize: 64,
  perDevice: 1,
  nodes: 1,
  devices: 2,
  context: 4096,
  save: 60,
  validation: 0.01,
  seed: 11,
};

/**
 * Recipes by name:
 * - astar: full fine-tuning of A*-Thought (arXiv 2505.24550): 8 accumulated batches on each of 8 devices, ZeRO-3 with offload
 * - dots: of DOTS (arXiv 2410.03864) as its paper has it: 4 epochs of 64 rows an update
 * - dots-released: as its released configuration has it: 2 epochs of 32 rows
 * - plain: a small full fine-tuning of a 0.5 B model on one device, to begin with
 */
export const RECIPES = {
  astar: ASTAR,
  dots: DOTS,
  "dots-released": { ...DOTS, epochs: 2, batchSize: 32 },
  plain: {
    ...ASTAR,
    model: "Qwen/Qwen2.5-0.5B-Instruct",
    epochs: 1,
    warmup: 0.05,
    batchSize: 16,
    perDevice: 4,
    devices: 1,
    context: 2048,
  },
} as const satisfies Record<string, TrainingRecipe>;
export type RecipeName = keyof typeof RECIPES;

/** The recipe that an engine's method takes unless another one is named. */
export const defaultRecipe = (engine: Engine, method: Method): RecipeName =>
  method !== "sft" ? "plain" : engine === "litgpt" ? "dots" : "astar";
