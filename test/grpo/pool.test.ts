import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  dropWorst,
  instructed,
  type OptimizeInstructionsOptions,
  optimizeInstructions,
  scoreArms,
} from "thoughtbook/grpo";
import type { ChatPrompt, LanguageModel, TextRequest } from "thoughtbook/llm";
import { answerReward } from "thoughtbook/rollouts";
import { createTask } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { SILENT } from "../train/helpers.js";

describe("scoreArms", () => {
  it("compares arms on the same problems; where all are equal, nothing is said", () => {
    const scores = scoreArms({
      a: [
        [1, 1],
        [1, 1],
      ],
      b: [
        [1, 1],
        [0, 0],
      ],
    });
    const [a, b] = scores;
    expect(a).toMatchObject({ name: "a", reward: 1, attempts: 4 });
    expect(b).toMatchObject({ name: "b", reward: 0.5, attempts: 4 });
    // The group [1, 1, 0, 0] has advantages of ±0.866, the other one none.
    expect(a!.advantage).toBeCloseTo(0.433, 3);
    expect(b!.advantage).toBeCloseTo(-0.433, 3);
  });

  it("weighs a hard problem, which few arms solve, as much as an easy one", () => {
    // By their rewards both are equal; b solves what no other one does.
    const rewards = { a: [[1], [0]], b: [[0], [1]], c: [[1], [0]], d: [[1], [0]] };
    const [a, b] = scoreArms(rewards);
    expect(a!.reward).toBe(b!.reward);
    expect(b!.advantage).toBeCloseTo(0, 9);
    expect(a!.advantage).toBeCloseTo(0, 9);
    expect(() => scoreArms({ a: [[1]], b: [] })).toThrow("problems");
  });
});

describe("dropWorst", () => {
  const scores = [0.1, 0.4, -0.2, 0.1].map((advantage, at) => ({
    name: "abcd"[at]!,
    advantage,
    reward: 0,
    attempts: 1,
  }));

  it("keeps the best, of equal ones the earlier, at least one and not all", () => {
    const kept = (share?: number) => dropWorst(scores, share).map(({ name }) => name);
    expect(kept()).toEqual(["b", "a"]);
    expect(kept(0.75)).toEqual(["b", "a", "d"]);
    expect(kept(0.99)).toEqual(["b", "a", "d"]);
    expect(kept(0.01)).toEqual(["b"]);
    expect(() => kept(1)).toThrow("keep");
  });
});

/** A model that answers right as often as its instruction says in percent; counts its texts. */
function scripted(): LanguageModel & { asked: TextRequest[] } {
  const asked: TextRequest[] = [];
  return {
    asked,
    name: "scripted",
    capabilities: new Set(["text", "chat"]),
    contextLength: undefined,
    parameterCount: undefined,
    hash: async () => "scripted",
    async generate(requests) {
      return requests.map((request) => {
        asked.push(request);
        const { messages } = request.prompt as ChatPrompt;
        const share = Number(/\d+/.exec(messages.at(-1)!.content)![0]);
        const seed = String(request.seed);
        const draw = [...seed].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 9973, 7) % 100;
        const text = `Easy.\n#### ${draw < share ? 12 : 5}`;
        return [{ text, finishReason: "stop" as const, promptTokens: 3, completionTokens: 3 }];
      });
    },
    score: async () => [],
    countTokens: async () => 3,
    dispose: async () => {},
  };
}

const arms = [20, 90, 40, 60].map((share) => instructed({ name: `p${share}`, instruction: `${share} percent` }));
const task = createTask(
  "twelves",
  Array.from({ length: 40 }, (_, at) => ({
    id: `t${at}`,
    question: `Question ${"x".repeat(at)}`,
    kind: "math" as const,
    references: ["12"],
  })),
);
const run = (options: Partial<OptimizeInstructionsOptions> & Pick<OptimizeInstructionsOptions, "model" | "folder">) =>
  optimizeInstructions({
    ...{ arms, task, reward: answerReward, groupSize: 3, sampling: { temperature: 1 }, seed: 1, display: SILENT },
    ...options,
  });

describe("optimizeInstructions", () => {
  it("ends with the best arm, and measures what is left on more and other problems", async () => {
    const model = scripted();
    const rounds = await run({ model, folder: await temporaryFolder() });
    expect(rounds.map(({ kept }) => kept.length)).toEqual([2, 1]);
    expect(rounds.at(-1)!.kept).toEqual(["p90"]);
    expect(rounds.map(({ problems }) => problems)).toEqual([8, 16]);
    expect(rounds[0]!.scores.map(({ name }) => name)).toEqual(["p20", "p90", "p40", "p60"]);
    // The same number of attempts in each round.
    expect(model.asked).toHaveLength(2 * 4 * 8 * 3);
  });

  it("attempts nothing again that is stored, and repeats exactly", async () => {
    const folder = await temporaryFolder();
    const first = scripted();
    const rounds = await run({ model: first, folder });
    const again = scripted();
    expect(await run({ model: again, folder })).toEqual(rounds);
    expect(again.asked).toEqual([]);
    // One arm's store is lost: only its attempts are made again.
    await rm(join(folder, "arm-0"), { recursive: true });
    const partly = scripted();
    expect(await run({ model: partly, folder })).toEqual(rounds);
    expect(partly.asked).toHaveLength(8 * 3);
  });

  it("stops after the rounds that were asked for", async () => {
    const rounds = await run({ model: scripted(), folder: await temporaryFolder(), rounds: 1, keep: 0.75 });
    expect(rounds.map(({ kept }) => kept.length)).toEqual([3]);
  });

  it("refuses a pool of one, and equal names", async () => {
    const folder = await temporaryFolder();
    for (const own of [[arms[0]!], [arms[0]!, arms[0]!]]) {
      expect(await failure(() => run({ model: scripted(), folder, arms: own }))).toMatchObject({ code: "bad-input" });
    }
  });

  it("puts demonstrations before the question, as turns", async () => {
    const model = scripted();
    const demonstrations = [{ question: "How many?", solution: "3+4=7\n#### 7" }];
    const shown = instructed({ name: "shown", instruction: "50 percent", demonstrations });
    await run({ model, folder: await temporaryFolder(), arms: [shown, arms[0]!], rounds: 1 });
    const { messages } = model.asked[0]!.prompt as ChatPrompt;
    expect(messages.slice(0, 2)).toEqual([
      { role: "user", content: "50 percent\n\nHow many?" },
      { role: "assistant", content: "3+4=7\n#### 7" },
    ]);
    expect(messages[2]!.content).toMatch(/^50 percent\n\nQuestion/);
  });
});
