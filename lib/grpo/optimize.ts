import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  badInput,
  checkSettings,
  type ProgressDisplay,
  resolveUserPath,
  sum,
  withoutUndefined,
  writeWhole,
} from "../core/index.js";
import { type LanguageModel, type LocalModel, requireCapability, withSoftPrompt } from "../llm/index.js";
import type { ModelParameters } from "../model/index.js";
import { askedModel } from "../operations/index.js";
import { namedRewards, type Strategy } from "../rollouts/index.js";
import { isFileTask, loadTask, type Task } from "../tasks/index.js";
import { policyModel, type Snapshot, SOFT_PROMPT, saveTrained, type TrainingRecord } from "../train/index.js";
import { type HeldOut, heldOut, readHeldOut } from "./held-out.js";
import { instructed, optimizeInstructions } from "./instructions.js";
import { optimizeSoftPrompt } from "./optimize-soft-prompt.js";
import { optimizeWeights } from "./optimize-weights.js";
import { readPool, strategyNamed } from "./pool-file.js";
import { type OptimizationInput, type OptimizationSettings, optimizationSchema } from "./settings.js";
import { withQuestionPrompts } from "./soft-prompt.js";

/** What is known of an update, or of a round of written prompts. */
export interface OptimizationRecord {
  step: number;
  /** Attempts up to here. */
  completions: number;
  /** Mean reward; of written prompts that of the best one. Its parts are by their names, `reward/NAME`. */
  reward: number;
  /** Divergence from the model before training and entropy, in nats a token; and whatever else the update's record tells. */
  kl?: number;
  entropy?: number;
  [metric: string]: number | undefined;
}

/** An optimisation by groups of rewarded attempts: how it went, and what it reached on problems that it did not learn from. */
export interface Optimization {
  model: string;
  modelHash: string | undefined;
  seed: number | string;
  settings: OptimizationSettings;
  records: OptimizationRecord[];
  /** Before, in between, and after. */
  evaluations: HeldOut[];
  /** Of written prompts: how each round judged them. */
  rounds?: { scores: { name: string; advantage: number; reward: number; attempts: number }[]; kept: string[] }[];
  /** Of written prompts: the name of the best. */
  best?: string;
}

export interface OptimizeOptions {
  /** A model on this library's engine; written prompts take any. */
  model: LanguageModel;
  /** Where the model's files are, for what is saved of trained weights; without it they are not. */
  place?: string | undefined;
  /** Folder of the run, which resumes; what was learned is in its subfolder `model` or `prompt`. */
  folder: string;
  seed?: number | string | undefined;
  /** Checks solutions for the reward `verifier`. Default: the model before training. */
  verifier?: LanguageModel | undefined;
  batchSize?: number | undefined;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
  /** Called with each record, and with each measurement; in a resumed run first with those made before. */
  onRecord?: ((record: OptimizationRecord) => unknown) | undefined;
  onHeldOut?: ((measured: HeldOut) => unknown) | undefined;
}

const TEST_PROBLEMS = 200;
const PROBLEMS = 8;

/**
 * Optimise weights, an adapter, vectors or the choice among written prompts by the rewards of groups of attempts, and measure
 * before, in between and after on problems that it does not learn from: greedy accuracy, and pass@k of samples.
 *
 * Everything is kept in the folder: a run that was killed goes on, and ends with the same numbers.
 *
 * @throws bad-input for settings out of range, or a test with problems of the training; as what it calls
 *
 * @example
 * ```ts
 * import { optimize } from "thoughtbook/grpo";
 * import { loadModel } from "thoughtbook/llm";
 *
 * const task = { name: "word-problems:3", limit: 4 };
 * const small = { collections: 1, problems: 2, groupSize: 4, maxNewTokens: 64, samples: 0 };
 * const settings = { train: "vectors", task, test: { ...task, split: "test" }, rewards: { answer: 1, format: 0.1 }, ...small } as const;
 * const { evaluations } = await optimize(settings, { model: await loadModel("mini"), folder: "run" });
 * console.log(evaluations.map(({ step, problems }) => [step, problems])); // [ [ 0, 4 ], [ 1, 4 ] ]
 * ```
 */
