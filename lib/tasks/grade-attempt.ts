import { badInput } from "../core/index.js";
import { type CaseVerdict, gradeHumanEval, gradeJavaScript, type RunOptions, type Sandbox } from "../sandbox/index.js";
import { type Failure, type Graded, gradeCompletion, type Problem } from "./problems.js";

/**
 * Grade an attempt under each policy that applies to its problem. Functions are run in the sandbox, against their tests;
 * all else is graded by {@link gradeCompletion}.
 *
 * @throws bad-input for a problem of code without a sandbox or without tests; interrupted; as the sandbox
 */
export async function gradeAttempt(
  problem: Problem,
  { text: written, begun = "", solution }: { text: string; begun?: string | undefined; solution?: string | undefined },
  { sandbox, ...options }: RunOptions & { sandbox?: Sandbox | undefined },
): Promise<Graded> {
  const text = `${begun}${written}`;
  if (problem.kind !== "code" || solution === undefined) return gradeCompletion(problem, text, solution);
  if (!sandbox) {
    throw badInput(`${problem.id} is graded by running programs, and there is no sandbox`, "Give one: openSandbox().");
  }
  const failure = await codeFailure(problem, solution, sandbox, options);
  return { answer: solution, correct: { strict: failure === undefined }, ...(failure ? { failure } : {}) };
}

/**
 * Run the tests of a problem of code against a program; undefined if it passes them all, else the first failure.
 *
 * @throws bad-input for a problem without tests; interrupted; execution where the sandbox itself cannot work
 */
async function codeFailure(
  { id, code }: Problem,
  program: string,
  sandbox: Sandbox,
  options: RunOptions,
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
  for (const { name, examples, tests } of [code, ...(code.beside ?? [])]) {
    const { passed, visible, hidden } = await gradeJavaScript(sandbox, { name, examples, tests }, program, options);
    if (!passed) return caseFailure([...visible, ...hidden]);
  }
  return undefined;
}

function caseFailure(verdicts: readonly CaseVerdict[]): Failure {
  const wrong = verdicts.filter((each) => !each.passed);
  const { kind = "wrong", message = "" } = wrong[0]!;
  const cases = `${wrong.length} of ${verdicts.length} calls`;
  return { kind, message: message === "" ? cases : `${cases}: ${message}` };
}
