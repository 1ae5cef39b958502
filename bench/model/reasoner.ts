import { join } from "node:path";
import { ThoughtbookError } from "thoughtbook/core";
import { generateWordProblem, lateQuantities } from "thoughtbook/data";
import {
  type EquationErrors,
  type ErrorCause,
  type EvaluationRecord,
  equationErrors,
  errorShares,
  evaluate,
  type Measures,
  type OperationQuality,
  operationQuality,
  proportion,
} from "thoughtbook/eval";
import { type LanguageModel, loadModel } from "thoughtbook/llm";
import { cot, STRATEGIES, type StrategyName } from "thoughtbook/strategies";
import { loadTask, type TaskOptions } from "thoughtbook/tasks";
import { mostOperations, type TrainingOfModel, trainedOperations } from "thoughtbook/train";
import { describeMachine } from "../shared/report.js";
import { identify, type Measured } from "./measured.js";

export interface ModelOptions {
  model: string;
  /** Problems of each kind and number of operations. */
  problems: number;
  seed: number;
  /** Folder of the records, from which an interrupted measurement resumes. */
  folder: string;
  /** The longest chain of thought, and the longest thinking before an answer, in tokens. */
  budget: number;
  longBudget: number;
  onProgress?: (line: string) => void;
}

export interface Level {
  operations: number;
  distractors: number;
  problems: number;
  /** By the strict policy. */
  accuracy: number;
  interval: [number, number];
  length: number;
  /** Share of all problems that are wrong for each cause. */
  causes: Record<ErrorCause, number>;
}

/** Problems by number of operations, and how many of their quantities the text uses before it defines them. */
export interface LateLevel {
  operations: number;
  /** The last bin also holds all larger numbers. */
  late: number;
  problems: number;
  accuracy: number;
  interval: [number, number];
}

export interface BudgetLevel {
  budget: number;
  accuracy: number;
  interval: [number, number];
  finishRate: number;
  length: number;
}

export interface DatasetLevel {
  dataset: string;
  problems: number;
  accuracy: number;
  interval: [number, number];
}

/** What a model can do, measured greedily on unseen problems. */
export interface ReasonerMeasurement extends Measured {
  chainOfThought: Level[];
  /** The same chains, of problems as trained on with 2 or more operations. */
  late: LateLevel[];
  /** Equations of the chains of problems as trained on, by form; those with the most errors. */
  equations: EquationErrors[];
  /** Step by step, of the same problems with facts that the answer does not need. */
  distractors: Level[];
  /** Thinking long before the answer, by budget; the mean length is that of the largest. Of models trained to. */
  long?: { operations: [number, number]; problems: number; meanLength: number; budgets: BudgetLevel[] };
  operations: OperationQuality[];
  datasets: DatasetLevel[];
  /** Seconds to generate and grade the greedy chains of 1,000 problems of 2 to 5 operations, with a cold start. */
  secondsFor1000: number;
}

/** Budgets, as multiples of the mean length of long chains. */
const SHARES_OF_LENGTH = [0.125, 0.25, 0.5, 0.75, 1, 1.5];
const CURVE: [number, number] = [1, 10];
const WORST_EQUATIONS = 12;
const MOST_LATE = 2;
const DATASETS = ["gsm8k", "svamp"] as const;

/** Measure a model on word problems in and beyond its training, on its operations, and on real data sets that are at hand. */
export async function measureReasoner(options: ModelOptions, training: TrainingOfModel): Promise<ReasonerMeasurement> {
  const model = await loadModel(options.model);
  const operations = trainedOperations(training.recipe.phases);
  const difficulty = [1, mostOperations(training)] as const;
  try {
    const identity = await identify(model);
    const { seed, problems } = options;
    const { levels: chainOfThought, records } = await chains(model, options, "chains", CURVE, 0);
    const { levels: distractors } = await chains(model, options, "distractors", [2, 6], 2);
    const asTrained = records.filter((record) => record.operations! <= difficulty[1]);
    const long = operations.includes("think") ? await longChains(model, options) : undefined;
    options.onProgress?.("operations");
    const quality = await operationQuality(model, {
      ...{ operations, problems, difficulty, seed },
      maxNewTokens: options.longBudget,
    });
    const datasets: DatasetLevel[] = [];
    for (const dataset of DATASETS) datasets.push(...(await realProblems(model, options, dataset)));
    return {
      ...identity,
      seed,
      chainOfThought,
      late: lateLevels(asTrained, seed),
      equations: equationErrors(asTrained.map(({ completion }) => completion)).slice(0, WORST_EQUATIONS),
      distractors,
      ...(long ? { long } : {}),
      operations: quality,
      datasets,
      secondsFor1000: await secondsFor1000(model, options),
      machine: describeMachine(),
    };
  } finally {
    await model.dispose();
  }
}

