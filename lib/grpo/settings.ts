import { z } from "zod";
import { PARTS } from "../data/index.js";
import { REWARD_NAMES } from "../rollouts/index.js";

const count = z.int().positive();
const from0 = z.number().nonnegative();

const taskSchema = z.strictObject({
  name: z.string().min(1),
  split: z.string().optional(),
  part: z.enum(PARTS).optional(),
  limit: count.optional(),
  /** Which word problems. */
  seed: z.int().optional(),
});

/** What an optimisation trains: all weights, an adapter, vectors before the prompt, or the choice among written prompts. */
export const TRAINED = ["weights", "lora", "vectors", "words"] as const;

/** Settings of one optimisation, as flags and plans give them. What is left out has the default of the function that takes it. */
export const optimizationSchema = z.strictObject({
  train: z.enum(TRAINED),
  /** The problems to learn from. */
  task: taskSchema,
  /** The problems to measure on. Default: the same name, split `test`, at most 200. */
  test: taskSchema.optional(),
  /** How a problem is attempted, by name. Default: cot. */
  strategy: z.string().optional(),
  /** Instead: an instruction in words, before the question. */
  instruction: z.string().min(1).optional(),
  /** How the model is asked. Default: by its name. */
  asking: z.string().optional(),
  /** Weights of rewards by name. */
  rewards: z.partialRecord(z.enum(REWARD_NAMES), z.number()).default({ answer: 1 }),
  /** Collections of attempts. */
  collections: count.default(20),
  /** Problems of a collection. Default: 8, or all if there are fewer. */
  problems: count.optional(),
  groupSize: count.default(8),
  passes: count.optional(),
  updates: count.optional(),
  textsAtOnce: count.optional(),
  maxNewTokens: count.default(128),
  temperature: z.number().positive().default(1),
  learningRate: z.number().positive().optional(),
  beta: from0.optional(),
  epsilon: from0.max(1).optional(),
  epsilonHigh: from0.optional(),
  lossType: z.enum(["grpo", "bnpo", "dapo", "dr_grpo"]).optional(),
  scaleRewards: z.enum(["group", "batch", "none"]).optional(),
  level: z.enum(["token", "sequence"]).optional(),
  entropyCoefficient: from0.optional(),
  maskTruncated: z.boolean().optional(),
  /** Measure the divergence from the model before training, which costs a pass over it. */
  measureKl: z.boolean().default(true),
  /** Of an adapter. */
  rank: count.default(8),
  vectors: count.default(16),
  /** Text whose embeddings the vectors begin with. */
  text: z.string().optional(),
  per: z.enum(["task", "question"]).default("task"),
  /** File of written prompts. */
  pool: z.string().optional(),
  /** Share of written prompts that a round keeps. */
  keep: z.number().gt(0).lt(1).optional(),
  /** Updates between two measurements on held-out problems. Default: only before and after. */
  evaluateEvery: count.optional(),
  /** Samples of each held-out problem, for pass@k; 0 for none. */
  samples: z.int().nonnegative().default(8),
});

export type OptimizationSettings = z.infer<typeof optimizationSchema>;
export type OptimizationInput = z.input<typeof optimizationSchema>;
export type TrainedPart = (typeof TRAINED)[number];
