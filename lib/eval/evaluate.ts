import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  badInput,
  checkWhole,
  interruptible,
  type ProgressDisplay,
  startProgress,
  strictJson,
  withoutUndefined,
  writeWhole,
} from "../core/index.js";
import { type LanguageModel, type NumericalPath, numericalPath } from "../llm/index.js";
import { askedModel, askingSettings, isAsked, systemPromptName, withUnseen } from "../operations/index.js";
import { type Attempt, checkStrategy, openProgramSandbox, runAttempts, type Strategy } from "../rollouts/index.js";
import type { Sandbox } from "../sandbox/index.js";
import { gradeAttempt, type Problem, type Task } from "../tasks/index.js";
import { cutToBudget, cuttingTokenizer } from "./budgets.js";
import { budgetFolder, type EvaluationRun, openEvaluation, removeEvaluation } from "./evaluation-run.js";
import { memoryRun } from "./memory-run.js";
import { type EvaluationRecord, evaluationRecord, recordId } from "./records.js";
import { type ReleasedParts, type ReleasedSummary, releasedResults, releasedSummary } from "./released-files.js";
import { type BudgetMeasures, summarizeRecords } from "./summary.js";

export interface EvaluateOptions {
  model: LanguageModel;
  /** Maximum new tokens of a call; several budgets give a curve. Default: 256. */
  budgets?: readonly number[] | undefined;
  /** Attempts at each problem under each budget. Default: 1. */
  samples?: number | undefined;
  /** Sampling options. Default: temperature 0, greedy. */
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  minP?: number | undefined;
  /** Seed of the random numbers, together with a problem's id. Default: 0. */
  seed?: number | string | undefined;
  /** Whether records hold the token ids of completions and their log-probabilities. Default: false. */
  logProbs?: boolean | undefined;
  /** How the model was loaded; for the summary only. */
  backend?: { name: string; args: Readonly<Record<string, unknown>> } | undefined;
  /** Folder for the records, from which the same call resumes; without it they are kept in memory only. */
  folder?: string | undefined;
  /**
   * Whether to remove an existing evaluation in the folder first. Default: false; one with other settings is then an
   * error.
   */
  overwrite?: boolean | undefined;
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
  /** Aborts the work with an error; finished records stay in the folder. */
  signal?: AbortSignal | undefined;
  /** Where to show progress. Default: the notebook or the terminal. */
  display?: ProgressDisplay | undefined;
  /** Name of the model in the progress line. Default: the model's name, which for a folder is its path. */
  label?: string | undefined;
}

/** Settings and results of an evaluation; for a single budget also under the keys of {@link ReleasedSummary}. */
export interface EvaluationSummary extends Partial<ReleasedSummary>, NumericalPath {
  model: string;
  /** SHA-256 of the model, where known. */
  modelHash?: string;
  parameterCount?: number;
  task: string;
  problems: number;
  /** Rows of the data set that gave no problem. */
  leftOut: number;
  strategy: string;
  /** Name of the system prompt, where it has one; its text is in run.json. */
  systemPrompt?: string;
  assistantPrefill?: string;
  /** Name of the kind of models as which it was asked; how is in run.json. */
  asking?: string;
  temperature: number;
  topP?: number;
  topK?: number;
  minP?: number;
  seed: number | string;
  budgets: BudgetMeasures[];
}

export interface Evaluation {
  /** Ordered by problem, in the task's order, then sample, then budget. */
  records: EvaluationRecord[];
  summary: EvaluationSummary;
}

/**
 * Evaluate a strategy on a task: attempt each problem, grade under each policy that applies, and measure. Programs that
 * the model writes run in a sandbox, which is opened with the first of them and closed at the end. Attempts run
 * concurrently, so their requests reach the model in few large calls. A strategy of one call is attempted under the
 * largest budget and truncated to the others, which gives the same texts, if the model returns token ids; else each
 * budget is attempted. The same seed, model and options give the same records, whatever was interrupted in between
 * (except for the last digit of `logProb`: sums of floating-point numbers depend on the batch).
 *
 * With a folder: `records.jsonl` (as {@link EvaluationRecord}, in order once complete), `run.json` (settings) and at
 * the end `summary.json` and `results.json`, by problem in the layout of A*-Thought's evaluation. With several budgets,
 * each has the two files as A*-Thought's evaluation writes them in a folder of its own, `budget-512`. A folder with
 * fewer problems of the task is extended, and one with more keeps them; the summary covers what is asked for now.
 *
 * A model is asked as the table of ways of asking says of its kind (see `askedModel`); what is begun for it is no part of records
 * and counts. Demonstrations from what is evaluated are refused.
 *
 * @throws bad-input for options out of range, a model that the strategy cannot be used with, or a folder with other settings;
 *   interrupted; as the strategy and `generate` of the model
 *
 * @example
 * ```ts
 * import { evaluate } from "thoughtbook/eval";
 * import { loadModel } from "thoughtbook/llm";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const task = await loadTask("word-problems:2-4", { limit: 20 });
 * const { summary } = await evaluate(cot(), task, { model, budgets: [64, 128] });
 * console.log(summary.budgets.length); // 2
 * ```
 */
