import { isWholeText } from "../llm/index.js";
import {
  defineOperation,
  OPERATIONS,
  type Operation,
  type Outcome,
  operationPrompt,
  pythonProgram,
  type SolveInput,
  wayOf,
} from "../operations/index.js";
import { type Answer, ask, type Context, type Strategy } from "../rollouts/index.js";
import { codeOf, type Language } from "../sandbox/index.js";
import type { Failure, Problem, ProblemKind } from "../tasks/index.js";
import { type AnswerStrategyOptions, framed } from "./frame.js";

/** A function of Python to write or to go on with, as HumanEval and MBPP ask. No model is trained on it by a tag. */
const pythonFunction = defineOperation<Problem, string>({
  name: "python",
  instruction: `Write the Python function below. Write the whole function, without an example of its use, between \`\`\`python and \`\`\`.`,
  render: ({ question }) => question.trim(),
  write: (source) => source,
  read: (text) => ({ ok: true, value: codeOf(text, "python") }),
});

/**
 * Answer by a program (arXiv 2211.12588): the model writes a program that computes the answer, it runs in the sandbox,
 * and its value is the answer. The program is JavaScript, or Python for models whose way of asking has that form. Of problems of code the answer is the function itself, in the problem's language.
 *
 * The trace is `{ program, value }`, or `{ program, error }` where the program failed.
 */
export function program(options: AnswerStrategyOptions = {}): Strategy {
  const { frame, common } = framed(options);
  return {
    ...common,
    name: "program",
    writesCode: true,
    firstPrompt(model, problem) {
      const { operation, input } = programOperation(problem, model);
      return operationPrompt(model, operation, input, undefined, frame);
    },
    async attempt(problem, context) {
      const { operation, input, language } = programOperation(problem, context.model);
      // Outputs that cannot be parsed are not retried: the evaluation measures what the model writes.
      const outcome = await ask(context, operation, input, { ...frame, attempts: 1 });
      if (problem.kind !== "code") return computed(outcome, problem, language, context);
      const solution = isWholeText(outcome) && outcome.ok ? outcome.value : undefined;
      return { text: outcome.text, begun: outcome.begun, solution };
    },
  };
}

/** The operation that asks for the program of a problem, and its input. */
export function programOperation(
  problem: Problem,
  model: object,
): { operation: Operation<unknown, string>; input: unknown; language: Language } {
  const { code } = problem;
  const language = code?.language ?? languageOf(model);
  const computing = language === "python" ? pythonProgram : OPERATIONS.program;
  const operation = code === undefined ? computing : language === "python" ? pythonFunction : OPERATIONS.code;
  return {
    language,
    operation: operation as Operation<unknown, string>,
    input: code?.language === "javascript" ? code : problem,
  };
}

/** What a program that a model wrote gave: as an answer, and the program as it was read. */
export interface ProgramAnswer extends Answer {
  /** The program, if one was read. */
  program?: string;
}

/**
 * Ask for a program that computes the answer to a question, which may have a plan, and run it. A program that fails is told to the
 * model with its error, at most `repairs` times, and another one is asked for.
 *
 * @param repairs default: none
 */
export async function answerByProgram(
  context: Context,
  input: SolveInput,
  { repairs = 0 }: { repairs?: number | undefined } = {},
): Promise<{ last: ProgramAnswer; failed: readonly ProgramAnswer[] }> {
  const { problem, model } = context;
  const language = languageOf(model);
  const operation = language === "python" ? pythonProgram : OPERATIONS.program;
  const failed: ProgramAnswer[] = [];
  for (;;) {
    const before = failed.at(-1);
    const asked =
      before === undefined
        ? operation
        : { ...operation, render: (given: SolveInput) => `${operation.render(given)}\n${failureText(before)}` };
    const outcome = await ask(context, asked, input, {
      attempts: 1,
      ...(before === undefined ? {} : { key: `repair ${failed.length}` }),
    });
    const answer = await computed(outcome, problem, language, context);
    const last = outcome.ok && isWholeText(outcome) ? { ...answer, program: outcome.value } : answer;
    if (last.solution !== undefined || failed.length >= repairs) return { last, failed };
    failed.push(last);
  }
}

/** What a model is told of a program that failed. */
const failureText = ({ program, failure }: ProgramAnswer): string =>
  program === undefined
    ? "An earlier attempt was no program."
    : `This program failed:\n${program.trim()}\nError: ${failure?.message ?? "it gave no answer"}`;

/** Run a program and take its value, or else what it printed last, as the answer. */
export const runProgram = (context: Context, outcome: Outcome<string>): Promise<Answer> =>
  computed(outcome, context.problem, languageOf(context.model), context);

const languageOf = (model: object): Language =>
  wayOf(model, OPERATIONS.program.name)?.form === "python" ? "python" : "javascript";

async function computed(
  outcome: Outcome<string>,
  { kind }: Problem,
  language: Language,
  { sandbox, signal }: Context,
): Promise<Answer> {
  const { text, begun } = outcome;
  // A text that was cut off has no final answer.
  if (!isWholeText(outcome) || !outcome.ok) return { text, begun };
  // The operation gives the body of a function in JavaScript; it may be one that waits.
  const code = language === "javascript" ? `(async () => {\n${outcome.value}\n})()` : outcome.value;
  const { value, error, stdout } = await sandbox.run({ language, code }, { signal });
  const answer = error
    ? undefined
    : (answerOf(value, kind) ?? (language === "python" ? printed(stdout, kind) : undefined));
  if (answer !== undefined) {
    const solution = `#### ${answer}`;
    return { text: `${text}\n${solution}`, begun, solution, trace: { program: outcome.value, value: answer } };
  }
  const failure: Failure = error ?? { kind: "error", message: "the program returned no answer" };
  return { text, begun, failure, trace: { program: outcome.value, error: failure } };
}

/** What a program printed last, where it returned nothing. */
const printed = (stdout: string, kind: ProblemKind): string | undefined =>
  answerOf(stdout.trim().split("\n").at(-1) ?? "", kind);

/** The longest answer, in characters; what is longer is none. */
const LONGEST = 1000;

/** A program's value in words; undefined where it is no answer, such as null, an object or a number without end. */
function answerOf(value: unknown, kind: ProblemKind): string | undefined {
  const text = wordsOf(value, kind)?.replace(/\s+/g, " ").trim();
  return text === undefined || text === "" || text.length > LONGEST ? undefined : text;
}

function wordsOf(value: unknown, kind: ProblemKind): string | undefined {
  if (typeof value === "number") {
    // 0.1 + 0.2 is 0.3: what is beyond 12 digits is rounding.
    return Number.isFinite(value) ? plainNumber(Number(value.toPrecision(12))) : undefined;
  }
  if (typeof value === "boolean") return kind === "yes-no" ? (value ? "yes" : "no") : String(value);
  if (typeof value === "string" || typeof value === "bigint") return String(value);
  if (!Array.isArray(value)) return undefined;
  const parts = value.map((each) => (Array.isArray(each) ? undefined : wordsOf(each, kind)));
  return parts.includes(undefined) ? undefined : parts.join(", ");
}

/** Without an exponent, which answers do not have. */
const plainNumber = (value: number): string =>
  /e/.test(String(value))
    ? value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 })
    : String(value);
