import { grade } from "thoughtbook/answer";
import { createRandom } from "thoughtbook/core";
import { drawWrongChain, problemPlan, problemSteps, shortChain, tidyProblem } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { readAnswer, varied } from "./helpers.js";

const PROBLEMS = varied(120);

describe("a wrong chain", () => {
  const drawn = PROBLEMS.flatMap((problem) =>
    [0, 1, 2].map((draw) => ({ problem, wrong: drawWrongChain(createRandom(`${problem.id}/${draw}`), problem) })),
  );

  it("ends with a wrong whole number from 0 to 9,999, in all four ways", () => {
    const kinds = new Map<string, number>();
    for (const { problem, wrong } of drawn) {
      expect(wrong.answer).not.toBe(problem.answer);
      for (const { value } of wrong.lines) {
        expect(Number.isInteger(value) && value >= 0 && value <= 9999).toBe(true);
      }
      expect(grade({ completion: wrong.text, reference: String(problem.answer), policy: "strict" }).status).toBe(
        "wrong",
      );
      kinds.set(wrong.error, (kinds.get(wrong.error) ?? 0) + 1);
    }
    expect([...kinds.keys()].sort()).toEqual(["operand", "operation", "skip", "slip"]);
    for (const count of kinds.values()) expect(count / drawn.length).toBeGreaterThan(0.08);
  });

  it("is right before its first wrong line, and consistent after it", () => {
    for (const { problem, wrong } of drawn) {
      const [right, lines] = [shortChain(problem, "plain").split("\n"), wrong.text.split("\n")];
      expect(lines).toHaveLength(right.length - (wrong.error === "skip" ? 1 : 0));
      expect(lines.findIndex((line) => !right.includes(line))).toBe(wrong.line);
      expect(right.indexOf(lines[wrong.line]!)).toBe(-1);
      if (wrong.error !== "skip") expect(wrong.line).toBe(wrong.step);
      else
        expect(wrong.lines.map(({ quantity }) => quantity)).not.toContain(problemSteps(problem)[wrong.step]!.quantity);
      // Only a slip is wrong arithmetic; whatever follows from an error is computed rightly.
      for (const [at, { expression, value }] of wrong.lines.entries()) {
        const correct = evaluateText(expression) === value;
        expect(correct, `${expression}=${value}`).toBe(!(wrong.error === "slip" && at === wrong.line));
      }
    }
  });

  it("repeats exactly", () => {
    for (const problem of PROBLEMS.slice(0, 20)) {
      expect(drawWrongChain(createRandom(1), problem)).toEqual(drawWrongChain(createRandom(1), problem));
    }
  });
});

/** Our own expressions: whole numbers, * and / from left to right before + and -. */
function evaluateText(expression: string): number {
  const terms = expression.match(/[+-]?[^+-]+/g)!;
  return terms.reduce((sum, term) => {
    const parts = term.replace(/^[+-]/, "").split(/([*/])/);
    const value = parts.slice(1).reduce((total, part, at) => {
      if (part === "*" || part === "/") return total;
      return parts[at] === "*" ? total * Number(part) : total / Number(part);
    }, Number(parts[0]));
    return sum + (term.startsWith("-") ? -value : value);
  }, 0);
}

describe("a tidy problem", () => {
  it("has the same steps and answer, by its text alone, and no distractors", () => {
    for (const problem of PROBLEMS) {
      const tidy = tidyProblem(problem);
      expect(readAnswer(tidy.question, tidy.scenario), tidy.question).toBe(problem.answer);
      const equations = (of: typeof problem) =>
        problemSteps(of).map(({ expression, value }) => `${expression}=${value}`);
      expect(equations(tidy)).toEqual(equations(problem));
      expect(tidy.facts.every((index) => problem.quantities[index]!.needed)).toBe(true);
      expect(tidy.facts).toHaveLength(new Set(tidy.facts).size);
      for (const [at, index] of tidy.facts.entries()) {
        const inputs = problem.quantities[index]!.relation?.inputs ?? [];
        expect(inputs.every((input) => tidy.facts.indexOf(input) < at)).toBe(true);
      }
    }
  });
});

describe("a plan", () => {
  it("has a line for each step, without any value that has to be computed", () => {
    for (const problem of PROBLEMS) {
      const plan = problemPlan(problem);
      expect(plan).toHaveLength(problem.difficulty.operations);
      for (const [at, { quantity }] of problemSteps(problem).entries()) {
        const { kind, numbers } = problem.quantities[quantity]!.relation!;
        expect(plan[at]).toMatch(/^Find .+: .+\.$/);
        const said = Array.from(plan[at]!.matchAll(/\d+/g), Number);
        const stated = kind === "fraction" && numbers[0] === 1 ? numbers.slice(1) : numbers.map(Math.abs);
        expect(said).toEqual(stated);
      }
    }
  });
});
