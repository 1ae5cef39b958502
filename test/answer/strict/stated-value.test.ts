import Fraction from "fraction.js";
import { compareStated, finalAnswer, formatRational } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

describe("compareStated", () => {
  it.each([
    ["24", "24", "equal"],
    ["10/3", "3.33", "rounded"],
    ["2/3", "0.67", "rounded"],
    ["2/3", "0.66", "truncated"],
    ["-2/3", "-.66", "truncated"],
    ["7/2", "4", "rounded"],
    ["7/2", "3", "rounded"],
    ["8/3", "2", "truncated"],
    ["10/3", "3.5", "different"],
    ["1/2", "50%", "equal"],
    ["1000", "1,000", "equal"],
  ])("%s stated as %s is %s", (exact, stated, expected) => {
    expect(compareStated(new Fraction(exact), stated)).toEqual({ ok: true, value: expected });
  });

  it("does not compare what is no number", () => {
    expect(compareStated(new Fraction(1), "one").ok).toBe(false);
  });
});

describe("finalAnswer", () => {
  it.each([
    ["so 4.\n#### 1,080", "1080"],
    ["#### 3\nno\n#### -5", "-5"],
  ])("of %j is %s", (solution, expected) => {
    const answer = finalAnswer(solution);
    expect(answer.ok && formatRational(answer.value)).toBe(expected);
  });

  it("is not guessed from other numbers", () => {
    expect(finalAnswer("the answer is 4")).toEqual({ ok: false, reason: 'no "####" line' });
    expect(finalAnswer("#### about 4").ok).toBe(false);
  });
});
