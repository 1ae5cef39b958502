import { type AnswerKind, grade, type Policy } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

const gradeOf = (completion: string, reference: string, policy: Policy = "strict", kind?: AnswerKind) => {
  const { extracted, correct, status } = grade({ completion, reference, policy, kind });
  expect(correct).toBe(status === "correct");
  return [status, extracted];
};

describe("grade", () => {
  it("tells correct, wrong and unparseable apart", () => {
    expect(gradeOf("\\boxed{0.5}", "\\frac12")).toEqual(["correct", "0.5"]);
    expect(gradeOf("\\boxed{0.4}", "\\frac12")).toEqual(["wrong", "0.4"]);
    expect(gradeOf("it is 0.5 of", "\\frac12")).toEqual(["unparseable", undefined]);
    expect(gradeOf("\\boxed{3 +}", "3 +")).toEqual(["unparseable", "3 +"]);
  });

  it("gives a reason", () => {
    const reason = (completion: string, reference: string) => grade({ completion, reference, policy: "strict" }).reason;
    expect(reason("so 7", "7")).toBe("no \\boxed{}, no #### and no “answer is”");
    expect(reason("\\boxed{3 +}", "3")).toBe("neither mathematics nor words");
    expect(reason("\\boxed{3}", "3 +")).toBe("the reference: neither mathematics nor words");
    expect(reason("\\boxed{3}", "4")).toBe("differs from the reference");
  });

  it("reads the answer out of a reference solution", () => {
    expect(gradeOf("\\boxed{5}", "2+3=5\n#### 5")[0]).toBe("correct");
    expect(gradeOf("\\boxed{5}", "so \\boxed{5}")[0]).toBe("correct");
    expect(gradeOf("<answer>5</answer>", "\\boxed{5} or \\boxed{6}", "aot")[0]).toBe("correct");
  });

  it.each<[Policy, string, string, string]>([
    ["strict", "cut off at 7", "7", "unparseable"],
    ["astar", "cut off at 7", "7", "correct"],
    ["astar", "\\boxed{2}", "200", "correct"],
    ["astar", "\\boxed{\\frac12}", "1/2", "correct"],
    ["dots", "\\boxed{3.2}", "3.14", "correct"],
    ["aot", "<answer>garbage</answer>", "\\frac12", "correct"],
    ["strict", "\\boxed{garbage}", "\\frac12", "wrong"],
  ])("under %s, %j against %j: %s", (policy, completion, reference, status) => {
    expect(gradeOf(completion, reference, policy)[0]).toBe(status);
  });

  it.each<[AnswerKind, string, string, string]>([
    ["choice", "The answer is (B).", "b", "correct"],
    ["choice", "The answer is 4.", "4", "wrong"],
    ["words", "The answer is the Beatles.", "Beatles", "correct"],
    ["yes-no", "The answer is: Yes.", "true", "correct"],
    ["gsm8k", "#### 1,080", "…\n#### 1080", "correct"],
  ])("as %s, %j against %j: %s", (kind, completion, reference, status) => {
    expect(gradeOf(completion, reference, "strict", kind)[0]).toBe(status);
  });

  it("compares the numbers of GSM8K as text under astar", () => {
    expect(gradeOf("so 18.0", "x\n#### 18", "astar", "gsm8k")[0]).toBe("correct");
    expect(gradeOf("The final answer is 1,080 dollars", "x\n#### 1080", "astar", "gsm8k")[0]).toBe("correct");
    expect(gradeOf("17.5", "x\n#### 18", "astar", "gsm8k")[0]).toBe("wrong");
  });
});
