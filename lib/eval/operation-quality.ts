import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  createRandom,
  interruptible,
  type ProgressDisplay,
  sha256,
  startProgress,
  strictJson,
  ThoughtbookError,
  writeWhole,
} from "../core/index.js";
import {
  FUNCTION_STEPS,
  functionProblems,
  generateWordProblem,
  type ProceduralProblem,
  type SolvedQuestion,
  type Split,
  solveQuestion,
  subQuestionWordings,
} from "../data/index.js";
import { type LanguageModel, numericalPath } from "../llm/index.js";
import {
  askedModel,
  askingSettings,
  functionExample,
  OPERATION_NAMES,
  type OperationExample,
  type OperationName,
  type Outcome,
  type OutputOf,
  operationExample,
  operationFor,
  type ProblemOperation,
  runOperation,
} from "../operations/index.js";
import { type Estimate, proportion } from "./intervals.js";
import { memoryRun } from "./memory-run.js";
import { type OperationRecord, type OperationRun, openOperationRun, operationRecordId } from "./operation-records.js";

/** Quality of a model's outputs for one operation on word problems, or on functions to write. */
export interface OperationQuality {
  operation: OperationName;
  /** Outputs that could be parsed at the first attempt, complete. */
  parsed: Estimate;
  /** Share of all outputs that are right; undefined where that needs running a program. */
  right: Estimate | undefined;
  /** Mean tokens of an output. */
  tokens: number;
}

export interface OperationQualityOptions {
  /** Default: all. */
  operations?: readonly OperationName[] | undefined;
  /** Number of problems for each operation. */
  problems: number;
  /** Minimum and maximum number of operations that a problem needs. */
  difficulty: readonly [number, number];
  distractors?: number | readonly [number, number] | undefined;
  split?: Split | undefined;
  seed: number | string;
  maxNewTokens: number;
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
  /** Folder for the records, from which the same call resumes; without it they are kept in memory only. */
  folder?: string | undefined;
  /** Aborts the work with an error; finished records stay in the folder. */
  signal?: AbortSignal | undefined;
  /** Where to show progress. Default: the notebook or the terminal. */
  display?: ProgressDisplay | undefined;
}

type Check<Name extends OperationName> = (
  output: OutputOf<Name>,
  example: OperationExample<Name>,
  problem: ProceduralProblem,
) => boolean;

/** The answer that a reader of nothing but the question finds, if it is the problem's answer. */
const readAs = (question: string, { scenario, answer }: ProceduralProblem): SolvedQuestion | undefined => {
  const solved = solveQuestion(question, scenario);
  return solved.ok && Math.abs(solved.value.answer - answer) < 1e-6 ? solved.value : undefined;
};
const answers = (answer: string, { answer: right }: ProceduralProblem) => Number(answer) === right;

/** Whether an output is right; programs and functions are not run here. */
const CHECKS: { readonly [Name in OperationName]?: Check<Name> } = {
  answer: (output, _, problem) => answers(output, problem),
  cot: ({ answer }, _, problem) => answers(answer, problem),
  think: (output, _, problem) => output.kind === "solved" && answers(output.answer, problem),
  // The true graph: as many questions, each asking for the same quantity, with the same dependencies.
  decompose: (output, { output: right }, problem) => {
    const wordings = subQuestionWordings(problem);
    return (
      output.length === right.length &&
      output.every(
        ({ question, dependsOn }, i) =>
          wordings[i]!.includes(question) && isDeepStrictEqual(new Set(dependsOn), new Set(right[i]!.dependsOn)),
      )
    );
  },
  // A question with the same answer in which what was solved is no operation any more.
  contract: (output, { output: right }, problem) => {
    const operations = readAs(output, problem)?.operations;
    return operations !== undefined && operations === readAs(right, problem)?.operations;
  },
  // A question with the same answer that says all in order, and nothing that it does not need.
  rewrite: (output, _, problem) => {
    const read = readAs(output, problem);
    return read !== undefined && read.late === 0 && read.unused === 0;
  },
  judge: ({ best }, { input, output }) => input.answers[best] === input.answers[output.best],
  plan: (output, { output: right }) => String(output) === String(right),
  verify: (output, { output: right }) =>
    output.verdict === right.verdict && (output.verdict === "right" || output.step === (right as typeof output).step),
  explain: ({ trajectory }, { output: right }) => JSON.stringify(trajectory) === JSON.stringify(right.trajectory),
  revise: ({ answer }, _, problem) => answers(answer, problem),
};

/**
 * Measure how often a model's outputs for operations can be parsed, and are right, on procedural word problems and
 * functions to write; greedy, one attempt.
 *
 * With a folder: `records.jsonl` (as {@link OperationRecord}, in order once complete), `run.json` (settings) and at the
 * end `summary.json`. Calling it again resumes from what is there; with more problems the run is extended, with fewer
 * it keeps the others.
 *
 * @throws bad-input where no problem gives an example, or for a folder with other settings; interrupted; as `runOperation`
 */
