import {
  DOTS_SPACE,
  parseTrajectory,
  RELEASED_SPACE,
  type ReasoningAction,
  trajectoriesOf,
  trajectoryKey,
  trajectoryStrategy,
  withAction,
} from "thoughtbook/dots";
import { describe, expect, it } from "vitest";
import { acting, attempted, operationsAsked } from "./helpers.js";

describe("the space of actions", () => {
  it("has 12 trajectories of 1 to 3 actions, the shorter ones first", () => {
    const all = trajectoriesOf(DOTS_SPACE).map(trajectoryKey);
    expect(new Set(all).size).toBe(12);
    expect(all.slice(0, 2)).toEqual(["cot", "program"]);
    expect(trajectoriesOf(DOTS_SPACE).map(({ length }) => length)).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3]);
    // In the released code the last action, which is always taken, counts too.
    const released = trajectoriesOf(RELEASED_SPACE);
    expect(released).toHaveLength(12);
    expect([released[0]!.length, released.at(-1)!.length]).toEqual([2, 4]);
  });

  it("reads trajectories by the names that people and papers use", () => {
    expect(parseTrajectory(DOTS_SPACE, "plan+program")).toEqual(["plan", "program"]);
    expect(parseTrajectory(DOTS_SPACE, "PoT, Decompose, self-verification")).toEqual(["plan", "program", "verify"]);
    expect(parseTrajectory(DOTS_SPACE, "query rewriting")).toEqual(["rewrite", "cot"]);
    expect(() => parseTrajectory(DOTS_SPACE, "plan+guess")).toThrow(/no action "guess"/);
  });

  it("takes actions of one's own, in a layer of its own or beside others", async () => {
    const recall: ReasoningAction = {
      name: "recall",
      layer: "analysis",
      named: /^recall/i,
      about: "say what is known of such problems",
      act: async (state) => ({
        ...state,
        question: `${state.question} Add.`,
        turns: [{ action: "recall", text: "Add." }],
      }),
    };
    const space = withAction(DOTS_SPACE, recall);
    expect(trajectoriesOf(space)).toHaveLength(16);
    expect(trajectoriesOf(withAction(space, { ...recall, name: "doubt", layer: "last" }))).toHaveLength(32);
    const model = acting((_, content) => (content.endsWith("Add.") ? "3+4=7\n#### 7" : "#### 1"));
    const { solution, trace } = await attempted(trajectoryStrategy(["recall", "cot"], space), model);
    expect(solution).toBe("3+4=7\n#### 7");
    expect(trace).toMatchObject({ trajectory: ["recall", "cot"] });
    expect(() => withAction(space, recall)).toThrow(/already named "recall"/);
    expect(() => withAction(space, { ...recall, name: "a b" })).toThrow(/cannot be named "a b"/);
  });
});

