import { FAMILIES, loadReasonerTask, outcomeReward, reasonerReward, stepReward } from "thoughtbook/reasoner";
import { openProgramSandbox } from "thoughtbook/rollouts";
import { gradeAttempt, type Problem } from "thoughtbook/tasks";
import { afterAll, describe, expect, it } from "vitest";

const sandbox = openProgramSandbox();
afterAll(() => sandbox.close());

/** Every family of a split, once in each language. */
const all = async (split: string): Promise<readonly Problem[]> => {
  const families = FAMILIES.filter(
    (_, at) => split === (at % 5 === 4 ? "test" : at % 10 === 7 ? "validation" : "train"),
  );
  return (await loadReasonerTask("code", { split, limit: 2 * families.length, seed: 3 })).problems;
};
const familyOf = ({ id }: Problem) => id.split("/")[0]!;

/** A program that knows the calls that the question shows by heart, and returns nothing else. */
function hardCoded({ code }: Problem): string {
  if (code!.language === "javascript") {
    const functions = [code!, ...(code!.beside ?? [])].map(({ name, examples }) => {
      const table = JSON.stringify(
        Object.fromEntries(examples.map(({ args, result }) => [JSON.stringify(args), result])),
      );
      return `function ${name}(...args) { return (${table})[JSON.stringify(args)]; }`;
    });
    return functions.join("\n");
  }
  const names = [...new Set(code!.examples!.map(({ name }) => name))];
  return [
    "import json",
    ...names.map((name) => {
      const own = code!.examples!.filter((each) => each.name === name);
      const table = JSON.stringify(Object.fromEntries(own.map(({ args, result }) => [JSON.stringify(args), result])));
      return `def ${name}(*args):\n    return json.loads(${JSON.stringify(table)}).get(json.dumps(list(args), separators=(",", ":")))`;
    }),
  ].join("\n");
}

describe("the families of functions", () => {
  it("are at least 40, of which some are two functions, and whole families are held out", async () => {
    const [train, validation, test] = [await all("train"), await all("validation"), await all("test")];
    expect(FAMILIES.length).toBeGreaterThanOrEqual(40);
    const names = [train, validation, test].map((problems) => new Set(problems.map(familyOf)));
    expect(names.reduce((sum, each) => sum + each.size, 0)).toBe(FAMILIES.length);
    expect(new Set(names.flatMap((each) => [...each])).size).toBe(FAMILIES.length);
    const pairs = [...train, ...test].filter(({ question }) => question.includes("Beside it write"));
    expect(new Set(pairs.map(familyOf)).size).toBeGreaterThanOrEqual(6);
    expect([...train, ...validation, ...test].every(({ code }) => code!.language !== undefined)).toBe(true);
  });

  it("have reference programs that pass all tests, and fewer pass where one function is missing", {
    timeout: 240_000,
  }, async () => {
    const problems = [...(await all("train")), ...(await all("validation")), ...(await all("test"))];
    const failed: string[] = [];
    for (const problem of problems) {
      const { correct, failure } = await gradeAttempt(problem, { text: "", solution: problem.solution! }, { sandbox });
      if (!correct.strict) failed.push(`${problem.id}: ${failure?.kind} ${failure?.message}`);
    }
    expect(failed).toEqual([]);
    const pair = problems.find(({ id }) => id.startsWith("even-odd/javascript"))!;
    const alone =
      "function isEven(n) { return [...Array(60).keys()].some((i) => i % 2 === 0 && n === i * 0) || false; }";
    expect((await gradeAttempt(pair, { text: "", solution: alone }, { sandbox })).correct.strict).toBe(false);
  });

  it("give nothing to a policy that knows the shown calls by heart, though it passes those", {
    timeout: 240_000,
  }, async () => {
    const problems = (await all("train")).slice(0, 12);
    for (const problem of problems) {
      const attempt = { problem: problem.id, sample: 0, text: "", solution: hardCoded(problem), calls: [] };
      const context = { model: undefined as never, seed: 0, sandbox };
      expect([problem.id, ...(await outcomeReward(problem, [attempt], context))]).toEqual([problem.id, 0]);
      expect(await stepReward()(problem, [attempt], context)).toEqual([0.5]);
      const [total] = await reasonerReward()(problem, [attempt], context);
      expect(total).toBe(0);
    }
  });

  it("are the same for the same seed, and other tasks for another", async () => {
    const ids = async (seed: number) => (await loadReasonerTask("code:python", { limit: 5, seed })).problems;
    expect(await ids(1)).toEqual(await ids(1));
    expect((await ids(2))[0]!.question).not.toBe((await ids(1))[0]!.question);
  });
});
