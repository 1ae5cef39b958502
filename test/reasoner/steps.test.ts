import { readFileSync } from "node:fs";
import { join } from "node:path";
import { auc, firstWrongStep, stepReward, stepScore } from "thoughtbook/reasoner";
import { gradeCompletion } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";

const STEPS = [
  { expression: "3+4", value: "7" },
  { expression: "7*2", value: "14" },
  { expression: "14-5", value: "9" },
  { expression: "9*10", value: "90" },
];

describe("the partial reward", () => {
  it("is that of the specification", () => {
    const half = "3 + 4 = 7\n7*2=14";
    const whole = `${half}\n14 − 5 = 9\n9 × 10 = $90`;
    expect(stepScore(half, STEPS, false).reward).toBe(0.25);
    expect(stepScore(half, STEPS, true).reward).toBe(0.75);
    expect(stepScore(whole, STEPS, true)).toEqual({ wanted: 4, matched: 4, reward: 1 });
    expect(stepScore("", STEPS, false, 1).reward).toBe(0);
    expect(stepScore("anything", [], true).reward).toBe(0.5);
  });

  it("gives nothing for numbers that are only written down, wrong arithmetic, or steps in another order", () => {
    for (const text of [
      "7, 14, 9, 90",
      "7=7 14=14 9=9 90=90",
      "The steps are 7 and 14.",
      "3+5=7, 7*3=14, 14-4=9, 9*9=90",
    ])
      expect([text, stepScore(text, STEPS, false).matched]).toEqual([text, 0]);
    expect(stepScore("9*10=90, 14-5=9, 7*2=14, 3+4=7", STEPS, false).matched).toBe(1);
    // Further steps cost nothing, and other ways to the same value count.
    expect(stepScore("1+1=2, 4+3=7, 5+5=10, 2*7=14", STEPS, false).matched).toBe(2);
    expect(stepScore("She has <<3+4=7>>7, then <<7*2=14.0>>14.", STEPS, false).matched).toBe(2);
    expect(stepScore("\\(3 + 4 = 7\\) and 7 \\times 2 = 14 and 1,400/100=14", STEPS, false).matched).toBe(2);
  });

  it("names the first wrong step without what it should be", () => {
    expect(firstWrongStep("A has 3+4=7.\n\nB has 7*2=15.\n#### 15")).toBe(1);
    expect(firstWrongStep("A has 3+4=7.\nB has 7*2=14.")).toBeUndefined();
    // Right arithmetic, but not what the reference computes.
    expect(firstWrongStep("A has 3+4=7.\nB has 7*3=21.", STEPS)).toBe(1);
  });

  it("refuses a weight out of range", async () => {
    expect((await failure(() => stepReward({ lambda: 2 }))).message).toContain("lambda");
  });
});

describe("auc", () => {
  it("is the probability that a right one is scored higher, ties half", async () => {
    expect(auc([1, 2, 3, 4], [false, false, true, true])).toBe(1);
    expect(auc([4, 3, 2, 1], [false, false, true, true])).toBe(0);
    expect(auc([1, 1, 1, 1], [false, true, false, true])).toBe(0.5);
    expect(auc([1, 2, 2, 3], [false, true, false, true])).toBe(0.875);
    expect(auc([1, 2], [true, true])).toBeUndefined();
    expect((await failure(() => auc([1], []))).message).toContain("labels");
  });
});

describe("on OpenAI's labelled solutions of GSM8K", () => {
  const folder = process.env.THOUGHTBOOK_DATA;
  const file = folder === undefined ? "" : join(folder, "sampled_solutions", "openai_example_model_solutions.jsonl");

  it("steps alone tell right solutions from wrong ones", () => {
    if (!folder) return console.log("skipped: set THOUGHTBOOK_DATA to measure the step reward on labelled solutions");
    const rows = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const [scores, whole, labels]: [number[], number[], boolean[]] = [[], [], []];
    for (const row of rows) {
      const steps = [...row.ground_truth.matchAll(/<<([^<>=]+)=([^<>=]+)>>/g)].map(([, expression, value]) => ({
        expression,
        value: value.replaceAll(",", ""),
      }));
      const answer = /A: (.*)$/m.exec(row.ground_truth)![1]!;
      for (const name of ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]) {
        const { is_correct: label, solution } = row[name];
        const text = solution.replace(/^A: /m, "#### ");
        const problem = { id: "1", question: "", kind: "gsm8k" as const, references: [answer] };
        const right = gradeCompletion(problem, text, text).correct.strict ?? false;
        labels.push(label);
        scores.push(stepScore(text, steps, false, 1).reward);
        whole.push(stepScore(text, steps, right).reward);
      }
    }
    expect(labels).toHaveLength(1319 * 4);
    const [steps, both] = [auc(scores, labels)!, auc(whole, labels)!];
    console.log(`AUC against is_correct: steps alone ${steps.toFixed(4)}, with the final answer ${both.toFixed(4)}`);
    expect(steps).toBeGreaterThan(0.9);
    expect(both).toBeGreaterThan(0.98);
  });
});
