import { isDeepStrictEqual } from "node:util";
import { createRandom, interruptible, ThoughtbookError } from "../core/index.js";
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
import type { LanguageModel } from "../llm/index.js";
import {
  functionExample,
  type InputOf,
  OPERATION_NAMES,
  OPERATIONS,
  type Operation,
  type OperationExample,
  type OperationName,
  type Outcome,
  type OutputOf,
  operationExample,
  type ProblemOperation,
  runOperation,
} from "../operations/index.js";
import { type Estimate, proportion } from "./intervals.js";

/** How well a model does one operation on word problems, or on functions to write. */
export interface OperationQuality {
  operation: OperationName;
  /** Outputs that could be read at the first attempt, whole. */
  parsed: Estimate;
  /** Outputs that are right, among all; undefined where that cannot be told without running a program. */
  right: Estimate | undefined;
  /** Tokens of an output, on average. */
  tokens: number;
}

export interface OperationQualityOptions {
  /** Default: all. */
  operations?: readonly OperationName[] | undefined;
  /** Problems for each operation. */
  problems: number;
  /** Operations that a problem needs: the least and the most. */
  difficulty: readonly [number, number];
  distractors?: number | readonly [number, number] | undefined;
  split?: Split | undefined;
  seed: number | string;
  maxNewTokens: number;
  signal?: AbortSignal | undefined;
}

type Check<Name extends OperationName> = (
  output: OutputOf<Name>,
  example: OperationExample<Name>,
  problem: ProceduralProblem,
) => boolean;

/** What a reader of nothing but the question makes of it, if that is the problem's answer. */
const readAs = (question: string, { scenario, answer }: ProceduralProblem): SolvedQuestion | undefined => {
  const solved = solveQuestion(question, scenario);
  return solved.ok && Math.abs(solved.value.answer - answer) < 1e-6 ? solved.value : undefined;
};
const answers = (answer: string, { answer: right }: ProceduralProblem) => Number(answer) === right;

/** When an output is right; a program's and a function's are not run here. */
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
 * How often a model's operations can be read, and are right, on procedural word problems and functions to write;
 * greedy, one attempt.
 *
 * @throws bad-input where no problem gives an example; as `runOperation`
 */
export async function operationQuality(
  model: LanguageModel,
  given: OperationQualityOptions,
): Promise<OperationQuality[]> {
  const options = { ...given, signal: interruptible(given.signal) };
  const results: OperationQuality[] = [];
  for (const name of options.operations ?? OPERATION_NAMES) results.push(await qualityOf(model, name, options));
  return results;
}

async function qualityOf<Name extends OperationName>(
  model: LanguageModel,
  name: Name,
  options: OperationQualityOptions,
): Promise<OperationQuality> {
  const { maxNewTokens, signal } = options;
  const cases = (name === "code" ? functionCases(options) : problemCases(name, options)) as Case<Name>[];
  // The compiler does not see that the operation of a name takes the input of that name.
  const operation = OPERATIONS[name] as unknown as Operation<InputOf<Name>, OutputOf<Name>>;
  const inputs = cases.map(({ example }) => example.input);
  const all = await runOperation(model, operation, inputs, { maxNewTokens, attempts: 1, signal });
  const outcomes = all.map(([outcome]) => outcome!);
  const check = CHECKS[name] as Check<Name> | undefined;
  const isRight = (outcome: Outcome<OutputOf<Name>>, i: number) =>
    outcome.ok && check!(outcome.value, cases[i]!.example, cases[i]!.problem!);
  return {
    operation: name,
    parsed: proportion(outcomes.filter(isWhole).length, outcomes.length),
    right: check && proportion(outcomes.filter(isRight).length, outcomes.length),
    tokens: outcomes.reduce((sum, { completionTokens }) => sum + completionTokens, 0) / outcomes.length,
  };
}

/** A long thought that was cut off can be read, but is none of what was asked for. */
const isWhole = (outcome: Outcome<unknown>): boolean =>
  outcome.ok && (outcome.value as { kind?: unknown }).kind !== "cut-off";

interface Case<Name extends OperationName> {
  example: OperationExample<Name>;
  /** Of all but functions to write. */
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
