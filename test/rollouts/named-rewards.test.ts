import { type Attempt, lengthReward, namedRewards, rewardSettings, verifierReward } from "thoughtbook/rollouts";
import type { Problem } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { scriptedModel } from "../operations/helpers.js";

const problem: Problem = { id: "p", question: "How much is 2 + 3?", kind: "gsm8k", references: ["5"] };
const attempt = (solution: string | undefined, completionTokens: number): Attempt => {
  const completion = { text: "", finishReason: "stop" as const, promptTokens: 1, completionTokens };
  return { problem: "p", sample: 0, text: "", solution, calls: [{ operation: "cot", prompt: "", completion }] };
};
const group = [attempt("2+3=5\n#### 5", 20), attempt("#### 6", 5), attempt(undefined, 0), attempt("#### 5", 80)];
const context = { model: scriptedModel(() => ""), seed: 0 };

describe("lengthReward", () => {
  it("falls with the tokens of an attempt that has an answer; an empty text is worth nothing", async () => {
    expect(await lengthReward(40)(problem, group, context)).toEqual([0.5, 0.875, 0, 0]);
    expect(rewardSettings(lengthReward(40))).toEqual({ most: 40 });
    expect(() => lengthReward(0)).toThrow("most");
  });
});

describe("verifierReward", () => {
  it("asks another model about each solution, once for equal ones, and never about none", async () => {
    const asked: string[] = [];
    const verifier = scriptedModel((request) => {
      const prompt = JSON.stringify(request.prompt);
      asked.push(prompt);
      return prompt.includes("#### 6") ? "2+3=5\nwrong at step 1: 2+3=5" : "right";
    });
    const doubled = [...group, attempt("#### 6", 9)];
    expect(await verifierReward(verifier)(problem, doubled, context)).toEqual([1, 0, 0, 1, 0]);
    expect(asked).toHaveLength(3);
    expect(await verifierReward(verifier)(problem, [attempt(undefined, 3)], context)).toEqual([0]);
    expect(asked).toHaveLength(3);
  });

  it("approves of nothing without a verdict", async () => {
    expect(await verifierReward(scriptedModel(() => "hm"))(problem, group, context)).toEqual([0, 0, 0, 0]);
  });
});

describe("namedRewards", () => {
  it("adds up rewards by their names, in one order however they are given", async () => {
    const means = { most: 40, verifier: scriptedModel(() => "right") };
    const reward = namedRewards({ length: 2, answer: 1 }, means);
    expect(await reward(problem, group, context)).toEqual([2, 1.75, 0, 1]);
    expect(Object.keys(reward.parts)).toEqual(["answer", "length"]);
    expect(rewardSettings(reward)).toEqual({ parts: { answer: { weight: 1 }, length: { weight: 2, most: 40 } } });
  });

  it("refuses unknown names, no names, and weights that are no numbers", () => {
    const means = { most: 40, verifier: scriptedModel(() => "") };
    expect(() => namedRewards({ anser: 1 } as never, means)).toThrow("anser");
    expect(() => namedRewards({}, means)).toThrow("no parts");
    expect(() => namedRewards({ answer: Number.NaN }, means)).toThrow("answer");
  });
});
