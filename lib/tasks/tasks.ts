import { badInput, canonicalJson, didYouMean, sha256, withoutUndefined } from "../core/index.js";
import {
  asDatasetName,
  collectDataset,
  type DatasetRecord,
  datasetTable,
  type FactOrder,
  generateWordProblem,
  type MathRecord,
  MOST_OPERATIONS,
  type MultiHopRecord,
  type Part,
  partOf,
  problemSteps,
  type Split,
  shortChain,
  type TextRecord,
} from "../data/index.js";
import { datasetCodeProblem, functionProblem, LEAST_STEPS, MOST_STEPS } from "./code-problems.js";
import { isFileTask, readFileProblems } from "./file-task.js";
import type { Problem, ProblemKind } from "./problems.js";

export interface TaskOptions {
  /** Maximum number of problems. Default: 1,000 word problems or functions; all of a data set. */
  limit?: number | undefined;
  /** Default: "test"; for data sets see `loadDataset`. */
  split?: string | undefined;
  /** Data sets: only the problems of the split in this part; see `partOf`. Default: all. */
  part?: Part | undefined;
  /** Word problems: minimum and maximum number of distractors, facts that the answer does not need. Default: none. */
  distractors?: readonly [number, number] | undefined;
  /**
   * Word problems: range of the depth (edges on the longest path between operations) and width (operations in the
   * largest layer).
   */
  depth?: readonly [number, number] | undefined;
  width?: readonly [number, number] | undefined;
  /** Word problems: order of the facts. Default: either. */
  order?: FactOrder | undefined;
  /** Word problems and functions: seed. Default: 0. */
  seed?: number | undefined;
  /** File of the data set, instead of the usual places. */
  path?: string | undefined;
  /** Aborts a download. */
  signal?: AbortSignal | undefined;
}

export interface Task {
  /** "word-problems:2-6", "gsm8k". */
  name: string;
  /** Everything that determines the problems, for the record of a run; with a hash of them. */
  settings: Record<string, unknown>;
  problems: readonly Problem[];
  /** Rows that give no problem: malformed, without a reference, or about a picture. */
  leftOut: number;
}

const WORD_PROBLEMS = "word-problems";
const FUNCTIONS = "functions";
const DEFAULT_COUNT = 1000;

/**
 * Load a task by its name: `word-problems:4` or `word-problems:2-6` by the number of operations (in a range each number
 * in turn, so that all are equally frequent), `functions:2` or `functions:1-3` to write in JavaScript, by the number of
 * steps, a data set of `thoughtbook/data`, or a file of your own, `mine.jsonl`, with a question and an answer in each row
 * (see `readFileProblems`). Functions, HumanEval and MBPP are graded by running tests in a sandbox. The problems under a limit are the first ones
 * under a higher limit.
 *
 * @throws bad-input for an unknown name or an option out of range; as `collectDataset`
 *
 * @example
 * ```ts
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const task = await loadTask("word-problems:2-4", { limit: 3 });
 * console.log(task.problems.map(({ operations }) => operations)); // [ 2, 3, 4 ]
 * ```
 */
export async function loadTask(name: string, options: TaskOptions = {}): Promise<Task> {
  const { limit } = options;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
    throw badInput(`the limit is ${limit}`, "Give a number of problems, 1 or more.");
  }
  const [kind, difficulty] = name.split(":", 2);
  if (options.part !== undefined && (kind === WORD_PROBLEMS || kind === FUNCTIONS || isFileTask(name))) {
    throw badInput(`a part is of a data set, and the task is ${name}`, "Leave it out.");
  }
  if (kind === WORD_PROBLEMS) return wordProblemTask(name, difficulty ?? "2-6", options);
  for (const option of ["distractors", "depth", "width", "order", "seed"] as const) {
    if (options[option] === undefined || (option === "seed" && kind === FUNCTIONS)) continue;
    const what = option === "seed" ? "word problems and functions" : "word problems";
    throw badInput(`${option} is for ${what}, and the task is ${name}`, "Leave it out.");
  }
  if (kind === FUNCTIONS) return functionTask(name, difficulty ?? `${LEAST_STEPS}-${MOST_STEPS}`, options);
  return isFileTask(name) ? fileTask(name, options) : datasetTask(name, options);
}

