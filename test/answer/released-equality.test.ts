import { equalStrict } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";
import { equalAot } from "../../lib/dist/answer/released/aot.js";
import { equalAstar, equalAstarGsm8k } from "../../lib/dist/answer/released/astar-equality.js";
import { equalDots, equalDotsBbh } from "../../lib/dist/answer/released/dots.js";

describe("equalAstar", () => {
  it.each([
    ["0.5", "1/2", true],
    ["50", "0.5", true],
    ["2", "200", true],
    ["10000", "10001", true],
    ["[1,2]", "(1,2)", true],
    ["{1,2}", "1,2", true],
    ["10000", "10002", false],
    ["EAST", "east", true],
    ["(B)", "B", true],
    ["x=5", "5", true],
    ["2x-y=3", "y-2x=-3", true],
    ["\\sqrt{8}", "2\\sqrt{2}", true],
    ["\\pi", "3.1416", true],
    ["(1,0.50)", "(1,1/2)", true],
    ["\\begin{pmatrix}1\\\\0.5\\end{pmatrix}", "\\begin{pmatrix}1\\\\1/2\\end{pmatrix}", true],
    ["(1,2)", "(2,1)", false],
    ["abc", "xyz", false],
    ["", "0", false],
  ])("%j, %j: %j", (prediction, reference, equal) => {
    expect(equalAstar(prediction, reference)).toBe(equal);
  });

  it("compares the last number for GSM8K as text", () => {
    expect(equalAstarGsm8k("$1,080 in 3 years: 1,080", "1080")).toBe(true);
    expect(equalAstarGsm8k("18.0", "18")).toBe(false);
    expect(equalAstarGsm8k("none", "18")).toBe(false);
  });
});

describe("equalDots", () => {
  it.each([
    ["67.6", "68", true],
    ["3.2", "3.14", true],
    ["3.27", "3.14", false],
    ["0.51", "0.5", true],
    ["0.5", "\\frac{1}{2}", false],
    ["2.5", "3", false],
    ["3.5", "4", true],
    ["\\dfrac{1}{2}", "\\frac{1}{2}", true],
    ["abc", "xyz", false],
  ])("%j, %j: %j", (prediction, reference, equal) => {
    expect(equalDots(prediction, reference)).toBe(equal);
  });

  it.each([
    ["navigate", "so. Answer: (A) yes", "(A)", true],
    ["navigate", "Answer: **B**", "(B)", true],
    ["navigate", "Answer: (A)", "(B)", false],
    ["word_sorting", "Answer: ant, bee", "ant bee", true],
    ["dyck_languages", "Answer: [ ] ) )", ") )", true],
    ["penguins_in_a_table", "Answer: (C)", "(C)", true],
  ])("BIG-Bench Hard, %s: %j, %j: %j", (task, reply, target, equal) => {
    expect(equalDotsBbh(task, reply, target)).toBe(equal);
  });
});

describe("equalAot", () => {
  it.each([
    ["abc", "xyz", true],
    ["abc", "\\frac12", true],
    ["garbage", "0", true],
    ["0.333", "1/3", false],
    ["1/3", "2/6", true],
    ["1,000", "1000", true],
    ["2**3", "8", true],
    ["2(3)", "0", true],
    ["1 1/2", "0", true],
    ["5", "5.0", true],
    ["5", "6", false],
  ])("%j, %j: %j", (prediction, reference, equal) => {
    expect(equalAot(prediction, reference)).toBe(equal);
  });
});

describe("what only strict reads", () => {
  it.each([
    ["0<x<12.5", "(0,12.5)"],
    ["x > 3", "(3,\\infty)"],
    ["½", "0.5"],
    ["5 million", "5000000"],
    ["\\frac{2024!}{2022!}", "4094552"],
    ["5\\text{ m}", "5 meters"],
  ])("%j is not %j under astar, as it never was", (a, b) => {
    expect(equalStrict(a, b)).toBe(true);
    expect(equalAstar(a, b)).toBe(false);
  });
});
