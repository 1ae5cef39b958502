import { extractAnswer, type Policy } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

const read = (completion: string, policy: Policy): string | undefined => {
  const answer = extractAnswer(completion, policy);
  return answer.ok ? answer.value : undefined;
};

describe("extractAnswer, strict", () => {
  it.each([
    ["so \\boxed{5}.", "5"],
    ["\\boxed{3} and \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"],
    ["\\boxed{\\{1,2\\}}", "\\{1,2\\}"],
    ["\\boxed{\\boxed{7}}", "7"],
    ["\\fbox{7} done", "7"],
    ["\\boxed 5 apples", "5"],
    ["$\\boxed 12$", "12"],
    ["\\boxed {8}", "8"],
    ["\\boxed{3} or \\boxed{4", "3"],
    ["#### 5\nand \\boxed{6}", "6"],
    ["1+1=2\n#### 1,080", "1,080"],
    ["#### 3\n#### -5\n", "-5"],
    ["#### Step 1\nwe add\n#### 7", "7"],
    ["The answer is 42.", "42"],
    ["The final answer is: **3.5**.", "3.5"],
    ["the answer is **5** apples.", "5 apples"],
    ["**Answer:** The", "The"],
    ["Final Answer: $\\frac{1}{2}$.", "\\frac{1}{2}"],
    ["The final answer is:\n\n$$x = 3$$", "x = 3"],
    ["the answer is \\(x^2\\), as claimed", "x^2"],
    ["The answer is $5. I paid with $10.", "$5"],
    ["The answer is 5. But wait. The answer is 6. Good", "6"],
    ["THE ANSWER IS east", "east"],
    ["The answer is 12 cm. Done.", "12 cm"],
  ])("reads %j as %j", (completion, answer) => {
    expect(read(completion, "strict")).toBe(answer);
  });

  it.each([
    "we have 5 apples and 7",
    "\\boxed{5",
    "\\boxed{",
    "\\boxed",
    "\\boxed{\\frac{1}{2}",
    "\\boxed{}",
    "####",
    "the answer is",
    "",
  ])("finds no answer in %j", (completion) => {
    const answer = extractAnswer(completion, "strict");
    expect(answer.ok).toBe(false);
    expect(!answer.ok && answer.reason).toMatch(/no \\boxed|empty/);
  });
});

describe("extractAnswer, astar: the golden rows of the specification", () => {
  it.each([
    ["The answer is \\boxed{\\dfrac{1}{2}}.", "\\frac{1}{2}"],
    ["\\boxed{3} and \\boxed{\\text{four}}", "4"],
    ["answer \\boxed{x=5}", "5"],
    ["\\boxed{12\\text{ cm}}", "12"],
    ["\\boxed{50\\%}", "50"],
    ["\\boxed{3/4}", "\\frac{3}{4}"],
    ["\\boxed{\\frac12}", "\\frac{1}{2}"],
    ["\\boxed{3,1,2}", "1,2,3"],
    ["\\boxed{.5}", "0.5"],
    ["\\boxed{5.00}", "5"],
    ["\\boxed{90^\\circ}", "90"],
    ["\\boxed{(3, \\frac{\\pi}{2})}", "(3,\\frac{\\pi}{2})"],
    ["Step 3: we have 5 apples and 7", "7"],
    ["no digits", undefined],
    ["The final answer is $\\frac{3}{4}$. I hope it is correct.", "\\frac{3}{4}"],
    ["the answer is: 1,234 miles", "1,234miles"],
    ["Final answer is 6/.", "6"],
    ["答案是 5", "5"],
    ["3,000 of 4,500.", "4500"],
    ["\\boxed{5", "5"],
    ["\\boxed{twenty-one}", "21"],
    ["\\boxed{\\begin{bmatrix}1\\\\2\\end{bmatrix}}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"],
    ["\\boxed{x \\leq 3}", "x\\le3"],
    ["\\boxed{2+3j}", "2+3i"],
    ["\\boxed{\\sqrt3}", "\\sqrt{3}"],
    ["\\boxed{k = 4}", "4"],
  ])("reads %j as %j", (completion, answer) => {
    expect(read(completion, "astar")).toBe(answer);
  });
});

describe("extractAnswer, dots", () => {
  it.each([
    ["\\boxed{1} then \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"],
    ["5 apples and 7.5", "7.5"],
    ["\\boxed{5 and 3", "3"],
    ["\\boxed{12\\text{ cm}}", "12"],
    ["\\boxed{1,000}", "1000"],
    ["none", undefined],
  ])("reads %j as %j", (completion, answer) => {
    expect(read(completion, "dots")).toBe(answer);
  });
});

describe("extractAnswer, aot: the golden rows of the specification", () => {
  it.each([
    ["<answer>12</answer> no <answer>7.5</answer>", "7.5"],
    ["<answer>-3</answer>", "-3"],
    ["<answer>1,000</answer>", "1,000"],
    ["<answer>\n5\n</answer>", undefined],
    ["\\boxed{\\frac{1}{2}}", "\\frac{1"],
    ["\\boxed{1} and \\boxed{2}", "1"],
    ["the answer is 5", undefined],
  ])("reads %j as %j", (completion, answer) => {
    expect(read(completion, "aot")).toBe(answer);
  });
});

describe("answers in words after ####", () => {
  it.each([
    ["Bath, Maine", "Bath, Maine"],
    ["singer, songwriter", "singer, songwriter"],
    ["Star Trek: Nemesis", "Star Trek: Nemesis"],
    ["Life is Beautiful", "Life is Beautiful"],
    ["Therefore, the answer is Bath, Maine", "Bath, Maine"],
    ["Final answer: Paris", "Paris"],
    ["So, Paris", "Paris"],
  ])("are not taken for a label and an answer: %s", (line, expected) => {
    expect(extractAnswer(`It follows.\n#### ${line}`, "strict", { kind: "words" })).toEqual({
      ok: true,
      value: expected,
    });
  });
});