export async function evaluate(strategy: Strategy, task: Task, given: EvaluateOptions): Promise<Evaluation> {
  const signal = interruptible(given.signal);
  const options = { ...given, signal, model: withUnseen(await askedModel(given.model, { signal }), task) };
  const { model, samples = 1, temperature = 0, topP, topK, minP, seed = 0, folder, logProbs = false } = options;
  const budgets = checkedBudgets(options.budgets ?? [256]);
  checkSamples(samples, temperature);
  await checkStrategy(strategy, model, task.problems);
  const modelHash = await model.hash();
  const sampling = { temperature, ...withoutUndefined({ topP, topK, minP }) };
  const asked = { strategy: strategy.name, ...strategy.settings, ...sampling };
  const common = {
    model: model.name,
    task: task.settings,
    ...asked,
    ...withoutUndefined({ modelHash, asking: askingSettings(model) }),
    ...numericalPath(model),
    budgets,
    samples,
    ...(logProbs ? { logProbs } : {}),
  };
  const config = { ...common, problems: task.problems.length };
  if (folder !== undefined && options.overwrite) await removeEvaluation(folder);
  const run =
    folder === undefined ? memoryRun<EvaluationRecord>() : await openEvaluation(folder, seed, config, task.problems);
  const records: EvaluationRecord[] = [];
  const others: EvaluationRecord[] = [];
  const sandbox = openProgramSandbox();
  try {
    await attemptMissing({ ...options, sandbox, strategy, run, task, budgets, samples, seed, modelHash, logProbs });
    const asked = new Map(task.problems.map((problem) => [problem.id, problem]));
    for await (const record of run.records()) {
      const problem = asked.get(record.problem);
      if (problem && folder !== undefined) requireSameProblem(record, problem, folder);
      (problem ? records : others).push(record);
    }
  } finally {
    await sandbox.close();
    await run.close();
  }
  sortRecords(records, task);
  const { name, parameterCount, engine = "unknown" } = model;
  const { systemPrompt } = strategy.settings ?? {};
  const released: ReleasedParts = {
    model,
    task,
    strategy,
    backend: options.backend ?? { name: engine, args: {} },
    modelHash,
    sampling: { ...sampling, samples, seed },
  };
  const summary: EvaluationSummary = {
    model: name,
    ...withoutUndefined({ modelHash, parameterCount }),
    ...numericalPath(model),
    task: task.name,
    problems: task.problems.length,
    leftOut: task.leftOut,
    ...asked,
    ...(typeof systemPrompt === "string" ? { systemPrompt: systemPromptName(systemPrompt) ?? systemPrompt } : {}),
    ...(isAsked(model) ? { asking: model.asking.kind } : {}),
    seed,
    budgets: summarizeRecords(records, parameterCount),
    ...(budgets.length === 1 ? releasedSummary(records, released) : {}),
  };
  if (folder !== undefined) {
    await writeWhole(
      join(folder, "records.jsonl"),
      [...records, ...others].map((record) => `${strictJson(record)}\n`).join(""),
    );
    await writeResults(folder, records, budgets, released);
    await writeWhole(join(folder, "summary.json"), prettyJson(summary));
  }
  return { records, summary };
}

/** In the folder itself for one budget, else in a folder per budget, with a summary of its own. */
async function writeResults(
  folder: string,
  records: readonly EvaluationRecord[],
  budgets: readonly number[],
  parts: ReleasedParts,
): Promise<void> {
  if (budgets.length === 1) {
    await writeWhole(join(folder, "results.json"), prettyJson(releasedResults(records, parts)));
    return;
  }
  for (const budget of budgets) {
    const own = records.filter((record) => record.budget === budget);
    const place = budgetFolder(folder, budget);
    await writeWhole(join(place, "results.json"), prettyJson(releasedResults(own, parts)));
    await writeWhole(join(place, "summary.json"), prettyJson(releasedSummary(own, parts)));
  }
}

const prettyJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

interface Work extends EvaluateOptions {
  sandbox: Sandbox;
  strategy: Strategy;
  run: EvaluationRun;
  task: Task;
  budgets: readonly number[];
  samples: number;
  seed: number | string;
  modelHash: string | undefined;
  logProbs: boolean;
}

/** Make the attempts that the run lacks. */
async function attemptMissing(work: Work): Promise<void> {
  const { run, model, strategy, task, budgets, samples } = work;
  const total = task.problems.length * samples * budgets.length;
  const wanted = task.problems.flatMap(({ id }) =>
    budgets.flatMap((budget) => Array.from({ length: samples }, (_, sample) => recordId(id, sample, budget))),
  );
  const initial = wanted.filter((id) => run.done.has(id)).length;
  const before = run.done.size - initial;
  const tokenizer = strategy.singleCall ? cuttingTokenizer(model) : undefined;
  const progress = startProgress(`Evaluating ${work.label ?? model.name} on ${task.name}`, {
    total,
    initial,
    unit: "records",
    display: work.display,
  });
  const onRecord = () => progress.update(run.done.size - before);
  try {
    if (tokenizer) {
      await attemptUnder(work, budgets, (attempt, budget) => cutToBudget(attempt, budget, tokenizer), onRecord);
    } else {
      for (const budget of budgets) await attemptUnder(work, [budget], (attempt) => attempt, onRecord);
    }
    progress.succeed(`${total.toLocaleString("en-US")} records`);
  } catch (error) {
    progress.fail();
    throw error;
  }
}

/** Attempt under the last budget, which is the largest, and store a record for each budget. */
async function attemptUnder(
  { strategy, run, model, task, samples, seed, modelHash, logProbs, batchSize, sandbox, signal, ...options }: Work,
  budgets: readonly number[],
  cut: (attempt: Attempt, budget: number) => Attempt,
  onRecord: () => void,
): Promise<void> {
  const { temperature, topP, topK, minP } = options;
  const isMissing = (problem: string, sample: number) =>
    budgets.some((budget) => !run.done.has(recordId(problem, sample, budget)));
  const places = task.problems.flatMap((problem) =>
    Array.from({ length: samples }, (_, sample) => ({ problem, sample })).filter(({ sample }) =>
      isMissing(problem.id, sample),
    ),
  );
  if (places.length === 0) return;
  const sampling = withoutUndefined({ temperature, topP, topK, minP });
  const asked = { model, seed, sampling, maxNewTokens: budgets.at(-1)!, batchSize, sandbox, signal };
  await runAttempts(strategy, places, asked, async (attempt, { problem, sample }) => {
    for (const budget of budgets) {
      if (run.done.has(recordId(problem.id, sample, budget))) continue;
      const own = cut(attempt, budget);
      const graded = await gradeAttempt(problem, own, { sandbox, signal });
      await run.append(evaluationRecord(problem, own, graded, { budget, seed, modelHash, logProbs }));
    }
    onRecord();
  });
}

/** Only its records distinguish a folder with more problems from one of this task. */
function requireSameProblem(record: EvaluationRecord, { references, kind }: Problem, folder: string): void {
  if (record.kind === kind && isDeepStrictEqual(record.references ?? [record.reference], [...references])) return;
  throw badInput(
    `${folder} holds a record of ${record.problem} with another answer than the task`,
    "Choose another folder, or overwrite this one.",
  );
}

function sortRecords(records: EvaluationRecord[], { problems }: Task): void {
  const places = new Map(problems.map(({ id }, place) => [id, place]));
  records.sort((a, b) => places.get(a.problem)! - places.get(b.problem)! || a.sample - b.sample || a.budget - b.budget);
}

function checkedBudgets(budgets: readonly number[]): number[] {
  const wrong = budgets.find((budget) => !Number.isInteger(budget) || budget < 1);
  if (wrong !== undefined || budgets.length === 0) {
    throw badInput(
      `the budgets are [${budgets.join(", ")}]`,
      "Give one or more numbers of new tokens, whole and above 0.",
    );
  }
  return [...new Set(budgets)].sort((a, b) => a - b);
}

function checkSamples(samples: number, temperature: number): void {
  checkWhole("samples", samples, 1);
  if (samples === 1 || temperature > 0) return;
  throw badInput(
    `${samples} samples at temperature 0 are all the same`,
    "Give a temperature such as 0.6, or one sample.",
  );
}