describe("an attempt along a trajectory", () => {
  const model = (parts: Record<string, string | ((content: string) => string)>) =>
    acting((operation, content) => {
      const said = parts[operation!] ?? "";
      return typeof said === "function" ? said(content) : said;
    });

  it("solves the question as it was rewritten", async () => {
    const asked = model({
      rewrite: "<question>What is 3 + 4?</question>",
      cot: (content) => (content === "What is 3 + 4?" ? "#### 7" : "#### 0"),
    });
    const attempt = await attempted(trajectoryStrategy(["rewrite", "cot"]), asked);
    expect(attempt.solution).toBe("#### 7");
    expect(attempt.calls.map(({ operation }) => operation)).toEqual(["rewrite", "cot"]);
  });

  it("gives the plan to the solution, and asks the bare problem without one", async () => {
    const asked = model({
      plan: "1. Add the pens.",
      cot: (content) => (content.includes("Plan:\n1. Add the pens.") ? "#### 7" : "#### 1"),
    });
    expect((await attempted(trajectoryStrategy(["plan", "cot"]), asked)).solution).toBe("#### 7");
    expect((await attempted(trajectoryStrategy(["cot"]), asked)).solution).toBe("#### 1");
    // A plan that cannot be read leaves the question as it is.
    const without = await attempted(trajectoryStrategy(["plan", "cot"]), model({ plan: "Well.", cot: "#### 2" }));
    expect(without.solution).toBe("#### 2");
  });

  it("tells the model of a failing program once", async () => {
    const told: string[] = [];
    const asked = model({
      program(content) {
        told.push(content);
        return content.includes("This program failed:") ? "return 3 + 4;" : "return pens;";
      },
    });
    const attempt = await attempted(trajectoryStrategy(["program"]), asked);
    expect(attempt.solution).toBe("#### 7");
    expect(told).toHaveLength(2);
    expect(told[1]).toMatch(/return pens;\nError: .*pens is not defined/);
    expect(attempt.trace).toMatchObject({
      turns: [
        {
          action: "program",
          text: "return pens;",
          observed: expect.stringMatching(/^The program failed: .*not defined/),
        },
        { action: "program", text: "return 3 + 4;", observed: "The program returned 7." },
      ],
    });
    const never = model({ program: "return pens;" });
    const failed = await attempted(trajectoryStrategy(["program"]), never);
    expect(failed.solution).toBeUndefined();
    expect(failed.failure).toMatchObject({ kind: "error" });
    expect(operationsAsked(never)).toEqual(["program", "program"]);
  });

  it("checks and revises until nothing is found, at most twice", async () => {
    const asked = model({
      cot: "3+4=8\n#### 8",
      verify: (content) => (content.includes("#### 7") ? "right" : "wrong at step 1: 3+4=7"),
      revise: (content) => (content.includes("#### 8") ? "3+4=6\n#### 6" : "3+4=7\n#### 7"),
    });
    const attempt = await attempted(trajectoryStrategy(["cot", "verify"]), asked);
    expect(attempt.solution).toBe("3+4=7\n#### 7");
    expect(operationsAsked(asked)).toEqual(["cot", "verify", "revise", "verify", "revise"]);
    const right = model({ cot: "#### 7", verify: "right" });
    expect((await attempted(trajectoryStrategy(["cot", "verify"]), right)).solution).toBe("#### 7");
    expect(operationsAsked(right)).toEqual(["cot", "verify"]);
  });

  it("writes a solution anew where a program gave none, and shows the check what a program gave", async () => {
    const failing = model({ program: "return pens;", revise: "#### 7" });
    expect((await attempted(trajectoryStrategy(["program", "verify"]), failing)).solution).toBe("#### 7");
    const asked = model({
      program: "return 7;",
      verify: (content) => (/return 7;[\s\S]*#### 7/.test(content) ? "right" : "wrong"),
    });
    expect((await attempted(trajectoryStrategy(["program", "verify"]), asked)).solution).toBe("#### 7");
  });

  it("takes as many calls as the released code with its last action", async () => {
    const asked = model({ cot: "#### 7", program: "return 7;", verify: "right", answer: "#### 7" });
    const calls = async (actions: readonly string[]) =>
      (await attempted(trajectoryStrategy([...actions, "direct-answering"], RELEASED_SPACE), asked)).calls.length;
    expect([
      await calls(["cot"]),
      await calls(["program"]),
      await calls(["program", "verify"]),
      await calls(["cot", "verify"]),
    ]).toEqual([1, 2, 3, 3]);
    // A solution that the check refused is written anew instead.
    const wrong = model({ cot: "#### 8", verify: "wrong", revise: "#### 7" });
    const attempt = await attempted(trajectoryStrategy(["cot", "verify", "direct-answering"], RELEASED_SPACE), wrong);
    expect([attempt.calls.length, attempt.solution]).toEqual([3, "#### 7"]);
  });

  it("refuses an action that is not there", () => {
    expect(() => trajectoryStrategy(["guess"])).toThrow(/no action guess/);
  });
});