async function fileTask(file: string, { limit, split, path, signal }: TaskOptions): Promise<Task> {
  for (const [option, given] of Object.entries({ split, path })) {
    if (given === undefined) continue;
    throw badInput(`${option} is for data sets, and the task is the file ${file}`, "Leave it out.");
  }
  const { name, problems } = await readFileProblems(file, { limit, signal });
  return createTask(name, problems);
}

/**
 * Create a task from your own problems.
 *
 * @example
 * ```ts
 * import { createTask } from "thoughtbook/tasks";
 *
 * const task = createTask("sums", [{ id: "1", kind: "math", question: "What is 2 + 3?", references: ["5"] }]);
 * console.log(task.name, task.problems.length); // sums 1
 * ```
 */
export function createTask(
  name: string,
  problems: readonly Problem[],
  settings: Record<string, unknown> = {},
  leftOut = 0,
): Task {
  if (problems.length === 0) {
    throw badInput(`the task ${name} has no problems`, "Choose another split.");
  }
  const ids = new Set<string>();
  for (const { id, references, kind, code } of problems) {
    if (kind === "code" && code === undefined) {
      throw badInput(`the problem ${id} is of code, and has no tests`, "Give it `code`, or another kind.");
    }
    if (ids.has(id) || references.length === 0) {
      throw badInput(
        `the problem ${id} is there twice or has no reference`,
        "Give each problem an id of its own and a reference.",
      );
    }
    ids.add(id);
  }
  return { name, problems, leftOut, settings: { name, ...settings, problems: hashProblems(problems) } };
}

/** SHA-256 of everything that determines how problems are asked and graded. */
export const hashProblems = (problems: readonly Problem[]): string =>
  sha256(canonicalJson(problems.map(({ fields: _, depth: __, steps: ___, solution: ____, ...problem }) => problem)));

/** The numbers of "4" or "2-6"; undefined unless they are in order and from 1 to the most. */
function rangeOf(text: string, most: number): [low: number, high: number] | undefined {
  const [, first, last] = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(text) ?? [];
  const [low, high] = [Number(first), Number(last ?? first)];
  return low >= 1 && low <= high && high <= most ? [low, high] : undefined;
}

function functionTask(
  name: string,
  difficulty: string,
  { limit = DEFAULT_COUNT, split = "test", seed = 0 }: TaskOptions,
): Task {
  const range = rangeOf(difficulty, MOST_STEPS);
  if (!range) {
    throw badInput(
      `the task ${name} has no such difficulty`,
      `Give a number of steps from ${LEAST_STEPS} to ${MOST_STEPS}, or a range: ${FUNCTIONS}:2, ${FUNCTIONS}:1-3.`,
    );
  }
  const [low, high] = range;
  const options = { low, high, seed, split: asSplit(split, "functions") };
  return createTask(
    name,
    Array.from({ length: limit }, (_, at) => functionProblem(at, options)),
    { split, seed },
  );
}

function wordProblemTask(
  name: string,
  difficulty: string,
  { limit = DEFAULT_COUNT, split = "test", distractors = [0, 0], depth, width, order, seed = 0 }: TaskOptions,
): Task {
  const range = rangeOf(difficulty, MOST_OPERATIONS);
  if (!range) {
    throw badInput(
      `the task ${name} has no such difficulty`,
      `Give a number of operations from 1 to ${MOST_OPERATIONS}, or a range: ${WORD_PROBLEMS}:4, ${WORD_PROBLEMS}:2-6.`,
    );
  }
  const [low, high] = range;
  const lengths = high - low + 1;
  const shape = { ...(depth && { depth }), ...(width && { width }), ...(order && { order }) };
  const problems = Array.from({ length: limit }, (_, at): Problem => {
    const place = { operations: low + (at % lengths), index: Math.floor(at / lengths) };
    const problem = generateWordProblem({
      ...{ seed, distractors, split: asSplit(split, "word problems") },
      ...place,
      ...shape,
    });
    const { id, question, answer } = problem;
    const steps = problemSteps(problem).map(({ expression, value }) => ({ expression, value: String(value) }));
    const solution = shortChain(problem, "plain");
    // As GSM8K is graded: a whole number must be met exactly.
    return {
      ...{ id, question, kind: "gsm8k", references: [String(answer)], operations: place.operations },
      ...{ depth: problem.difficulty.depth, steps, solution },
    };
  });
  return createTask(name, problems, { split, seed, distractors: [...distractors], ...shape });
}

