import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateFunctionProblem } from "thoughtbook/data";
import { openSandbox, type Sandbox } from "thoughtbook/sandbox";
import { createTask, gradeAttempt, gradeCompletion, loadTask, type Problem } from "thoughtbook/tasks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const TIMEOUT = { timeout: 120_000 };

let sandbox: Sandbox;
let folder: string;
beforeAll(() => {
  sandbox = openSandbox({ timeLimitMs: 5000, workers: 1 });
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-code-"));
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const load = async (dataset: string, row: object): Promise<Problem> => {
  const path = join(folder, `${dataset}.jsonl`);
  writeFileSync(path, `${JSON.stringify(row)}\n`);
  return (await loadTask(dataset, { path })).problems[0]!;
};
const passes = async (problem: Problem, solution: string) =>
  (await gradeAttempt(problem, { text: solution, solution }, { sandbox })).correct.strict;

const WORDS = "Write a function to double a number.";
const mbppRow = {
  ...{ task_id: 1, text: WORDS, code: "def twice(n):\n    return 2 * n", test_setup_code: "" },
  test_list: ["assert twice(2) == 4", "assert twice(-1) == -2"],
};
const PROMPT = 'def twice(n: int) -> int:\n    """ Double it. """\n';
const CHECK = "def check(candidate):\n    assert candidate(2) == 4\n";

describe("rows of data sets", TIMEOUT, () => {
  it.each([
    ["HumanEval", "humaneval", { task_id: "HumanEval/0", prompt: PROMPT, entry_point: "twice", test: CHECK }],
    [
      "MultiPL-E",
      "mbpp",
      { name: "m", language: "py", prompt: PROMPT, entry_point: "twice", test: `${CHECK}\ncheck(twice)\n` },
    ],
  ])("of %s ask to go on with a function, which may be written whole", async (_, dataset, row) => {
    const problem = await load(dataset, { canonical_solution: "    return 2 * n\n", ...row });
    expect(problem).toMatchObject({ kind: "code", question: PROMPT });
    expect(await passes(problem, "    return 2 * n")).toBe(true);
    expect(await passes(problem, "def twice(n):\n    return n + n")).toBe(true);
    expect(await passes(problem, "    return n + 1")).toBe(false);
  });

  it("of MBPP in words show the tests, which name the function", async () => {
    const problem = await load("mbpp", mbppRow);
    expect(problem.question).toBe(
      `${WORDS}\nYour code should pass these tests:\n\nassert twice(2) == 4\nassert twice(-1) == -2`,
    );
    expect(await passes(problem, mbppRow.code)).toBe(true);
    expect(await passes(problem, "```python\ndef twice(n):\n    return n * n\n```")).toBe(false);
    expect(await passes(problem, "def double(n):\n    return 2 * n")).toBe(false);
  });
});

describe("functions of JavaScript as a task", TIMEOUT, () => {
  it("have each number of steps as often, of the test split, and are hashed with their tests", async () => {
    const { problems, settings } = await loadTask("functions:1-3", { limit: 4, seed: 7 });
    expect(problems.map(({ operations }) => operations)).toEqual([1, 2, 3, 1]);
    const own = generateFunctionProblem({ seed: 7, steps: 2, index: 0, split: "test" });
    expect(problems[1]).toMatchObject({ id: own.id, kind: "code", code: { name: own.name, tests: own.tests } });
    for (const { args, result } of own.examples) {
      expect(problems[1]!.question).toContain(`${own.name}(${JSON.stringify(args[0])}) = ${JSON.stringify(result)}`);
    }
    expect(settings).toMatchObject({ name: "functions:1-3", split: "test", seed: 7 });
    expect((await loadTask("functions:2", { limit: 1, seed: 7 })).problems[0]).toEqual(problems[1]);
    expect(await passes(problems[1]!, own.solution)).toBe(true);
  });

  it.each([
    ["functions:4", {}, /no such difficulty/],
    ["functions:3-1", {}, /no such difficulty/],
    ["functions:x", {}, /no such difficulty/],
    ["functions:1", { split: "dev" }, /functions have no split "dev"/],
    ["functions:1", { depth: [1, 1] as const }, /depth is for word problems/],
    ["function", {}, /no data set "function".*functions/],
  ])("%s with %j is refused", async (name, options, message) => {
    await expect(loadTask(name, options)).rejects.toThrow(message);
  });
});

describe("grading", TIMEOUT, () => {
  const problem: Problem = {
    ...{ id: "p", question: PROMPT, kind: "code", references: [CHECK] },
    code: { language: "python", prompt: PROMPT, entryPoint: "twice", tests: CHECK },
  };

  it("runs functions alone; all else as without a sandbox", async () => {
    const wrong = await gradeAttempt(problem, { text: "", solution: "    return n" }, { sandbox });
    expect(wrong).toEqual({ answer: "    return n", correct: { strict: false }, failure: expect.any(Object) });
    expect(wrong.failure!.kind).toBe("wrong");
    const sum: Problem = { id: "s", question: "?", kind: "gsm8k", references: ["7"] };
    const said = { text: "#### 7", solution: "#### 7" };
    expect(await gradeAttempt(sum, said, {})).toEqual(gradeCompletion(sum, said.text, said.solution));
  });

  it("needs a sandbox and tests, but not for a text without a solution", async () => {
    const said = { text: "x", solution: "    return 2 * n" };
    await expect(gradeAttempt(problem, said, {})).rejects.toThrow(/there is no sandbox/);
    expect(() => gradeCompletion(problem, said.text, said.solution)).toThrow(/graded by running programs/);
    expect(gradeCompletion(problem, said.text, undefined)).toEqual({ answer: undefined, correct: { strict: false } });
    expect(() => createTask("mine", [{ ...problem, code: undefined }])).toThrow(/p is of code, and has no tests/);
  });
});
