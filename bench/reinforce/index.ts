import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mean } from "thoughtbook/core";
import { optimizeSoftPrompt } from "thoughtbook/grpo";
import { type LocalModel, loadLocalModel, withSoftPrompt } from "thoughtbook/llm";
import type { ModelParameters } from "thoughtbook/model";
import { collect, type Reward } from "thoughtbook/rollouts";
import { cot } from "thoughtbook/strategies";
import { loadTask, type Task } from "thoughtbook/tasks";
import { grpo, policyModel, rolloutSource, type TrainingRecord, train } from "thoughtbook/train";

export interface ReinforceOptions {
  seeds: number[];
  /** Updates, with a collection of 8 problems × 8 attempts each. */
  steps: number;
  /** What is trained: an adapter, or the vectors of a soft prompt. */
  train: "lora" | "vectors";
  learningRate: number | undefined;
}

export interface ReinforceRow {
  seed: number;
  /** Share of samples at held-out problems that meet the reward. */
  before: number;
  after: number;
  /** Mean reward of each collection. */
  rewards: number[];
  /** Seconds of an update: attempts, rewards, what is computed of them, and the update itself. */
  secondsPerStep: number;
  /** Seconds of all processors in it: on a busy machine they tell more. */
  processorSecondsPerStep: number;
}

/** A stated ending that has nothing to do with the question: the text ends with a 2, as about a tenth of answers do. */
const endsWithTwo: Reward = async (_, group) => group.map(({ text }) => Number(text.trimEnd().endsWith("2")));

const TASK = "word-problems:2";
/** At 1 half of the groups are of one mind: hardly a digit of an answer is uncertain. */
const TEMPERATURE = 1.5;
const COMMON = { groupSize: 8, problems: 8, maxNewTokens: 128, passes: 1, updates: 1 };

/**
 * Positive control of GRPO on `mini`: a reward that about a tenth of its samples meet. Something is wrong with the
 * learning if nearly all samples do not meet it soon.
 */
export async function benchReinforce(
  { seeds, steps, train: trained, learningRate }: ReinforceOptions,
  onRow: (row: ReinforceRow) => void = () => {},
): Promise<ReinforceRow[]> {
  const model = await loadLocalModel("mini");
  const { problems, ...task } = await loadTask(TASK, { limit: 8 * steps + 32 });
  const heldOut: Task = { ...task, problems: problems.slice(-32) };
  const taught: Task = { ...task, problems: problems.slice(0, -32) };
  const rows: ReinforceRow[] = [];
  for (const seed of seeds) {
    const folder = await mkdtemp(join(tmpdir(), "reinforce-"));
    const before = await rateOf(model, heldOut, seed);
    const records: TrainingRecord[] = [];
    const times: number[] = [];
    const processor: number[] = [];
    const onRecord = (record: TrainingRecord) => {
      records.push(record);
      times.push(performance.now() / 1000);
      const { user, system } = process.cpuUsage();
      processor.push((user + system) / 1e6);
    };
    const run = trained === "lora" ? trainAdapter : trainVectors;
    const after = await run(model, taught, { seed, steps, learningRate, folder, onRecord, heldOut });
    await rm(folder, { recursive: true });
    // The first update compiles.
    const perStep = (clock: number[]) => (clock.at(-1)! - clock[0]!) / Math.max(1, clock.length - 1);
    const row = {
      ...{ seed, before, after, secondsPerStep: perStep(times), processorSecondsPerStep: perStep(processor) },
      rewards: records.map(({ metrics }) => metrics!.reward!),
    };
    rows.push(row);
    onRow(row);
  }
  return rows;
}

interface RunOptions {
  seed: number;
  steps: number;
  learningRate: number | undefined;
  folder: string;
  onRecord: (record: TrainingRecord) => void;
  heldOut: Task;
}

async function trainAdapter(model: LocalModel, task: Task, options: RunOptions): Promise<number> {
  const { seed, steps, learningRate = 1e-2, folder, onRecord, heldOut } = options;
  const { config, weights } = await model.host();
  const objective = grpo({ temperature: TEMPERATURE });
  const { step: _, ...result } = await train({
    model: { config, parameters: weights as ModelParameters },
    objective,
    source: rolloutSource({
      ...{ ...COMMON, objective, model, task, seed, collections: steps, strategy: cot(), reward: endsWithTwo },
      folder: join(folder, "source"),
    }),
    trainable: { lora: { rank: 8 } },
    settings: { seed, learningRate, schedule: "constant", warmup: 0, weightDecay: 0 },
    folder,
    onRecord,
  });
  return rateOf(policyModel(model, { step: steps, config, ...result }), heldOut, seed);
}

async function trainVectors(model: LocalModel, task: Task, options: RunOptions): Promise<number> {
  const { seed, steps, learningRate, folder, onRecord, heldOut } = options;
  const { prompts } = await optimizeSoftPrompt({
    ...{ ...COMMON, model, task, seed, collections: steps, strategy: cot(), reward: endsWithTwo },
    ...{ folder, onRecord, learningRate, temperature: TEMPERATURE },
  });
  return rateOf(withSoftPrompt(model, prompts[0]!.vectors), heldOut, seed);
}

/** Share of samples that meet the reward. */
async function rateOf(model: LocalModel, task: Task, seed: number): Promise<number> {
  const options = {
    model,
    policy: "measured",
    groupSize: 8,
    maxNewTokens: 128,
    sampling: { temperature: TEMPERATURE },
    seed,
  };
  const rewards: number[] = [];
  for await (const group of collect(cot(), task, endsWithTwo, options))
    rewards.push(...group.map(({ reward }) => reward));
  return mean(rewards);
}
