import { mean } from "thoughtbook/core";
import { optimizeSoftPrompt, optimizeWeights, withPromptVectors } from "thoughtbook/grpo";
import { type LocalModel, softIds, softPromptOf, withSoftPrompt } from "thoughtbook/llm";
import type { ModelParameters } from "thoughtbook/model";
import { collect, type Reward } from "thoughtbook/rollouts";
import { cot } from "thoughtbook/strategies";
import { loadTask, type Task } from "thoughtbook/tasks";
import type { TensorData } from "thoughtbook/tensor";
import { exampleOf, policyModel, rewardWeighted, type TrainingRecord, train, weightedSource } from "thoughtbook/train";
import { stopwatch } from "./stopwatch.js";

export interface ControlOptions {
  /** What is trained: an adapter, or the vectors of a soft prompt. */
  train: "lora" | "vectors";
  seed: number;
  /** Updates, with a collection of 8 problems × 8 attempts each. */
  steps: number;
  learningRate?: number | undefined;
  vectors?: number | undefined;
  /** Folder of the run, which resumes. */
  folder: string;
}

export interface ControlRow {
  what: "lora" | "vectors";
  seed: number;
  steps: number;
  /** Share of samples at held-out problems that meet the reward. */
  before: number;
  after: number;
  /** The same for the same vectors fitted by cross-entropy to texts that meet it. */
  fitted?: number;
  /** Mean reward of each collection. */
  rewards: number[];
  /** Seconds of an update: attempts, rewards, what is computed of them, and the update itself; of all processors too. */
  secondsPerStep?: number;
  processorSecondsPerStep?: number;
}

/** A stated ending that has nothing to do with the question: the text ends with a 2, as about a tenth of answers do. */
const endsWithTwo: Reward = async (_, group) => group.map(({ text }) => Number(text.trimEnd().endsWith("2")));

const TASK = "word-problems:2";
/** At 1 half of the groups are of one mind: hardly a digit of an answer is uncertain. */
const TEMPERATURE = 1.5;
export const SIZES = { groupSize: 8, problems: 8, maxNewTokens: 128, passes: 1, updates: 1 };
const HELD_OUT = 32;
const VECTORS = 16;
const TEXT = "Think step by step, check each step, and give the final answer.";

/**
 * Positive control of GRPO on `mini`: a reward that about a tenth of its samples meet. Something is wrong with the
 * learning if nearly all samples do not meet it soon; vectors can do so much as they can when they are fitted to such texts.
 */
export async function benchControl(model: LocalModel, options: ControlOptions): Promise<ControlRow> {
  const { train: what, seed, steps, folder, vectors = VECTORS } = options;
  const { problems, ...task } = await loadTask(TASK, { limit: 8 * steps + HELD_OUT });
  const heldOut: Task = { ...task, problems: problems.slice(-HELD_OUT) };
  const taught: Task = { ...task, problems: problems.slice(0, -HELD_OUT) };
  const watch = stopwatch();
  const rewards: number[] = [];
  const onRecord = ({ metrics }: TrainingRecord) => {
    rewards.push(metrics!.reward!);
    watch.lap();
  };
  const before = await rateOf(model, heldOut, seed);
  const common = { ...SIZES, model, task: taught, seed, collections: steps, strategy: cot(), reward: endsWithTwo };
  const run = { ...common, folder, onRecord, temperature: TEMPERATURE };
  const row = (after: number, fitted?: number): ControlRow => ({
    ...{ what, seed, steps, before, after, ...(fitted === undefined ? {} : { fitted }) },
    ...{ rewards, ...watch.perLap() },
  });
  if (what === "lora") {
    const trainable = { lora: { rank: 8 } };
    const { step: _, ...trained } = await optimizeWeights({
      ...run,
      trainable,
      learningRate: options.learningRate ?? 1e-2,
    });
    const policy = policyModel(model, { step: steps, config: model.config, ...trained });
    return row(await rateOf(policy, heldOut, seed));
  }
  const { prompts } = await optimizeSoftPrompt({ ...run, vectors, text: TEXT, learningRate: options.learningRate });
  const after = await rateOf(withSoftPrompt(model, prompts[0]!.vectors), heldOut, seed);
  const fitted = await fitVectors(model, taught, { ...options, vectors });
  return row(after, await rateOf(withSoftPrompt(model, fitted), heldOut, seed));
}

/** The same vectors fitted by cross-entropy: texts of the model whose last digit was replaced by a 2, as many as the updates above see. */
async function fitVectors(
  model: LocalModel,
  task: Task,
  { seed, steps, folder, vectors, learningRate }: ControlOptions & { vectors: number },
): Promise<TensorData<"float32">> {
  const start = await softPromptOf(model, TEXT, vectors);
  const soft = softIds(model, vectors);
  const batchSize = SIZES.problems * SIZES.groupSize;
  const weighted = [];
  const options = { ...sampling(model, seed), groupSize: SIZES.groupSize };
  for await (const group of collect(cot(), task, endsWithTwo, options)) {
    for (const { calls } of group) {
      const { tokens, text } = calls[0]!.completion;
      const wanted = model.tokenizer!.encode(text.trimEnd().replace(/.$/, "2"), { addSpecialTokens: false });
      const ids = [...soft, ...tokens!.promptIds, ...wanted, model.endIds[0]!];
      const first = ids.length - wanted.length - 1;
      weighted.push({ example: exampleOf(ids, (at) => at >= first), weight: 1 });
    }
  }
  const plan = {
    seed,
    epochs: Math.ceil((steps * batchSize) / weighted.length),
    maxSteps: steps,
    batchSize,
    accumulation: 1,
  };
  const { config, weights } = await model.host();
  const rate = learningRate ?? 0.2 * Math.sqrt(mean([...start.data].map((value) => value * value)));
  const { extra } = await train({
    model: { config, parameters: weights as ModelParameters },
    objective: withPromptVectors(rewardWeighted(), start),
    source: weightedSource(weighted, plan, config.hiddenSize),
    trainable: "extra",
    settings: { seed, learningRate: rate, schedule: "constant", warmup: 0, weightDecay: 0 },
    folder: `${folder}-fitted`,
  });
  return Object.values(extra!)[0] as TensorData<"float32">;
}

const sampling = (model: LocalModel, seed: number) => ({
  ...{ model, policy: "measured", maxNewTokens: SIZES.maxNewTokens, sampling: { temperature: TEMPERATURE }, seed },
});

/** Share of samples that meet the reward. */
async function rateOf(model: LocalModel, task: Task, seed: number): Promise<number> {
  const rewards: number[] = [];
  for await (const group of collect(cot(), task, endsWithTwo, { ...sampling(model, seed), groupSize: 8 })) {
    rewards.push(...group.map(({ reward }) => reward));
  }
  return mean(rewards);
}
