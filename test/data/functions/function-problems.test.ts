import vm from "node:vm";
import { type FunctionProblem, functionProblems, generateFunctionProblem } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { PRIMITIVES } from "../../../lib/dist/data/functions/function-problems.js";
import { failure } from "../../core/helpers.js";

const make = (
  count: number,
  options: Partial<Parameters<typeof generateFunctionProblem>[0]> = {},
): FunctionProblem[] => [...functionProblems({ seed: "functions", steps: [1, 3], ...options }, count)];

/** Our own solutions, applied to all calls of their problems; results as JSON. */
function solve({ solution, name, examples, tests }: Pick<FunctionProblem, "solution" | "name" | "examples" | "tests">) {
  const calls = JSON.stringify([...examples, ...tests].map(({ args }) => args));
  return JSON.parse(vm.runInNewContext(`${solution}\nJSON.stringify(${calls}.map((args) => ${name}(...args)))`));
}

describe("function problems", () => {
  const problems = make(600);

  it("are solved by their solutions, on examples and hidden tests", () => {
    for (const problem of problems) {
      expect(solve(problem), problem.solution).toEqual(
        [...problem.examples, ...problem.tests].map(({ result }) => result),
      );
    }
  });

  it("repeat exactly, each by itself", () => {
    expect(make(20)).toEqual(problems.slice(0, 20));
    expect(generateFunctionProblem({ seed: "functions", steps: [1, 3], index: 7 })).toEqual(problems[7]);
    expect(make(5, { index: 3 })).toEqual(problems.slice(3, 8));
    expect(make(20, { seed: "other" }).map(({ specification }) => specification)).not.toEqual(
      problems.slice(0, 20).map(({ specification }) => specification),
    );
    expect(new Set(problems.map(({ id }) => id)).size).toBe(problems.length);
  });

  it("show 2 examples and hide at least 7 tests, all different calls, as JSON holds them", () => {
    for (const { examples, tests } of problems) {
      expect(examples).toHaveLength(2);
      expect(tests.length).toBeGreaterThanOrEqual(7);
      const calls = [...examples, ...tests].map(({ args }) => JSON.stringify(args));
      expect(new Set(calls).size).toBe(calls.length);
      expect(JSON.parse(JSON.stringify([examples, tests]))).toEqual([examples, tests]);
      expect(JSON.stringify(examples[0]!.result)).not.toBe(JSON.stringify(examples[1]!.result));
    }
    const empty = problems.filter(({ tests }) => ['""', "[]"].includes(JSON.stringify(tests.at(-1)!.args[0])));
    expect(empty.length).toBeGreaterThan(100);
  });

  it("need as many steps as they say, in at most 8 lines", () => {
    for (const { steps, solution, signature } of problems) {
      const lines = solution.split("\n");
      expect(lines).toHaveLength(steps + 2);
      expect(lines.length).toBeLessThanOrEqual(8);
      expect(signature.split(": ")[1]!.split(", ")).toHaveLength(steps);
    }
    for (const steps of [1, 2, 3]) {
      const share = problems.filter((problem) => problem.steps === steps).length / problems.length;
      expect(share).toBeGreaterThan(0.25);
      expect(make(3, { steps }).every((problem) => problem.steps === steps)).toBe(true);
    }
  });

  it("are failed by a solution that leaves out a step", () => {
    let tried = 0;
    for (const problem of problems) {
      const lines = problem.solution.split("\n");
      const names = problem.signature.split(": ")[1]!.split(", ");
      for (let at = 1; at < lines.length - 2; at++) {
        const { from, to } = PRIMITIVES.find(({ name }) => name === names[at - 1])!;
        if (from !== to) continue;
        const shorter = lines.map((line, index) =>
          index === at ? line.replace(/= .*;$/, `= ${at === 1 ? problem.parameters[0] : "a"};`) : line,
        );
        const results = solve({ ...problem, solution: shorter.join("\n") });
        tried++;
        expect(results, problem.solution).not.toEqual(
          [...problem.examples, ...problem.tests].map(({ result }) => result),
        );
      }
    }
    expect(tried).toBeGreaterThan(150);
  });

  it("use all of at least 25 primitives, in several phrasings each", () => {
    expect(PRIMITIVES.length).toBeGreaterThanOrEqual(25);
    expect(new Set(PRIMITIVES.map(({ name }) => name)).size).toBe(PRIMITIVES.length);
    const used = new Set(make(2000).flatMap(({ signature }) => signature.split(": ")[1]!.split(", ")));
    expect(PRIMITIVES.filter(({ name }) => !used.has(name))).toEqual([]);
    for (const { name, orders, results, to } of PRIMITIVES) {
      expect(results.length, name).toBeGreaterThanOrEqual(2);
      if (to !== "boolean") expect(orders.length, name).toBeGreaterThanOrEqual(2);
    }
  });

  it("say all constants, and nothing that is left to fill in", () => {
    for (const { specification, solution } of problems) {
      expect(specification).not.toMatch(/[#{}]|undefined/);
      expect(specification).toMatch(/^[A-Z].*\.$/);
      const texts = solution.match(/(?:join|replaceAll|includes|startsWith|indexOf|split)\("[^"]+"/g) ?? [];
      for (const each of texts) {
        if (each === 'split(" "' || each === 'includes("aeiouAEIOU"') continue;
        expect(specification, solution).toContain(each.slice(each.indexOf('"')));
      }
    }
  });

  it("have no composition in common between train, validation and test", () => {
    const sets = (["train", "validation", "test"] as const).map(
      (split) => new Set(make(800, { split }).map(({ signature }) => signature)),
    );
    for (const [at, one] of sets.entries()) {
      for (const other of sets.slice(at + 1)) expect([...one].filter((signature) => other.has(signature))).toEqual([]);
    }
    expect(sets.every(({ size }) => size > 100)).toBe(true);
  });

  it("refuse numbers of steps that there are not", async () => {
    for (const steps of [0, 4, 1.5, [2, 1], [1, 9]] as const) {
      const error = await failure(
        Promise.resolve().then(() => generateFunctionProblem({ seed: 1, steps: steps as number })),
      );
      expect(error).toMatchObject({ code: "bad-input", hint: expect.stringContaining("1 to 3") });
    }
  });
});
