import { join } from "node:path";
import { badInput, checkWhole } from "../core/index.js";
import { softIds, softPromptOf } from "../llm/index.js";
import type { ModelParameters } from "../model/index.js";
import type { Problem } from "../tasks/index.js";
import {
  type GrpoOptions,
  grpo,
  type RolloutSourceOptions,
  rolloutSource,
  SOFT_PROMPT,
  type TrainOptions,
  train,
} from "../train/index.js";
import { softPromptStrategy, withPromptVectors } from "./soft-prompt.js";
import { type SoftPrompt, saveSoftPrompt } from "./soft-prompt-file.js";

type Source = Omit<RolloutSourceOptions<never>, "objective" | "folder" | "seed">;

export interface OptimizeSoftPromptOptions
  extends Source,
    Pick<GrpoOptions, "epsilon" | "epsilonHigh" | "beta" | "lossType" | "scaleRewards" | "temperature">,
    Pick<TrainOptions<never>, "onRecord" | "saveEvery"> {
  /** One prompt for the `task`, or one for each `question` of it (test time). Default: `task`. */
  per?: "task" | "question" | undefined;
  /** Vectors of a prompt. Default: 16. */
  vectors?: number | undefined;
  /** Text whose token embeddings the vectors begin with, repeated or cut to their number. */
  text?: string | undefined;
  /** Peak learning rate. Default: a fifth of the root mean square of the initial vectors. */
  learningRate?: number | undefined;
  seed?: number | string | undefined;
  /** Folder of the run, which resumes; the prompts are saved in its subfolder `prompt`. */
  folder: string;
}

export interface OptimizedPrompt {
  /** The prompt of the task, or one for each question, by the ids of the problems. */
  prompts: SoftPrompt[];
  /** Updates made. */
  steps: number;
}

const TEXT = "Think step by step, check each step, and give the final answer.";

/**
 * Prompt GRPO: optimise vectors that precede the prompts of a model, which stays frozen bit for bit, by groups of
 * attempts and their rewards. The reference of the divergence is the model without vectors.
 *
 * @throws bad-input for options out of range, or a text without tokens; as `rolloutSource` and `train`
 *
 * @example
 * ```ts
 * import { optimizeSoftPrompt } from "thoughtbook/grpo";
 * import { loadLocalModel } from "thoughtbook/llm";
 * import { answerReward } from "thoughtbook/rollouts";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadLocalModel("mini");
 * const task = await loadTask("word-problems:3", { limit: 4 });
 * const source = { model, task, strategy: cot(), reward: answerReward, groupSize: 4, problems: 2, maxNewTokens: 64 };
 * const { prompts } = await optimizeSoftPrompt({ ...source, collections: 1, vectors: 4, seed: 1, folder: "run" });
 * console.log(prompts.map(({ name, vectors }) => [name, ...vectors.shape])); // [ [ 'task', 4, 192 ] ]
 * ```
 */
export async function optimizeSoftPrompt(options: OptimizeSoftPromptOptions): Promise<OptimizedPrompt> {
  const { model, task, strategy, per = "task", vectors = 16, text = TEXT, seed = 0, folder } = options;
  const { epsilon, epsilonHigh, beta, lossType, scaleRewards, temperature, onRecord, saveEvery, ...source } = options;
  checkWhole("vectors", vectors, 1);
  if (per !== "task" && per !== "question") {
    throw badInput(`per is ${per}, expected "task" or "question"`, "Correct it, or leave it out for the default.");
  }
  const first = await softPromptOf(model, text, vectors);
  const names = per === "task" ? ["task"] : task.problems.map(({ id }) => id);
  const initial = {
    shape: [names.length * vectors, model.config.hiddenSize],
    dtype: "float32" as const,
    data: new Float32Array(names.length * first.data.length),
  };
  for (const at of names.keys()) initial.data.set(first.data, at * first.data.length);
  const places = new Map(names.map((name, at) => [name, at]));
  const idsOf = ({ id }: Problem) => softIds(model, vectors, (per === "task" ? 0 : places.get(id)!) * vectors);
  const objective = withPromptVectors(
    grpo({ epsilon, epsilonHigh, beta, lossType, scaleRewards, temperature }),
    initial,
  );
  const learningRate = options.learningRate ?? 0.2 * rootMeanSquare(first.data);
  const { weights, blocks } = await model.host();
  const trained = await train({
    model: { config: model.config, parameters: weights as ModelParameters, blocks },
    objective: { ...objective, settings: { ...objective.settings, per, vectors, text } },
    source: rolloutSource({
      ...source,
      objective,
      strategy: softPromptStrategy(strategy, model, idsOf),
      seed,
      folder: join(folder, "source"),
    }),
    trainable: "extra",
    settings: { seed, learningRate, schedule: "constant", warmup: 0, weightDecay: 0 },
    folder,
    onRecord,
    saveEvery,
    signal: options.signal,
    threads: options.threads,
    display: options.display,
  });
  const all = trained.extra![SOFT_PROMPT]!;
  const size = vectors * model.config.hiddenSize;
  const prompts = names.map((name, at): SoftPrompt => {
    const data = (all.data as Float32Array).slice(at * size, (at + 1) * size);
    return { name, vectors: { shape: [vectors, model.config.hiddenSize], dtype: "float32", data } };
  });
  await saveSoftPrompt(join(folder, "prompt"), model, prompts);
  return { prompts, steps: trained.steps };
}

const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
