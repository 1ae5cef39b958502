import { badInput, interruptible, mean, openRun, type ProgressDisplay, startProgress } from "../../core/index.js";
import { type Estimate, mean as meanEstimate, proportion } from "../../eval/index.js";
import type { LanguageModel } from "../../llm/index.js";
import { askedModel, askingSettings } from "../../operations/index.js";
import { openProgramSandbox, runAttempts } from "../../rollouts/index.js";
import type { SearchTree } from "../../search/index.js";
import { gradeAttempt, type Problem, type Task } from "../../tasks/index.js";
import { answerOf, type Candidate, type SelectionMeasures, selectionMeasures } from "./candidates.js";
import { type SearchTrace, searchStrategy } from "./search.js";
import type { SearchParts, SearchSettings } from "./settings.js";
import type { Beginning } from "./step-search.js";

export interface RunSearchOptions {
  model: LanguageModel;
  settings: SearchSettings;
  parts?: SearchParts | undefined;
  /** Maximum new tokens of one solution. Default: 96. */
  maxNewTokens?: number | undefined;
  seed?: number | string | undefined;
  /** Records go there as soon as a problem is finished, and the same call goes on from there. Default: nowhere. */
  folder?: string | undefined;
  /** Problems in progress at the same time; an interruption loses at most those. Default: 64. */
  problemsAtOnce?: number | undefined;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/** A candidate in a record. */
export interface RecordedCandidate extends Pick<Candidate, "source" | "score" | "tokens"> {
  answer: string | null;
  correct: boolean;
  text: string;
}

/** A tree in a record: steps in place of whole beginnings. */
export type StepTree = SearchTree<{ step: string; complete: boolean }>;

/** The search of one problem. */
export interface SearchRecord {
  /** Id of the problem. */
  id: string;
  operations?: number;
  /** New tokens of all calls. */
  spent: number;
  /** Whether the chosen candidate is right. */
  correct: boolean;
  /** Index of the chosen candidate; null if there are none. */
  chosen: number | null;
  /** What each way to choose gives. */
  selections: SelectionMeasures;
  candidates: RecordedCandidate[];
  trees?: StepTree[];
}

export interface SearchSummary {
  problems: number;
  /** Accuracy of the chosen candidates. */
  accuracy: Estimate;
  /** Accuracy of each way to choose; `random` in expectation, `coverage` of a perfect choice. */
  selections: Record<keyof SelectionMeasures, number>;
  /** Means for each problem. */
  tokens: Estimate;
  candidates: number;
}

export interface SearchRun {
  task: string;
  model: string;
  settings: SearchSettings & { maxNewTokens: number; seed: number | string };
  summary: SearchSummary;
  records: SearchRecord[];
}

/**
 * Search a solution of each problem of a task, and grade all that was found: accuracy of the choice, of the other ways to choose,
 * of a random one, and of a perfect one.
 *
 * @throws bad-input as {@link searchStrategy}, and for a folder with other settings; interrupted
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { runSearch } from "thoughtbook/reasoner";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const task = await loadTask("word-problems:3", { limit: 4 });
 * const model = await loadModel("mini");
 * const { summary } = await runSearch(task, { model, settings: { search: "best-of-n", budget: 256 } });
 * console.log(summary.accuracy.value, summary.selections);
 * ```
 */
export async function runSearch(task: Task, options: RunSearchOptions): Promise<SearchRun> {
  const { settings, parts = {}, maxNewTokens = 96, seed = 0, folder, problemsAtOnce = 64, batchSize } = options;
  const signal = interruptible(options.signal);
  const strategy = searchStrategy(settings, parts);
  const model = await askedModel(options.model, { signal });
  const hash = await model.hash();
  const asking = askingSettings(model);
  const run =
    folder === undefined
      ? undefined
      : await openRun<SearchRecord>({
          folder,
          seed,
          config: {
            search: strategy.settings,
            maxNewTokens,
            task: { ...task.settings, problems: null },
            ...(hash === undefined ? {} : { model: hash }),
            ...(asking ? { asking } : {}),
          },
          idOf: ({ id }) => id,
        });
  const records = new Map<string, SearchRecord>();
  const progress = startProgress(`Searching ${task.name}: ${settings.search}, ${settings.budget} tokens`, {
    total: task.problems.length,
    unit: "problems",
    display: options.display,
  });
  const sandbox = openProgramSandbox();
  try {
    for await (const record of run?.records() ?? []) records.set(record.id, record);
    const missing = task.problems.filter(({ id }) => !records.has(id));
    progress.update(task.problems.length - missing.length);
    const byId = new Map(missing.map((problem) => [problem.id, problem]));
    for (let first = 0; first < missing.length; first += problemsAtOnce) {
      const places = missing.slice(first, first + problemsAtOnce).map((problem) => ({ problem, sample: 0 }));
      await runAttempts(
        strategy,
        places,
        { model, maxNewTokens, seed, batchSize, sandbox, signal },
        async (attempt) => {
          const problem = byId.get(attempt.problem)!;
          const record = await recordOf(problem, attempt.trace as SearchTrace, { sandbox, signal });
          await run?.append(record);
          records.set(record.id, record);
          progress.update(task.problems.filter(({ id }) => records.has(id)).length);
        },
      );
    }
    progress.succeed(`${task.problems.length} problems`);
  } finally {
    progress.fail();
    await sandbox.close();
    await run?.close();
  }
  const all = task.problems.map(({ id }) => records.get(id)!);
  return {
    ...{ task: task.name, model: model.name, settings: { ...settings, maxNewTokens, seed } },
    summary: summaryOf(all),
    records: all,
  };
}

async function recordOf(
  problem: Problem,
  { candidates, chosen, spent, trees }: SearchTrace,
  context: Parameters<typeof gradeAttempt>[2],
): Promise<SearchRecord> {
  // The same text is graded once: programs take time.
  const grades = new Map<string, Promise<boolean>>();
  const correct = await Promise.all(
    candidates.map(({ text, begun, solution }) => {
      const key = JSON.stringify([text, solution]);
      const known = grades.get(key);
      if (known) return known;
      const grade = gradeAttempt(problem, { text, begun, solution }, context).then(
        ({ correct }) => correct.strict ?? false,
      );
      grades.set(key, grade);
      return grade;
    }),
  );
  return {
    id: problem.id,
    ...(problem.operations === undefined ? {} : { operations: problem.operations }),
    ...{ spent, chosen, correct: chosen !== null && correct[chosen]! },
    selections: selectionMeasures(problem, candidates, correct),
    candidates: candidates.map(({ source, score, tokens, text, ...rest }, at) => ({
      ...{ source, score, tokens, text, correct: correct[at]! },
      answer: problem.kind === "code" ? null : (answerOf(problem, rest) ?? null),
    })),
    ...(trees ? { trees: trees.map(stepTree) } : {}),
  };
}

const stepTree = ({ nodes }: SearchTree<Beginning>): StepTree => ({
  nodes: nodes.map(({ state, ...node }) => ({ ...node, state: { step: state.step, complete: state.complete } })),
});

/** @throws bad-input without records */
export function summaryOf(records: readonly SearchRecord[]): SearchSummary {
  if (records.length === 0) throw badInput("there are no records", "Search some problems.");
  const names = ["best", "majority", "weighted", "random", "coverage"] as const;
  return {
    problems: records.length,
    accuracy: proportion(records.filter(({ correct }) => correct).length, records.length),
    selections: Object.fromEntries(
      names.map((name) => [name, mean(records.map(({ selections }) => selections[name]))]),
    ) as SearchSummary["selections"],
    tokens: meanEstimate(records.map(({ spent }) => spent)),
    candidates: mean(records.map(({ candidates }) => candidates.length)),
  };
}
