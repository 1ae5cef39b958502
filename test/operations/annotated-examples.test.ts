import { createRandom } from "thoughtbook/core";
import { problemGraph } from "thoughtbook/data";
import { annotatedExample, type OperationName } from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { parseWordProblem } from "../../lib/dist/data/annotated/annotated-problem.js";

const QUESTION =
  "Ana buys 4 boxes of 12 pens. Ben buys half as many pens as Ana. A pen costs $2. How much do they pay?";
const problemOf = (answer: string) => parseWordProblem({ question: QUESTION, answer }, "made/0");
const problem = problemOf(
  "Ana buys 4 * 12 = <<4*12=48>>48 pens.\nBen buys 48 / 2 = <<48/2=24>>24 pens.\n" +
    "They buy 48 + 24 = <<48+24=72>>72 pens.\nThey pay 72 * 2 = $<<72*2=144>>144.\n#### 144",
);
/** The rate of the last step is in the question, and so is the half: neither is a dependency. */
const example = <Name extends OperationName>(name: Name, seed = 1) =>
  annotatedExample(name, problem, problemGraph(problem, "question-first"), createRandom(seed));

describe("the examples of an annotated solution", () => {
  it("solve: steps without annotations, the answer, a program with a variable for each step", () => {
    expect(example("answer")!.completion).toBe("#### 144");
    expect(example("cot")!.completion).toBe(
      "Ana buys 4 * 12 = 48 pens.\nBen buys 48 / 2 = 24 pens.\nThey buy 48 + 24 = 72 pens.\nThey pay 72 * 2 = $144.\n#### 144",
    );
    const code = example("program")!
      .output.split("\n")
      .filter((line) => !line.includes("#"));
    expect(code).toEqual([
      "def solution():",
      "    step1 = 4 * 12",
      "    step2 = step1 / 2",
      "    step3 = step1 + step2",
      "    step4 = step3 * 2",
      "    return step4",
    ]);
  });

  it("are wrong by one slip that all later steps go on with, and say what it should be", () => {
    const steps = new Set<number>();
    for (let seed = 0; seed < 12; seed++) {
      const { input, output } = example("verify", seed)!;
      const lines = input.solution.split("\n");
      if (output.verdict === "right") {
        expect(lines.at(-1)).toBe("#### 144");
        continue;
      }
      const { step = -1, reason } = output;
      steps.add(step);
      expect(lines.at(-1)).not.toBe("#### 144");
      // Before the slip all is as it was; after it every calculation is right again.
      const results = lines.slice(0, -1).map((line) => {
        const [, left, operator, right, result] = /([\d.]+) ([*/+]) ([\d.]+) = \$?([\d.]+)/.exec(line)!;
        const [a, b] = [Number(left), Number(right)];
        return Number(result) === { "*": a * b, "/": a / b, "+": a + b }[operator as "*" | "/" | "+"];
      });
      expect(results.flatMap((isRight, at) => (isRight ? [] : at))).toEqual([step]);
      expect(reason).toBe(problem.steps[step]!.text);
    }
    expect(steps.size).toBeGreaterThan(1);
  });

  it("judge among answers of which one is right", () => {
    const { input, output } = example("judge")!;
    expect(input.answers[output.best]).toBe("144");
    expect(new Set(input.answers).size).toBe(input.answers.length);
  });

  it("there are none of a solution whose steps cannot be put as questions, or that ends elsewhere", () => {
    const other = problemOf("4 * 12 = <<4*12=48>>48\nSo 48 + 3 = <<48+3=51>>51\n#### 51");
    const graph = problemGraph(other);
    expect(annotatedExample("decompose", other, graph, createRandom(1))).toBeUndefined();
    expect(annotatedExample("cot", other, graph, createRandom(1))).toBeDefined();
    const broken = problemOf("They pay 3 * 3 = <<3*3=9>>9.\n#### 7");
    expect(annotatedExample("cot", broken, problemGraph(broken), createRandom(1))).toBeUndefined();
  });
});
