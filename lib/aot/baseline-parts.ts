import { withoutUndefined } from "../core/index.js";
import type { EvaluationRecord } from "../eval/index.js";
import { optimizeSoftPrompt } from "../grpo/index.js";
import { type LanguageModel, type LocalModel, requireCapability, withSoftPrompt } from "../llm/index.js";
import { answerReward } from "../rollouts/index.js";
import type { BaselineOptions } from "../study/index.js";
import { loadTask } from "../tasks/index.js";
import { type AtomSummary, accuracyByDepth, atomChains, type DepthAccuracy, summarizeAtoms } from "./traces.js";

/** What records of a strategy tell besides accuracy and tokens. */
export interface RecordMeasures extends Readonly<Record<string, unknown>> {
  /** Where the depth of the questions' graphs is known. */
  byDepth?: DepthAccuracy[];
  /** Of Atom of Thoughts: transitions, depths, who won, what failed. */
  atoms?: AtomSummary;
}

/** The measures of an arm's records, for `measure` of `runBaselines`: under the largest budget. */
export function recordMeasures(records: readonly EvaluationRecord[]): RecordMeasures {
  const largest = records.reduce((most, { budget }) => Math.max(most, budget), 0);
  const own = records.filter(({ budget, sample }) => budget === largest && sample === 0);
  const byDepth = accuracyByDepth(own);
  const hasAtoms = own.some(({ trace }) => atomChains(trace).length > 0);
  return {
    ...(byDepth.length > 0 ? { byDepth } : {}),
    ...(hasAtoms ? { atoms: summarizeAtoms(own) } : {}),
  };
}

/**
 * Learn the soft prompt of an arm by prompt GRPO, for `optimise` of `runBaselines`: it precedes every call of the strategy, and a
 * right answer is the reward.
 *
 * @throws bad-input for a model that is not of this library's engine; as `optimizeSoftPrompt` and `loadTask`
 */
export const learnPrompt: NonNullable<BaselineOptions["optimise"]> = async (
  { task: name, split, limit, updates, problems, groupSize, vectors, text, learningRate },
  { model, strategy },
  { folder, seed, maxNewTokens, batchSize, signal, display },
) => {
  const local = requireLocal(model);
  const { prompts } = await optimizeSoftPrompt({
    ...{ model: local, strategy, reward: answerReward, seed, maxNewTokens, batchSize, signal, display, folder },
    task: await loadTask(name, { split, limit, signal }),
    ...{ collections: updates, problems, groupSize, vectors, saveEvery: 1 },
    ...withoutUndefined({ text, learningRate }),
  });
  return { model: withSoftPrompt(local, prompts[0]!.vectors), strategy };
};

function requireLocal(model: LanguageModel): LocalModel {
  requireCapability(model, "gradients", "a learned prompt");
  return model as LocalModel;
}
