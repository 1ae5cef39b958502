import { badInput } from "../core/index.js";
import { type DatasetRecord, FUNCTION_STEPS, type FunctionProblem, generateFunctionProblem } from "../data/index.js";
import {
  type CaseVerdict,
  gradeHumanEval,
  gradeJavaScript,
  type RunOptions,
  type Sandbox,
  type SandboxCase,
} from "../sandbox/index.js";
import type { Failure, Problem } from "./problems.js";

/** What grading a function needs: tests in Python, or calls of JavaScript and what they must return. */
export type CodeTests =
  | {
      language: "python";
      /** The beginning of the function, which a reply may continue; "" where the question is in words. */
      prompt: string;
      entryPoint: string;
      /** Assertions, as HumanEval and MBPP have them. */
      tests: string;
    }
  | {
      language: "javascript";
      name: string;
      parameters: readonly string[];
      /** What the function does, in words. */
      specification: string;
      /** Calls that the question shows. */
      examples: readonly SandboxCase[];
      /** Hidden calls. */
      tests: readonly SandboxCase[];
    };

/** The problem of a row of HumanEval or MBPP. */
export function datasetCodeProblem({
  id,
  prompt,
  entryPoint,
  tests,
}: Extract<DatasetRecord, { kind: "code" }>): Problem {
  const begins = new RegExp(`^\\s*(?:async\\s+)?def\\s+${entryPoint}\\b`, "m").test(prompt);
  // MBPP's own rows say in words what to do, and its tests what the function is called, as its paper asks.
  const question = begins ? prompt : `${prompt.trim()}\nYour code should pass these tests:\n\n${tests.trim()}`;
  const code = { language: "python", prompt: begins ? prompt : "", entryPoint, tests } as const;
  return { id, question, kind: "code", references: [tests], code };
}

/** Functions of JavaScript by their number of steps, in a range each number in turn; see `generateFunctionProblem`. */
export function functionProblem(
  at: number,
  { low, high, seed, split }: { low: number; high: number; seed: number; split: FunctionProblem["split"] },
): Problem {
  const range = high - low + 1;
  const place = { steps: low + (at % range), index: Math.floor(at / range) };
  const { id, name, parameters, specification, examples, tests, steps } = generateFunctionProblem({
    ...{ seed, split },
    ...place,
  });
  const shown = examples.map((each) => callOf(name, each));
  const question = [`Write the JavaScript function ${name}(${parameters.join(", ")}): ${specification}`, ...shown].join(
    "\n",
  );
  const code = { language: "javascript", name, parameters, specification, examples, tests } as const;
  const references = [[...examples, ...tests].map((each) => callOf(name, each)).join("\n")];
  return { id, question, kind: "code", references, operations: steps, code };
}

export const [LEAST_STEPS, MOST_STEPS] = FUNCTION_STEPS;

const callOf = (name: string, { args, result }: SandboxCase): string =>
  `${name}(${args.map((each) => JSON.stringify(each)).join(", ")}) = ${JSON.stringify(result)}`;

/**
 * Run the tests of a problem of code against a program; undefined if it passes them all, else the first failure.
 *
 * @throws bad-input for a problem without tests; interrupted; execution where the sandbox itself cannot work
 */
export async function codeFailure(
  { id, code }: Problem,
  program: string,
  sandbox: Sandbox,
  options: RunOptions = {},
): Promise<Failure | undefined> {
  if (code === undefined) throw badInput(`the problem ${id} is of code, and has no tests`, "Give it its `code`.");
  if (code.language === "python") {
    const { prompt, entryPoint, tests } = code;
    const problem = { prompt, entry_point: entryPoint, test: tests };
    const { passed, failures } = await gradeHumanEval(sandbox, problem, program, options);
    if (passed) return undefined;
    const { kind, message } = failures[0] ?? { kind: "tests", message: "the tests did not call the function" };
    return { kind, message };
  }
  const { passed, visible, hidden } = await gradeJavaScript(sandbox, code, program, options);
  return passed ? undefined : caseFailure([...visible, ...hidden]);
}

function caseFailure(verdicts: readonly CaseVerdict[]): Failure {
  const wrong = verdicts.filter((each) => !each.passed);
  const { kind = "wrong", message = "" } = wrong[0]!;
  const cases = `${wrong.length} of ${verdicts.length} calls`;
  return { kind, message: message === "" ? cases : `${cases}: ${message}` };
}
