import { join } from "node:path";
import { groupBy, type ProgressDisplay, writeWhole } from "../core/index.js";
import { type Estimate, type EvaluationRecord, evaluate, mean, passAtK, proportion } from "../eval/index.js";
import type { LanguageModel } from "../llm/index.js";
import { readJsonFile } from "../model/index.js";
import type { Strategy } from "../rollouts/index.js";
import type { Task } from "../tasks/index.js";

/** What a policy reaches on problems that it does not learn from. */
export interface HeldOut {
  /** Updates made; of written prompts, rounds. */
  step: number;
  /** Attempts that the policy has learned from. */
  completions: number;
  problems: number;
  /** Greedy accuracy under the strict policy. */
  accuracy: Estimate;
  /** With several samples, at the temperature of training: the probability that one of k is right. */
  passAt?: { k: number; value: number; interval: [number, number] | undefined }[];
  /** Mean new tokens of a greedy attempt. */
  length: number;
  /** Share of greedy attempts that ended by themselves. */
  finished: number;
  /** A digit for each problem, in the order of the task: whether the greedy attempt was right, for pairs. */
  right: string;
}

export interface HeldOutOptions {
  task: Task;
  /** Samples of each problem for pass@1 and pass@k, 0 for none. */
  samples: number;
  temperature: number;
  maxNewTokens: number;
  seed: number | string;
  /** Each measurement has a folder of its own in it. */
  folder: string;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/**
 * Measure a policy on held-out problems: greedily, and with several samples. Records are kept, so that a measurement that was
 * stopped goes on.
 *
 * @param place where in the optimisation
 */
export async function heldOut(
  model: LanguageModel,
  strategy: Strategy,
  place: { name: string; step: number; completions: number },
  options: HeldOutOptions,
): Promise<HeldOut> {
  const { task, samples, temperature, maxNewTokens, folder, ...others } = options;
  const { name, step, completions } = place;
  const common = { ...others, model, budgets: [maxNewTokens], label: `step ${step}` };
  const { records } = await evaluate(strategy, task, { ...common, folder: join(folder, name, "greedy") });
  const sampled =
    samples < 2
      ? undefined
      : await evaluate(strategy, task, { ...common, samples, temperature, folder: join(folder, name, "samples") });
  const right = records.map(isRight);
  const measured: HeldOut = {
    ...{ step, completions, problems: records.length },
    accuracy: proportion(right.filter(Boolean).length, right.length),
    ...(sampled ? { passAt: passes(sampled.records, samples) } : {}),
    length: mean(records.map(({ completionTokens }) => completionTokens)).value,
    finished: records.filter(({ finishReason }) => finishReason === "stop").length / records.length,
    right: right.map(Number).join(""),
  };
  await writeWhole(join(folder, name, FILE), `${JSON.stringify(measured)}\n`);
  return measured;
}

const FILE = "held-out.json";

/** Read what {@link heldOut} measured before. @throws not-found, file-system */
export async function readHeldOut(folder: string, name: string): Promise<HeldOut> {
  return (await readJsonFile(join(folder, name, FILE))) as HeldOut;
}

const isRight = ({ correct }: EvaluationRecord): boolean => correct.strict ?? false;

/** pass@1 and pass@k of all samples, with intervals over problems. */
function passes(records: readonly EvaluationRecord[], samples: number) {
  const counts = [...groupBy(records, ({ problem }) => problem).values()].map((own) => own.filter(isRight).length);
  return [1, samples].map((k) => {
    const { value, interval } = mean(counts.map((count) => passAtK(samples, count, k)));
    return { k, value, interval };
  });
}