export async function operationQuality(
  unasked: LanguageModel,
  given: OperationQualityOptions,
): Promise<OperationQuality[]> {
  const options = { ...given, signal: interruptible(given.signal) };
  const { folder, seed, problems, difficulty, maxNewTokens } = options;
  const operations = [...new Set(options.operations ?? OPERATION_NAMES)];
  const model = await askedModel(unasked, { signal: options.signal });
  const asking = askingSettings(model);
  const { distractors = 0, split = "test" } = options;
  const works = operations.map((name) => ({ name, cases: casesOf(name, options) }));
  const modelHash = await model.hash();
  const config = {
    model: model.name,
    ...(modelHash === undefined ? {} : { modelHash }),
    ...numericalPath(model),
    ...(asking ? { asking } : {}),
    ...{ operations, problems, difficulty: [...difficulty], distractors, split, maxNewTokens },
    // Detects another version of the problems: the number of cases may change, the first ones may not.
    cases: sha256(JSON.stringify(works.map(({ cases }) => cases[0]!.example))),
  };
  const run = folder === undefined ? memoryRun<OperationRecord>() : await openOperationRun(folder, seed, config);
  const found = new Map<string, OperationRecord>();
  try {
    await askMissing(model, works, run, options);
    for await (const record of run.records()) found.set(record.id, record);
  } finally {
    await run.close();
  }
  const inOrder = works.map(({ name, cases }) => ({
    name,
    records: cases.map((_, at) => found.get(operationRecordId(name, at))!),
  }));
  const results = inOrder.map(({ name, records }) => summarize(name, records));
  if (folder !== undefined) {
    const asked = inOrder.flatMap(({ records }) => records);
    const all = [...new Set([...asked, ...found.values()])];
    await writeWhole(join(folder, "records.jsonl"), all.map((record) => `${strictJson(record)}\n`).join(""));
    await writeWhole(join(folder, "summary.json"), `${JSON.stringify({ ...config, seed, results }, null, 2)}\n`);
  }
  return results;
}

interface Work {
  name: OperationName;
  cases: Case<OperationName>[];
}

/** Ask the model for the outputs that the run lacks, and show progress. */
async function askMissing(
  model: LanguageModel,
  works: readonly Work[],
  run: OperationRun,
  options: OperationQualityOptions,
): Promise<void> {
  const isDone = (name: OperationName, at: number) => run.done.has(operationRecordId(name, at));
  const total = works.reduce((sum, { cases }) => sum + cases.length, 0);
  let done = works.reduce((sum, { name, cases }) => sum + cases.filter((_, at) => isDone(name, at)).length, 0);
  const progress = startProgress(`Measuring the operations of ${model.name}`, {
    total,
    initial: done,
    unit: "outputs",
    display: options.display,
  });
  try {
    for (const { name, cases } of works) {
      const missing = [...cases.keys()].filter((at) => !isDone(name, at));
      if (missing.length === 0) continue;
      await ask(model, name, missing, cases, run, { ...options, onRecord: () => progress.update(++done, name) });
    }
    progress.succeed(`${total.toLocaleString("en-US")} outputs`);
  } catch (error) {
    progress.fail();
    throw error;
  }
}

async function ask<Name extends OperationName>(
  model: LanguageModel,
  name: Name,
  missing: readonly number[],
  cases: readonly Case<Name>[],
  run: OperationRun,
  { maxNewTokens, batchSize, signal, onRecord }: OperationQualityOptions & { onRecord: () => void },
): Promise<void> {
  const operation = operationFor(model, name);
  const check = CHECKS[name] as Check<Name> | undefined;
  const failure = new AbortController();
  const writing: Promise<void>[] = [];
  try {
    const inputs = missing.map((at) => cases[at]!.example.input);
    await runOperation(model, operation, inputs, {
      maxNewTokens,
      batchSize,
      attempts: 1,
      signal: AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]),
      onOutcome(outcome, { request }) {
        const at = missing[request]!;
        const { example, problem } = cases[at]!;
        const record: OperationRecord = {
          id: operationRecordId(name, at),
          operation: name,
          case: at,
          completion: outcome.text,
          completionTokens: outcome.completionTokens,
          parsed: isWhole(outcome),
          ...(check ? { right: outcome.ok && check(outcome.value, example, problem!) } : {}),
        };
        // A record that cannot be written ends the work at once.
        writing.push(run.append(record).then(onRecord, (error: unknown) => failure.abort(error)));
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

function summarize(operation: OperationName, records: readonly OperationRecord[]): OperationQuality {
  const share = (isOne: (record: OperationRecord) => boolean | undefined) =>
    proportion(records.filter(isOne).length, records.length);
  return {
    operation,
    parsed: share(({ parsed }) => parsed),
    right: CHECKS[operation] && share(({ right }) => right),
    tokens: records.reduce((sum, { completionTokens }) => sum + completionTokens, 0) / records.length,
  };
}

const casesOf = (name: OperationName, options: OperationQualityOptions): Case<OperationName>[] =>
  name === "code" ? functionCases(options) : problemCases(name, options);

/** A truncated long thought can be parsed, but is not what was asked for. */
const isWhole = (outcome: Outcome<unknown>): boolean =>
  outcome.ok && (outcome.value as { kind?: unknown }).kind !== "cut-off";

interface Case<Name extends OperationName> {
  example: OperationExample<Name>;
  /** Present for everything but functions to write. */
  problem?: ProceduralProblem;
}

function problemCases<Name extends OperationName>(
  name: Name,
  { problems, difficulty, distractors = 0, split = "test", seed }: OperationQualityOptions,
): Case<Name>[] {
  const random = createRandom(seed).stream("operation quality");
  const cases: Case<Name>[] = [];
  // A problem of one operation cannot be contracted, for example.
  for (let index = 0; cases.length < problems && index < 10 * problems; index++) {
    const problem = generateWordProblem({ seed, index, operations: difficulty, distractors, split });
    const example = operationExample(name as ProblemOperation & Name, problem, random);
    if (example) cases.push({ example, problem });
  }
  if (cases.length > 0) return cases;
  throw new ThoughtbookError("bad-input", `no problem of ${difficulty.join(" to ")} operations has a ${name} example`, {
    hint: "Ask for problems with more operations.",
  });
}

function functionCases({ problems, split = "test", seed }: OperationQualityOptions): Case<"code">[] {
  const drawn = functionProblems({ seed, steps: FUNCTION_STEPS, split }, problems);
  return Array.from(drawn, (problem) => ({ example: functionExample(problem) }));
}
