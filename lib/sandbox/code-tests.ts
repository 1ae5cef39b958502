import { type CasesResult, runCases } from "./cases.js";
import type { RunOptions, Sandbox } from "./open-sandbox.js";
import type { Language, ProgramErrorKind, SandboxCase } from "./types.js";

/*
 * Grading programs by the tests of their problems. Tests of Python are assertions, which a program that ran beside them
 * could make hold (by patching what they use, by objects that equal everything, by leaving early). So they run in an
 * interpreter of their own, in another process, where what they call is a stand-in: it sends the arguments to the
 * program's process and gives back what comes as plain data. Values of the program's own classes come as what they are
 * made of, or as objects that equal only themselves. What remains: a program that recognises the arguments of tests
 * that its author has seen, and tests that are too weak.
 */

export interface PythonTests {
  program: string;
  /** One or more tests, each with assertions. `check(candidate)` alone is called with the entry point. */
  tests: string | readonly string[];
  /** The function that is tested, where the tests do not call it by its name. */
  entryPoint?: string | undefined;
  /** What the tests need beside the program: imports, helpers. Its names are not the program's. */
  setup?: string | undefined;
  timeLimitMs?: number | undefined;
}

export interface TestFailure {
  /** Which test, from 1; null where the program failed before any. */
  test: number | null;
  /** "wrong": an assertion does not hold; "tests": the tests themselves are broken; the others are the program's. */
  kind: "wrong" | "tests" | ProgramErrorKind;
  /** Says nothing of what was expected. */
  message: string;
}

export interface TestsResult {
  /** All tests ran to their end, each called the program, and no assertion failed. */
  passed: boolean;
  failures: TestFailure[];
  /** How many tests there were. */
  tests: number;
}

/** Run tests against a program of Python. Throws only where the sandbox itself cannot work. */
export async function gradePython(
  sandbox: Sandbox,
  { program, tests: given, entryPoint = "", setup = "", timeLimitMs }: PythonTests,
  options: RunOptions = {},
): Promise<TestsResult> {
  const tests = typeof given === "string" ? [given] : given;
  const failed = (failures: TestFailure[]): TestsResult => ({ passed: false, failures, tests: tests.length });
  if (tests.length === 0) return failed([{ test: null, kind: "tests", message: "there are no tests" }]);
  return sandbox.withProgram(
    { language: "python", code: program, timeLimitMs },
    async (loaded) => {
      const { error } = loaded.result;
      if (error) return failed([{ test: null, ...error }]);
      let last: ProgramErrorKind = "error";
      const judged = await sandbox.judge(
        { setup, tests, entryPoint },
        {
          ...loaded,
          ask: async (request) => {
            const reply = await loaded.ask(request);
            if (reply.error) last = reply.error.kind;
            return reply;
          },
        },
        options,
      );
      if (!("verdicts" in judged)) {
        return failed([{ test: null, kind: "tests", message: judged.error.message }]);
      }
      const failures = judged.verdicts.flatMap(({ ok, kind, message }, at): TestFailure[] => {
        if (ok) return [];
        const named = kind === "program" ? last : kind === "error" ? "tests" : "wrong";
        return [{ test: at + 1, kind: named, message }];
      });
      const passed = failures.length === 0 && judged.verdicts.length === tests.length && judged.calls > 0;
      return { passed, failures, tests: tests.length };
    },
    options,
  );
}

/** HumanEval's fields that grading needs (arXiv 2107.03374); MultiPL-E's have the same names. */
export interface HumanEvalProblem {
  prompt: string;
  entry_point: string;
  test: string;
}

/**
 * Grade a reply to a problem of HumanEval: a whole function, fenced or not, or what follows the prompt.
 *
 * @param reply what a model wrote
 */
export function gradeHumanEval(
  sandbox: Sandbox,
  { prompt, entry_point: entryPoint, test }: HumanEvalProblem,
  reply: string,
  options: RunOptions & { timeLimitMs?: number } = {},
): Promise<TestsResult> {
  const { program, setup } = joinPrompt(prompt, entryPoint, reply);
  const { timeLimitMs } = options;
  return gradePython(sandbox, { program, tests: test, entryPoint, setup, timeLimitMs }, options);
}

