import { join } from "node:path";
import type { ModelParameters } from "../model/index.js";
import { grpo, rolloutSource, type Trainable, type Trained, train } from "../train/index.js";
import { type GroupOptions, trainOptionsOf } from "./group-options.js";

export interface OptimizeWeightsOptions extends GroupOptions {
  /** All weights, or an adapter beside frozen ones. */
  trainable: Exclude<Trainable, "extra">;
  /** Learning rate, after a tenth of the updates in which it rises. Default: 1e-5 for all weights, 1e-3 for an adapter. */
  learningRate?: number | undefined;
}

const RATES = { all: 1e-5, adapter: 1e-3 };

/**
 * GRPO: optimise the weights of a model, or an adapter, by groups of attempts and their rewards. The reference of the divergence
 * is the model before training. Records tell the reward, its parts, the divergence (`kl`, where it is measured) and the entropy of
 * each update.
 *
 * @throws bad-input for options out of range, or weights in blocks that are to be trained; as `rolloutSource` and `train`
 *
 * @example
 * ```ts
 * import { optimizeWeights } from "thoughtbook/grpo";
 * import { loadLocalModel } from "thoughtbook/llm";
 * import { namedRewards } from "thoughtbook/rollouts";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadLocalModel("mini");
 * const reward = namedRewards({ answer: 1, format: 0.1 }, { most: 64, verifier: model });
 * const task = await loadTask("word-problems:3", { split: "train", limit: 4 });
 * const source = { model, task, strategy: cot(), reward, groupSize: 4, problems: 2, maxNewTokens: 64 };
 * const trainable = { lora: { rank: 4 } };
 * const { steps } = await optimizeWeights({ ...source, trainable, collections: 1, seed: 1, folder: "run" });
 * console.log(steps); // 1
 * ```
 */
export async function optimizeWeights(options: OptimizeWeightsOptions): Promise<Trained> {
  const { model, trainable, seed = 0, folder } = options;
  const objective = grpo(options);
  const { weights, blocks } = await model.host();
  const learningRate = options.learningRate ?? (trainable === "all" ? RATES.all : RATES.adapter);
  return train({
    model: { config: model.config, parameters: weights as ModelParameters, blocks },
    objective,
    source: rolloutSource({ ...options, objective, seed, folder: join(folder, "source") }),
    trainable,
    settings: { seed, learningRate, schedule: "constant", warmup: 0.1, weightDecay: 0 },
    ...trainOptionsOf(options),
  });
}