export async function optimize(given: OptimizationInput, options: OptimizeOptions): Promise<Optimization> {
  const settings = checkSettings(given, optimizationSchema, {
    ...{ what: "set of settings of an optimisation", source: "it", example: "An arm of data/grpo/mini-weights.json" },
  });
  const { folder, seed = 0, signal } = options;
  const model = await askedModel(options.model, { kind: settings.asking, signal });
  if (settings.train === "words" && settings.pool === undefined) {
    throw badInput("there is no pool of prompts to choose from", "Name its file.");
  }
  if (settings.train !== "words") requireCapability(model, "gradients", `optimising ${settings.train}`);
  const strategy =
    settings.instruction === undefined
      ? strategyNamed(settings.strategy ?? "cot")
      : instructed({ name: "instructed", instruction: settings.instruction });
  const tasks = await tasksOf(settings, signal);
  const problems = settings.problems ?? Math.min(PROBLEMS, tasks.task.problems.length);
  const work: Work = { ...options, settings: { ...settings, problems }, seed, model, strategy, ...tasks };
  await mkdir(folder, { recursive: true });
  const result = await { weights: onWeights, lora: onWeights, vectors: onVectors, words: onWords }[settings.train](
    work,
  );
  const optimization: Optimization = { model: model.name, modelHash: await model.hash(), seed, settings, ...result };
  await writeWhole(join(folder, "optimization.json"), `${JSON.stringify(optimization, null, 1)}\n`);
  return optimization;
}

interface Work extends OptimizeOptions {
  settings: OptimizationSettings & { problems: number };
  seed: number | string;
  strategy: Strategy;
  task: Task;
  test: Task;
}

type Result = Pick<Optimization, "records" | "evaluations" | "rounds" | "best">;

/** The problems to learn from and those to measure on, which must be others. */
async function tasksOf(
  { task, test, per }: OptimizationSettings,
  signal: AbortSignal | undefined,
): Promise<{ task: Task; test: Task }> {
  const { name, ...rest } = task;
  const split = isFileTask(name) ? {} : { split: "train" };
  const learned = await loadTask(name, { ...split, ...withoutUndefined(rest), signal });
  // At test time the questions themselves are what is optimised for.
  if (per === "question") return { task: learned, test: learned };
  if (test === undefined && isFileTask(name)) {
    throw badInput(`there are no problems to measure on beside ${name}`, "Give a test, such as another file.");
  }
  const { name: other, ...own } = test ?? { name, limit: TEST_PROBLEMS };
  const measured = await loadTask(other, { ...withoutUndefined(own), signal });
  const questions = new Set(learned.problems.map(({ question }) => question));
  const seen = measured.problems.find(({ question }) => questions.has(question));
  if (seen)
    throw badInput(`the problem ${seen.id} is among those to learn from and those to measure on`, "Divide them.");
  return { task: learned, test: measured };
}

function groupOptionsOf({ settings, model, strategy, task, seed, folder, signal, ...work }: Work) {
  const { train: _, task: __, test: ___, evaluateEvery: ____, ...common } = settings;
  return {
    ...common,
    ...{ model: model as LocalModel, strategy, task, seed, signal, folder },
    reward: rewardOf({ settings, model, verifier: work.verifier }),
    ...{ batchSize: work.batchSize, threads: work.threads, display: work.display },
    // What an update costs is its attempts: saving is cheap beside them.
    saveEvery: 1,
  };
}

const rewardOf = ({ settings, model, verifier }: Pick<Work, "settings" | "model" | "verifier">) =>
  namedRewards(settings.rewards, { most: settings.maxNewTokens, verifier: verifier ?? model });

/** Measures a policy on the held-out problems. */
function measurements(work: Work) {
  const { settings, test, seed, folder, batchSize, signal, display, onHeldOut } = work;
  const { samples, temperature, maxNewTokens } = settings;
  const place = join(folder, "held-out");
  return {
    async measure(model: LanguageModel, strategy: Strategy, at: { name: string; step: number; completions: number }) {
      const options = { ...{ samples, temperature, maxNewTokens, seed, batchSize, signal, display } };
      const measured = await heldOut(model, strategy, at, { ...options, task: test, folder: place });
      await onHeldOut?.(measured);
      return measured;
    },
    read: (name: string) => readHeldOut(place, name),
  };
}

/** Follows the updates of a trainer. */
function recorder({ settings, onRecord }: Work) {
  const { problems, groupSize, passes = 1, updates = 1 } = settings;
  const records: OptimizationRecord[] = [];
  const measuredAt: number[] = [];
  const completionsAt = (step: number) => Math.ceil(step / (passes * updates)) * problems * groupSize;
  return {
    ...{ records, measuredAt, completionsAt },
    async onUpdate({ step, metrics, scores }: TrainingRecord) {
      const { reward = Number.NaN, ...others } = metrics ?? {};
      const record = { step, completions: completionsAt(step), reward, ...others };
      records.push(record);
      if (scores) measuredAt.push(step);
      await onRecord?.(record);
    },
  };
}

