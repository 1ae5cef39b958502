import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  interruptible,
  type ProgressDisplay,
  startProgress,
  strictJson,
  ThoughtbookError,
  writeWhole,
} from "../core/index.js";
import type { LanguageModel } from "../llm/index.js";
import { type PromptFrame, requireSystemRole, systemPromptName } from "../operations/index.js";
import { ANSWERERS, type AnswerOperation } from "./answerers.js";
import { cutToBudget, cuttingTokenizer } from "./budgets.js";
import { budgetFolder, type EvaluationRun, openEvaluation, removeEvaluation } from "./evaluation-run.js";
import { memoryRun } from "./memory-run.js";
import type { EvaluationProblem } from "./problems.js";
import { type EvaluationRecord, evaluationRecord, recordId } from "./records.js";
import { type ReleasedParts, type ReleasedSummary, releasedResults, releasedSummary } from "./released-files.js";
import { type BudgetMeasures, summarizeRecords } from "./summary.js";
import type { EvaluationTask } from "./tasks.js";

export interface EvaluateOptions {
  /** The most new tokens; several give a curve. Default: 256. */
  budgets?: readonly number[] | undefined;
  /** Texts for each problem and budget. Default: 1. */
  samples?: number | undefined;
  /** Default: 0, greedy. */
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  minP?: number | undefined;
  /** Where the random numbers come from, together with a problem's id. Default: 0. */
  seed?: number | string | undefined;
  /** What the model is asked to do. Default: "cot", think step by step; with a system prompt, which says how, "solve". */
  operation?: AnswerOperation | undefined;
  /** Such as one of `SYSTEM_PROMPTS`, for models that follow instructions. Default: none. */
  systemPrompt?: string | undefined;
  /** What each text begins with. It counts as the model's when the strict policy grades, not in records and lengths. */
  assistantPrefill?: string | undefined;
  /** For the summary only: how the model was loaded. */
  backend?: { name: string; args: Readonly<Record<string, unknown>> } | undefined;
  /** Where records are kept, and found again by the same call; without it they are in memory only. */
  folder?: string | undefined;
  /** Whether an evaluation that is in the folder is removed first. Default: no; with other settings it is an error. */
  overwrite?: boolean | undefined;
  /** The most texts in work at a time; the model's own choice unless told otherwise. */
  batchSize?: number | undefined;
  /** Ends the work with an error; finished records stay in the folder. */
  signal?: AbortSignal | undefined;
  /** Where progress is shown: the notebook or the terminal unless told otherwise. */
  display?: ProgressDisplay | undefined;
  /** What progress calls the model. Default: its name, which of a folder is the path. */
  label?: string | undefined;
}

/** What was evaluated, and how it went; of one budget also by the keys of {@link ReleasedSummary}. */
export interface EvaluationSummary extends Partial<ReleasedSummary> {
  model: string;
  /** SHA-256, where it is known. */
  modelHash?: string;
  parameterCount?: number;
  task: string;
  problems: number;
  /** Rows of the data set that gave no problem. */
  leftOut: number;
  operation: AnswerOperation;
  /** Its name, where it has one; the text stands in run.json. */
  systemPrompt?: string;
  assistantPrefill?: string;
  temperature: number;
  topP?: number;
  topK?: number;
  minP?: number;
  seed: number | string;
  budgets: BudgetMeasures[];
}

export interface Evaluation {
  /** By problem, in the task's order, then sample, then budget. */
  records: EvaluationRecord[];
  summary: EvaluationSummary;
}

/**
 * Evaluate a model on a task: generate once for each problem and sample, grade under each policy that applies, and
 * measure. All goes to the model in one call, which batches it. Where the model tells token ids, a text is generated under
 * the largest budget and cut to the others, which gives the same texts; else it is generated for each budget. The same
 * seed, model and options give the same records, whatever was interrupted in between (the last digit of `logProb` apart:
 * sums of floating-point numbers depend on the batch).
 *
 * With a folder: `records.jsonl` (as {@link EvaluationRecord}, in order once all are there), `run.json` (settings) and at
 * the end `summary.json` and `results.json`, by problem in the layout of A*-Thought's evaluation. Of several budgets each
 * has the two files as A*-Thought's evaluation writes them in a folder of its own, `budget-512`. A folder with the first
 * problems of the task is gone on with, and one with more of them keeps these; the summary is of what is asked for now.
 *
 * @throws bad-input for options out of range, a system prompt for a model that takes none, or a folder with other settings;
 *   interrupted; as `generate` of the model
 */