function asSplit(split: string, what: string): Split {
  if (split === "train" || split === "validation" || split === "test") return split;
  throw badInput(`${what} have no split "${split}"`, "They have train, validation and test.");
}

async function datasetTask(name: string, { limit, split, part, path, signal }: TaskOptions): Promise<Task> {
  const known = [WORD_PROBLEMS, FUNCTIONS, ...Object.keys(await datasetTable())];
  if (!known.includes(name)) {
    throw badInput(
      `there is no data set ${JSON.stringify(name)}; known tasks are ${known.join(", ")}`,
      `${didYouMean(name.split(":")[0]!, known)}A file of your own is given by its name, such as mine.jsonl.`,
    );
  }
  const dataset = await asDatasetName(name);
  const { records, malformed } = await collectDataset(dataset, { split, path, signal });
  const problems: Problem[] = [];
  let skipped = 0;
  for (const record of records) {
    if (limit !== undefined && problems.length === limit) break;
    if (part !== undefined && partOf(record.id) !== part) continue;
    const problem = problemOf(name, record);
    if (problem) problems.push({ ...problem, fields: record });
    else skipped++;
  }
  return createTask(name, problems, { ...withoutUndefined({ split, part }) }, malformed.length + skipped);
}

/** The problem of a record; undefined where nobody could answer or grade it. */
function problemOf(dataset: string, record: DatasetRecord): Problem | undefined {
  const { id } = record;
  switch (record.kind) {
    case "math":
      if (record.needsPicture) return undefined;
      return {
        ...{ id, question: record.question, kind: mathKind(dataset, record), references: [record.answer] },
        ...(record.solution === undefined ? {} : referenceOf(dataset, record.solution, record.answer)),
      };
    case "choice": {
      const options = record.choices.map(({ letter, text }) => `(${letter}) ${text}`);
      return { id, question: [record.question, ...options].join("\n"), kind: "choice", references: [record.answer] };
    }
    case "text":
      return { id, question: record.question, kind: textKind(record), references: [record.answer] };
    case "multi-hop":
      return { id, question: withContext(record), kind: "words", references: record.answers };
    case "game24": {
      const numbers = record.numbers.join(" ");
      const question = `Make 24 of the numbers ${numbers} with + - * / and parentheses; use each number exactly once. The answer is the expression.`;
      return { id, question, kind: "game24", references: [numbers] };
    }
    case "trace": {
      const reference = record.reference ?? record.answer;
      return reference === undefined
        ? undefined
        : { id, question: record.question, kind: "math", references: [reference] };
    }
    case "search":
      return record.answer === undefined
        ? undefined
        : { id, question: record.question, kind: "math", references: [record.answer] };
    case "code":
      return datasetCodeProblem(record);
  }
}

/** The steps of GSM8K's annotations, "<<48/2=24>>", and the solution without them; where GSM8K's, with the answer after ####. */
function referenceOf(dataset: string, solution: string, answer: string): Pick<Problem, "steps" | "solution"> {
  const steps = [...solution.matchAll(/<<([^<>=]{1,80})=([^<>=]{1,40})>>/g)].map(([, expression, value]) => ({
    expression: expression!,
    value: value!.replaceAll(",", ""),
  }));
  const text = solution.replace(/<<[^<>]{0,120}>>/g, "");
  return {
    ...(steps.length === 0 ? {} : { steps }),
    solution: dataset === "gsm8k" ? `${text}\n#### ${answer}` : text,
  };
}

function mathKind(dataset: string, { subject }: MathRecord): ProblemKind {
  if (dataset === "gsm8k") return "gsm8k";
  // The types of TheoremQA.
  if (dataset === "theoremqa" && subject === "bool") return "yes-no";
  return dataset === "theoremqa" && subject === "option" ? "choice" : "math";
}

/** BIG-Bench Hard has answers of all sorts. */
function textKind({ answer }: TextRecord): ProblemKind {
  if (/^(?:yes|no|true|false)$/i.test(answer)) return "yes-no";
  if (/^-?\d+(?:\.\d+)?$/.test(answer)) return "math";
  return /\p{L}/u.test(answer) ? "words" : "symbols";
}

function withContext({ context, question }: MultiHopRecord): string {
  const paragraphs = context.map(({ title, sentences }) => {
    const text = sentences.join("").trim();
    return title === "" ? text : `${title}: ${text}`;
  });
  return [...paragraphs, question].join("\n\n");
}
