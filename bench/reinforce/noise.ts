import { createRandom } from "thoughtbook/core";
import { type Estimate, evaluate } from "thoughtbook/eval";
import { optimizeWeights } from "thoughtbook/grpo";
import type { LocalModel } from "thoughtbook/llm";
import type { Reward } from "thoughtbook/rollouts";
import { cot } from "thoughtbook/strategies";
import { loadTask } from "thoughtbook/tasks";
import { policyModel } from "thoughtbook/train";
import { SIZES } from "./control.js";

export interface NoiseRow {
  what: "noise";
  seed: number;
  steps: number;
  problems: number;
  /** Greedy accuracy on held-out problems. */
  before: Estimate;
  after: Estimate;
  /** Divergence from the model before training, in nats a token, in the last update. */
  kl: number;
}

const TASK = "word-problems:3-5";
const PROBLEMS = 500;

/** A coin for each attempt. */
const coin = (seed: number): Reward => {
  return async ({ id }, group) =>
    group.map(({ sample, text }) => createRandom(`noise/${seed}/${id}/${sample}/${text}`).integer(2));
};

/**
 * Negative control: rewards of pure noise teach nothing, so accuracy must stay where it was. Nothing is clipped, since clipping alone
 * favours what is probable already (arXiv 2506.10947); two passes make the ratios differ from 1.
 */
export async function benchNoise(
  model: LocalModel,
  { seed, steps, folder, learningRate }: { seed: number; steps: number; folder: string; learningRate: number },
): Promise<NoiseRow> {
  const heldOut = await loadTask(TASK, { limit: PROBLEMS, split: "test" });
  const task = await loadTask(TASK, { limit: 8 * steps, split: "train", seed: 1 });
  const measured = async (own: LocalModel) => {
    const { summary } = await evaluate(cot(), heldOut, { model: own, budgets: [SIZES.maxNewTokens] });
    return summary.budgets[0]!.accuracy.strict!;
  };
  let kl = 0;
  const { step: _, ...trained } = await optimizeWeights({
    ...{ ...SIZES, passes: 2, model, task, seed, collections: steps / 2, strategy: cot(), reward: coin(seed) },
    ...{ trainable: "all", epsilon: 1, epsilonHigh: 1e9, measureKl: true, learningRate, folder },
    onRecord: ({ metrics }) => {
      kl = metrics!.kl!;
    },
  });
  const before = await measured(model);
  const after = await measured(policyModel(model, { step: steps, config: model.config, ...trained }));
  return { what: "noise", seed, steps, problems: PROBLEMS, before, after, kl };
}
