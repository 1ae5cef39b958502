import { formatRational } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";
import { checkAnnotation, parseWordProblem } from "../../../lib/dist/data/annotated/annotated-problem.js";

const socratic = {
  question: " Ama plants 3 rows of 4 beans. How many are left if 2 die? ",
  answer:
    "How many beans does Ama plant? ** She plants 3*4 = <<3*4=12>>12 beans.\n" +
    "How many are left? ** There are 12-2 = <<12-2=10>>10 left.\n#### 10",
};

describe("parseWordProblem", () => {
  it("splits a socratic row into sub-questions, lines and annotations", () => {
    const problem = parseWordProblem(socratic, "made/0");
    expect(problem).toMatchObject({
      id: "made/0",
      question: "Ama plants 3 rows of 4 beans. How many are left if 2 die?",
      steps: [
        {
          question: "How many beans does Ama plant?",
          text: "She plants 3*4 = 12 beans.",
          annotations: [{ expression: "3*4", stated: "12" }],
        },
        { question: "How many are left?", annotations: [{ expression: "12-2", stated: "10" }] },
      ],
    });
    expect(problem.answer.ok && formatRational(problem.answer.value)).toBe("10");
  });

  it("reads a plain row, a line with two annotations and one without", () => {
    const { steps } = parseWordProblem(
      { question: "q", answer: "Let us see.\n1+1=<<1+1=2>>2 and 2+2=<<2+2=4>>4\n#### 4" },
      "made/1",
    );
    expect(steps.map(({ question, annotations }) => [question, annotations.length])).toEqual([
      [undefined, 0],
      [undefined, 2],
    ]);
    expect(steps[1]?.text).toBe("1+1=2 and 2+2=4");
  });

  it("has no answer where the row states none", () => {
    expect(parseWordProblem({ question: "q", answer: "so 4" }, "made/2").answer.ok).toBe(false);
  });
});

describe("checkAnnotation", () => {
  it.each([
    ["48/2", "24", "equal"],
    ["10/3", "3.33", "rounded"],
    ["2/3", "0.66", "truncated"],
    ["1+1", "3", "different"],
    ["560//10", "56", "unparseable"],
    ["1+1", "two", "unparseable"],
  ])("%s = %s is %s", (expression, stated, status) => {
    expect(checkAnnotation({ expression, stated }).status).toBe(status);
  });

  it("says why an annotation cannot be evaluated", () => {
    expect(checkAnnotation({ expression: "560//10", stated: "56" })).toEqual({
      status: "unparseable",
      reason: 'unexpected "/"',
    });
  });
});
