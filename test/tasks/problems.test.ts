import { gradeCompletion, type Problem, sameAnswer } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";

const problem = (parts: Partial<Problem>): Problem => ({
  id: "p",
  question: "?",
  kind: "gsm8k",
  references: ["7"],
  ...parts,
});

describe("a completion", () => {
  it("is graded under each policy of its kind", () => {
    const text = "3 + 4 = 7\n#### 7";
    expect(gradeCompletion(problem({}), text, text)).toEqual({
      answer: "7",
      correct: { strict: true, astar: true, dots: true, aot: false },
    });
  });

  it("that was cut off has no final answer, but a last number", () => {
    expect(gradeCompletion(problem({}), "3 + 4 = 7", undefined)).toEqual({
      answer: undefined,
      correct: { strict: false, astar: true, dots: true, aot: false },
    });
  });

  it.each([
    ["choice", "B", "#### (B)", true],
    ["choice", "B", "#### (C)", false],
    ["yes-no", "yes", "#### Yes", true],
    ["symbols", "] ) >", "#### ])>", true],
    ["symbols", "] ) >", "#### ] )", false],
  ] as const)("of kind %s: reference %s, said %s", (kind, reference, text, right) => {
    expect(gradeCompletion(problem({ kind, references: [reference] }), text, text).correct.strict).toBe(right);
  });

  it("may meet any of several references, and words match in part", () => {
    const words = problem({ kind: "words", references: ["the red house", "Rome"] });
    expect(gradeCompletion(words, "#### rome", "#### rome")).toMatchObject({ correct: { strict: true }, f1: 1 });
    // One of one word said, one of two wanted.
    expect(gradeCompletion(words, "#### house", "#### house").f1).toBeCloseTo(2 / 3, 10);
    expect(gradeCompletion(words, "house", undefined)).toMatchObject({ correct: { strict: false }, f1: 0 });
  });

  it("of the game of 24 is an expression of the numbers", () => {
    const game = problem({ kind: "game24", references: ["1 1 4 6"] });
    const graded = (text: string) => gradeCompletion(game, text, text).correct;
    expect(graded("#### 6 * 4 * 1 * 1")).toEqual({ strict: true, dots: true });
    // The released check lets numbers be left out.
    expect(graded("#### 4 * 6 * 1")).toEqual({ strict: false, dots: true });
    expect(graded("#### 4 + 6 + 1 + 1")).toEqual({ strict: false, dots: false });
  });
});

describe("answers vote together", () => {
  it.each([
    ["gsm8k", "1,000", "1000.0", true],
    ["math", "1/2", "\\frac{1}{2}", true],
    ["math", "1/2", "1/3", false],
    ["choice", "(A)", "a", true],
    ["words", "The house", "house", true],
    ["math", "no value", "no value", true],
  ] as const)("%s: %s and %s", (kind, a, b, expected) => {
    expect(sameAnswer(kind, a, b)).toBe(expected);
  });
});