/** MBPP's fields that grading needs (arXiv 2108.07732). */
export interface MbppProblem {
  test_list: readonly string[];
  test_setup_code?: string | undefined;
  /** Of the sanitized version. */
  test_imports?: readonly string[] | undefined;
}

/** Grade a reply to a problem of MBPP, in its own form or, with a prompt and `check(candidate)`, in MultiPL-E's. */
export function gradeMbpp(
  sandbox: Sandbox,
  problem: MbppProblem | HumanEvalProblem,
  reply: string,
  options: RunOptions & { timeLimitMs?: number } = {},
): Promise<TestsResult> {
  if ("prompt" in problem && "test" in problem) return gradeHumanEval(sandbox, problem, reply, options);
  const setup = [...(problem.test_imports ?? []), problem.test_setup_code ?? ""].join("\n").trim();
  const { timeLimitMs } = options;
  const program = codeOf(reply, "python");
  return gradePython(sandbox, { program, tests: problem.test_list, setup, timeLimitMs }, options);
}

/** A function of JavaScript to write, as `lib/data` makes them. */
export interface JavaScriptProblem {
  name: string;
  examples: readonly SandboxCase[];
  tests: readonly SandboxCase[];
}

/** Grade a reply to a function problem of JavaScript: its examples are visible, its tests hidden. */
export function gradeJavaScript(
  sandbox: Sandbox,
  { name, examples, tests }: JavaScriptProblem,
  reply: string,
  options: RunOptions & { timeLimitMs?: number } = {},
): Promise<CasesResult> {
  const code = codeOf(reply, "javascript");
  const { timeLimitMs } = options;
  const request = {
    language: "javascript" as const,
    code,
    entryPoint: name,
    visible: examples,
    hidden: tests,
    timeLimitMs,
  };
  return runCases(sandbox, request, options);
}

const FENCE_NAMES: Record<Language, string> = {
  python: "python|py|python3",
  javascript: "javascript|js|node|typescript|ts",
};

/**
 * The program in a reply: its first fenced block of the language, else its first block without a language, else all of
 * it. A block that is not closed reaches to the end.
 */
export function codeOf(reply: string, language: Language): string {
  const text = reply.replace(/\r\n?/g, "\n");
  for (const name of [FENCE_NAMES[language], ""]) {
    const fence = new RegExp(
      `(?:^|\\n)[ \\t]*\`\`\`[ \\t]*(?:${name})[ \\t]*\\n([\\s\\S]*?)(?:\\n?[ \\t]*\`\`\`|$)`,
      "i",
    );
    const [, code] = fence.exec(text) ?? [];
    if (code !== undefined) return code;
  }
  return text;
}

/**
 * The program of a reply to a prompt that begins a function, and what stands before that function: imports and helpers,
 * which tests use as the prompt has them.
 */
function joinPrompt(prompt: string, entryPoint: string, reply: string): { program: string; setup: string } {
  const code = codeOf(reply, "python");
  const defines = (text: string) =>
    new RegExp(`^(?:async[ \\t]+)?def[ \\t]+${literal(entryPoint)}\\b|^${literal(entryPoint)}[ \\t]*=`, "m").exec(text);
  const setup = prompt.slice(0, defines(prompt)?.index ?? 0);
  if (defines(code)) return { program: `${setup}\n${code}`, setup };
  // The body alone; a model that starts on the line of the prompt's end leaves out its first indentation.
  const body = /^\S/.test(code) ? indented(code) : code;
  return { program: `${prompt.trimEnd()}\n${body.replace(/^\n+/, "")}`, setup };
}

/** Lines before the first that is indented less than a function's body get it. */
const indented = (code: string): string =>
  /^\S.*(?:\n(?:[ \t].*|\s*))*$/.test(code) ? `    ${code}` : code.replace(/^(?=.)/gm, "    ");

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