/** Measure in the middle of a training; the scores in its records tell that it was done. */
function evaluation(
  work: Work,
  { completionsAt }: ReturnType<typeof recorder>,
  policyOf: (now: Snapshot) => LocalModel,
) {
  const { settings, strategy } = work;
  const { collections, passes = 1, updates = 1 } = settings;
  const { measure } = measurements(work);
  return {
    evaluateEvery: settings.evaluateEvery ?? collections * passes * updates,
    async evaluate(snapshot: Snapshot) {
      const { step } = snapshot;
      const at = { name: `step-${step}`, step, completions: completionsAt(step) };
      const { accuracy, passAt = [] } = await measure(policyOf(snapshot), strategy, at);
      return {
        accuracy: accuracy.value,
        ...Object.fromEntries(passAt.map(({ k, value }) => [`pass@${k}`, value] as const)),
      };
    },
  };
}

const START = { name: "step-0", step: 0, completions: 0 };

async function onWeights(work: Work): Promise<Result> {
  const { settings, strategy, place, folder } = work;
  const model = work.model as LocalModel;
  const following = recorder(work);
  const { measure, read } = measurements(work);
  const first = await measure(model, strategy, START);
  const { step: _, ...trained } = await optimizeWeights({
    ...groupOptionsOf(work),
    trainable: settings.train === "weights" ? "all" : { lora: { rank: settings.rank } },
    ...evaluation(work, following, (snapshot) => policyModel(model, snapshot)),
    onRecord: following.onUpdate,
  });
  if (place !== undefined) {
    const out = join(folder, "model");
    await mkdir(out, { recursive: true });
    await saveTrained({ model: place, out, merge: !model.lowMemory }, model.config, trained);
  }
  return { records: following.records, evaluations: [first, ...(await all(following.measuredAt, read))] };
}

const all = (steps: readonly number[], read: (name: string) => Promise<HeldOut>) =>
  Promise.all(steps.map((step) => read(`step-${step}`)));

async function onVectors(work: Work): Promise<Result> {
  const { settings, strategy } = work;
  const { per } = settings;
  const model = work.model as LocalModel;
  const following = recorder(work);
  const { measure, read } = measurements(work);
  const first = await measure(model, strategy, START);
  const withVectors = ({ extra }: { extra?: ModelParameters }) =>
    withSoftPrompt(model, extra![SOFT_PROMPT]! as Parameters<typeof withSoftPrompt>[1]);
  const { prompts, steps } = await optimizeSoftPrompt({
    ...groupOptionsOf(work),
    ...(per === "task" ? evaluation(work, following, withVectors) : {}),
    onRecord: following.onUpdate,
  });
  if (per === "task")
    return { records: following.records, evaluations: [first, ...(await all(following.measuredAt, read))] };
  const asked = withQuestionPrompts(model, strategy, prompts);
  const at = { name: `step-${steps}`, step: steps, completions: following.completionsAt(steps) };
  return { records: following.records, evaluations: [first, await measure(asked.model, asked.strategy, at)] };
}

async function onWords(work: Work): Promise<Result> {
  const { settings, folder, model, strategy, seed, signal, onRecord } = work;
  const { pool, problems, groupSize, keep, maxNewTokens, temperature, collections } = settings;
  const arms = await readPool(resolveUserPath(pool!), { seed, signal });
  const { measure } = measurements(work);
  const evaluations = [await measure(model, strategy, START)];
  const records: OptimizationRecord[] = [];
  const result = await optimizeInstructions({
    ...{ model, arms, task: work.task, reward: rewardOf(work), folder, problems, groupSize, keep },
    ...{ maxNewTokens, seed, signal, sampling: { temperature }, rounds: collections },
    ...{ batchSize: work.batchSize, display: work.display },
    async onRound({ round, scores, kept }) {
      const step = round + 1;
      const completions = (records.at(-1)?.completions ?? 0) + sum(scores.map(({ attempts }) => attempts));
      const best = arms.find(({ name }) => name === kept[0])!;
      const record = { step, completions, reward: scores.find(({ name }) => name === best.name)!.reward };
      records.push(record);
      await onRecord?.(record);
      evaluations.push(await measure(model, best, { name: `step-${step}`, step, completions }));
    },
  });
  const best = result.at(-1)!.kept[0]!;
  await saveWords(join(folder, "prompt"), arms.find(({ name }) => name === best)!);
  return { records, evaluations, rounds: result.map(({ scores, kept }) => ({ scores, kept })), best };
}

async function saveWords(folder: string, { name, settings }: Strategy): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, "prompt.json"), `${JSON.stringify({ name, ...settings }, null, 1)}\n`);
}