interface Asked extends TaskOptions {
  task: string;
  strategy: StrategyName;
  budgets: number[];
}

async function evaluated(model: LanguageModel, options: ModelOptions, name: string, asked: Asked) {
  const { task, strategy, budgets, ...taskOptions } = asked;
  options.onProgress?.(name);
  const folder = join(options.folder, name);
  return evaluate(STRATEGIES[strategy](), await loadTask(task, taskOptions), {
    model,
    budgets,
    seed: options.seed,
    folder,
  });
}

async function chains(
  model: LanguageModel,
  options: ModelOptions,
  name: string,
  [least, most]: [number, number],
  distractors: number,
): Promise<{ levels: Level[]; records: EvaluationRecord[] }> {
  const limit = options.problems * (most - least + 1);
  const { records, summary } = await evaluated(model, options, name, {
    task: `word-problems:${least}-${most}`,
    strategy: "cot",
    budgets: [options.budget],
    limit,
    distractors: [distractors, distractors],
    seed: options.seed,
  });
  const levels = summary.budgets[0]!.byOperations!.map(({ operations, ...measures }) => {
    const own = records.filter((record) => record.operations === operations);
    return { operations, distractors, problems: own.length, ...told(measures), causes: errorShares(own) };
  });
  return { levels, records };
}

function lateLevels(records: readonly EvaluationRecord[], seed: number): LateLevel[] {
  const chains = records.map(({ problem, operations, correct }) => {
    const index = Number(problem.split("/").at(-1));
    const drawn = generateWordProblem({ seed, index, operations: operations!, split: "test" });
    return { operations: operations!, late: Math.min(lateQuantities(drawn), MOST_LATE), isRight: correct.strict };
  });
  const counts = [...new Set(chains.map(({ operations }) => operations))].filter((operations) => operations > 1);
  return counts
    .flatMap((operations) => Array.from({ length: MOST_LATE + 1 }, (_, late) => ({ operations, late })))
    .flatMap(({ operations, late }) => {
      const own = chains.filter((chain) => chain.operations === operations && chain.late === late);
      if (own.length === 0) return [];
      const { value, interval } = proportion(own.filter(({ isRight }) => isRight).length, own.length);
      return { operations, late, problems: own.length, accuracy: value, interval: interval! };
    });
}

async function longChains(
  model: LanguageModel,
  options: ModelOptions,
): Promise<NonNullable<ReasonerMeasurement["long"]>> {
  const operations: [number, number] = [2, 4];
  const task = `word-problems:${operations.join("-")}`;
  const run = (name: string, budgets: number[]) =>
    evaluated(model, options, name, {
      task,
      strategy: "think",
      budgets,
      limit: options.problems,
      seed: options.seed,
    });
  const { summary } = await run("long", [options.longBudget]);
  const meanLength = summary.budgets[0]!.length!.value;
  const budgets = SHARES_OF_LENGTH.map((share) => Math.round(share * meanLength)).filter(
    (each) => each < options.longBudget,
  );
  const byBudget = await run("long-budgets", [...budgets, options.longBudget]);
  return {
    operations,
    problems: summary.problems,
    meanLength,
    budgets: byBudget.summary.budgets.map(({ budget, finishRate, ...measures }) => ({
      budget,
      ...told(measures),
      finishRate: finishRate.value,
    })),
  };
}

async function realProblems(model: LanguageModel, options: ModelOptions, dataset: string): Promise<DatasetLevel[]> {
  try {
    const asked = { task: dataset, strategy: "cot" as const, budgets: [options.budget] };
    const { summary } = await evaluated(model, options, dataset, asked);
    const { accuracy, interval } = told(summary.budgets[0]!);
    return [{ dataset, problems: summary.problems, accuracy, interval }];
  } catch (error) {
    if (!(error instanceof ThoughtbookError) || !["not-found", "network"].includes(error.code)) throw error;
    options.onProgress?.(`${dataset} is not at hand: ${error.message}`);
    return [];
  }
}

async function secondsFor1000(model: LanguageModel, { seed, budget, onProgress }: ModelOptions): Promise<number> {
  onProgress?.("speed");
  const started = performance.now();
  const task = await loadTask("word-problems:2-5", { limit: 1000, seed: seed + 1 });
  await evaluate(cot(), task, { model, budgets: [budget], seed });
  return Math.round((performance.now() - started) / 100) / 10;
}

function told({ accuracy, length }: Pick<Measures, "accuracy" | "length">) {
  const { value, interval } = accuracy.strict!;
  return { accuracy: value, interval: interval!, length: length?.value ?? 0 };
}