export async function evaluateModel(
  model: LanguageModel,
  task: EvaluationTask,
  given: EvaluateOptions = {},
): Promise<Evaluation> {
  const options = { ...given, signal: interruptible(given.signal) };
  const { samples = 1, temperature = 0, topP, topK, minP, seed = 0, folder, systemPrompt, assistantPrefill } = options;
  const { operation = systemPrompt === undefined ? "cot" : "solve" } = options;
  const budgets = checkedBudgets(options.budgets ?? [256]);
  checkSamples(samples, temperature);
  if (systemPrompt !== undefined) await requireSystemRole(model);
  const modelHash = await model.hash();
  const sampling = { temperature, ...defined({ topP, topK, minP }) };
  const asked = { operation, ...defined({ systemPrompt, assistantPrefill }), ...sampling };
  const common = { model: model.name, task: task.settings, ...asked, ...defined({ modelHash }), budgets, samples };
  const config = { ...common, problems: task.problems.length };
  if (folder !== undefined && options.overwrite) await removeEvaluation(folder);
  const run =
    folder === undefined ? memoryRun<EvaluationRecord>() : await openEvaluation(folder, seed, config, task.problems);
  const frame: PromptFrame = { system: systemPrompt, prefill: assistantPrefill };
  const records: EvaluationRecord[] = [];
  const others: EvaluationRecord[] = [];
  try {
    await generateMissing({ ...options, run, model, task, budgets, samples, operation, frame, seed, modelHash });
    const asked = new Map(task.problems.map((problem) => [problem.id, problem]));
    for await (const record of run.records()) {
      const problem = asked.get(record.problem);
      if (problem && folder !== undefined) requireSameProblem(record, problem, folder);
      (problem ? records : others).push(record);
    }
  } finally {
    await run.close();
  }
  sortRecords(records, task);
  const { name, parameterCount, engine = "unknown" } = model;
  const released: ReleasedParts = {
    model,
    task,
    operation,
    frame,
    backend: options.backend ?? { name: engine, args: {} },
    modelHash,
    sampling: { ...sampling, samples, seed },
  };
  const summary: EvaluationSummary = {
    model: name,
    ...defined({ modelHash, parameterCount }),
    task: task.name,
    problems: task.problems.length,
    leftOut: task.leftOut,
    ...asked,
    ...(systemPrompt === undefined ? {} : { systemPrompt: systemPromptName(systemPrompt) ?? systemPrompt }),
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

/** In the folder itself of one budget, else in a folder for each, with a summary of its own. */
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
  run: EvaluationRun;
  model: LanguageModel;
  task: EvaluationTask;
  budgets: readonly number[];
  samples: number;
  operation: AnswerOperation;
  frame: PromptFrame;
  seed: number | string;
  modelHash: string | undefined;
}

/** Generate what the run lacks; a problem with a part of its samples is generated again, and the rest of them kept. */
async function generateMissing(work: Work): Promise<void> {
  const { run, model, task, budgets, samples } = work;
  const total = task.problems.length * samples * budgets.length;
  const wanted = task.problems.flatMap(({ id }) =>
    budgets.flatMap((budget) => Array.from({ length: samples }, (_, sample) => recordId(id, sample, budget))),
  );
  const initial = wanted.filter((id) => run.done.has(id)).length;
  const before = run.done.size - initial;
  const tokenizer = cuttingTokenizer(model);
  const progress = startProgress(`Evaluating ${work.label ?? model.name} on ${task.name}`, {
    total,
    initial,
    unit: "records",
    display: work.display,
  });
  const onRecord = () => progress.update(run.done.size - before);
  try {
    if (tokenizer) {
      const cut: CutTo = (answered, budget) => cutToBudget(answered, budget, tokenizer);
      await generateUnder(work, budgets, cut, onRecord);
    } else {
      for (const budget of budgets) await generateUnder(work, [budget], (answered) => answered, onRecord);
    }
    progress.succeed(`${total.toLocaleString("en-US")} records`);
  } catch (error) {
    progress.fail();
    throw error;
  }
}

type CutTo = (answered: Parameters<typeof cutToBudget>[0], budget: number) => Parameters<typeof cutToBudget>[0];

/** Generate under the last of the budgets, which is the largest, and keep a record for each of them. */
async function generateUnder(work: Work, budgets: readonly number[], cut: CutTo, onRecord: () => void): Promise<void> {
  const { run, model, task, samples, operation, frame, seed, modelHash, temperature, topP, topK, minP, batchSize } =
    work;
  const isMissing = (problem: string, sample: number) =>
    budgets.some((budget) => !run.done.has(recordId(problem, sample, budget)));
  const missing = task.problems.filter(({ id }) =>
    Array.from({ length: samples }, (_, sample) => sample).some((sample) => isMissing(id, sample)),
  );
  if (missing.length === 0) return;
  const failure = new AbortController();
  const signals = [failure.signal, ...(work.signal ? [work.signal] : [])];
  const writing: Promise<void>[] = [];
  try {
    await ANSWERERS[operation].answer(model, missing, {
      ...frame,
      ...defined({ temperature, topP, topK, minP, batchSize }),
      maxNewTokens: budgets.at(-1),
      samples,
      // By its id, so that a text depends neither on the other problems nor on the budget.
      seeds: missing.map(({ id }) => `${seed}/${operation}/${id}`),
      signal: AbortSignal.any(signals),
      onAnswer(answered, { request, sample }) {
        const problem = missing[request]!;
        for (const budget of budgets) {
          if (run.done.has(recordId(problem.id, sample, budget))) continue;
          const record = evaluationRecord(problem, cut(answered, budget), { sample, budget, seed, modelHash });
          // A record that cannot be written ends the work at once.
          writing.push(run.append(record).catch((error: unknown) => failure.abort(error)));
        }
        onRecord();
      },
    });
  } catch (error) {
    if (failure.signal.aborted) throw failure.signal.reason;
    throw error;
  } finally {
    await Promise.all(writing);
  }
  failure.signal.throwIfAborted();
}

/** A folder with more problems is told from this task by its records alone. */
function requireSameProblem(record: EvaluationRecord, { references, kind }: EvaluationProblem, folder: string): void {
  if (record.kind === kind && isDeepStrictEqual(record.references ?? [record.reference], [...references])) return;
  throw new ThoughtbookError(
    "bad-input",
    `${folder} holds a record of ${record.problem} with another answer than the task`,
    {
      hint: "Choose another folder, or overwrite this one.",
    },
  );
}

function sortRecords(records: EvaluationRecord[], { problems }: EvaluationTask): void {
  const places = new Map(problems.map(({ id }, place) => [id, place]));
  records.sort((a, b) => places.get(a.problem)! - places.get(b.problem)! || a.sample - b.sample || a.budget - b.budget);
}

function checkedBudgets(budgets: readonly number[]): number[] {
  const wrong = budgets.find((budget) => !Number.isInteger(budget) || budget < 1);
  if (wrong !== undefined || budgets.length === 0) {
    throw new ThoughtbookError("bad-input", `the budgets are [${budgets.join(", ")}]`, {
      hint: "Give one or more numbers of new tokens, whole and above 0.",
    });
  }
  return [...new Set(budgets)].sort((a, b) => a - b);
}

function checkSamples(samples: number, temperature: number): void {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ThoughtbookError("bad-input", `there are ${samples} samples`, { hint: "Give a whole number above 0." });
  }
  if (samples === 1 || temperature > 0) return;
  throw new ThoughtbookError("bad-input", `${samples} samples at temperature 0 are all the same`, {
    hint: "Give a temperature such as 0.6, or one sample.",
  });
}

/** Without what is undefined. */
function defined<T extends object>(record: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
