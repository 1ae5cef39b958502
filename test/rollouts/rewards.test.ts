import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LanguageModel } from "thoughtbook/llm";
import { askedModel, type Kind } from "thoughtbook/operations";
import {
  type Attempt,
  answerReward,
  collect,
  combine,
  formatReward,
  majorityReward,
  type Rollout,
  type Strategy,
} from "thoughtbook/rollouts";
import { cot } from "thoughtbook/strategies";
import { createTask, type Problem } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { SILENT } from "../eval/helpers.js";
import { scriptedModel } from "../operations/helpers.js";
import { interpretersOf } from "../sandbox/helpers.js";

const problem: Problem = { id: "p", question: "How much is 2 + 3?", kind: "gsm8k", references: ["5"] };
const attempt = (solution: string | undefined, sample = 0): Attempt => ({
  problem: "p",
  sample,
  text: solution ?? "…",
  solution,
  calls: [],
});
const group = ["#### 5", "#### 5.0", "#### 6", undefined, "no answer"].map(attempt);
const context = { model: scriptedModel(() => ""), seed: 0 };

describe("rewards", () => {
  it("of the answer are strict", async () => {
    expect(await answerReward(problem, group, context)).toEqual([1, 1, 0, 0, 0]);
  });

  it("of the format tell that there is an answer", async () => {
    expect(await formatReward(problem, group, context)).toEqual([1, 1, 1, 0, 0]);
  });

  it("of the majority are the share of the others that agree; equal answers vote together", async () => {
    expect(await majorityReward(problem, group, context)).toEqual([0.25, 0.25, 0, 0, 0]);
    expect(await majorityReward(problem, group.slice(0, 1), context)).toEqual([0]);
  });

  it("are combined with weights, which must be finite", async () => {
    const reward = combine({
      answer: { weight: 1, reward: answerReward },
      format: { weight: 0.1, reward: formatReward },
    });
    expect(await reward(problem, group, context)).toEqual([1.1, 1.1, 0.1, 0, 0]);
    expect(() => combine({})).toThrow(/no parts/);
    expect(() => combine({ a: { weight: Number.NaN, reward: answerReward } })).toThrow(/weight of a is NaN/);
    const broken = combine({ a: { weight: 1, reward: async () => [1] } });
    expect((await failure(broken(problem, group, context))).message).toMatch(/the reward a gave \[1\] for 5 attempts/);
  });
});

describe("rewards of functions", { timeout: 120_000 }, () => {
  const tests = "def check(candidate):\n    assert candidate(2) == 4\n";
  const code = { language: "python", prompt: "", entryPoint: "twice", tests } as const;
  const twice: Problem = { id: "p", question: "twice", kind: "code", references: [tests], code };
  const replies = ["def twice(n):\n    return 2 * n", "def twice(n):\n    return n", undefined];

  it("are those of their tests, run in the sandbox that collect opens", async () => {
    const strategy: Strategy = {
      name: "write",
      writesCode: true,
      attempt: async (_, { sample }) => ({ text: replies[sample] ?? "", solution: replies[sample] }),
    };
    const reward = combine({
      answer: { weight: 1, reward: answerReward },
      format: { weight: 1, reward: formatReward },
    });
    const options = { model: scriptedModel(() => ""), policy: "a", groupSize: 3, display: SILENT };
    const groups = collect(strategy, createTask("one", [twice]), reward, { ...options, sampling: { temperature: 1 } });
    const group = (await groups.next()).value!;
    await groups.return();
    expect(group.map(({ rewards }) => rewards)).toEqual([
      { answer: 1, format: 1 },
      { answer: 0, format: 1 },
      { answer: 0, format: 0 },
    ]);
    expect(interpretersOf(process.pid)).toEqual([]);
    expect(await majorityReward(twice, [replies[0], replies[0], replies[1]].map(attempt), context)).toEqual([
      0.5, 0.5, 0,
    ]);
    expect((await failure(answerReward(twice, group, context))).message).toMatch(/there is no sandbox/);
  });
});

describe("collect", () => {
  const strategy: Strategy = {
    name: "say",
    attempt: async ({ question }, { model, seed }) => {
      const { text } = (await model.generate([{ prompt: question, seed }]))[0]![0]!;
      return { text, solution: text };
    },
  };
  const task = createTask("one", [problem]);
  const collected = async (model: LanguageModel, options: object) => {
    const groups = collect(strategy, task, answerReward, { model, display: SILENT, ...options });
    return (await groups.next()).value as Rollout[];
  };

  it("needs a name for weights without a hash, a temperature for groups, whole numbers", async () => {
    const model = scriptedModel(() => "#### 5");
    expect((await failure(collected(model, { groupSize: 1 }))).message).toMatch(/no hash/);
    expect((await failure(collected(model, { policy: "a" }))).message).toMatch(/temperature 0/);
    expect((await failure(collected(model, { policy: "a", groupSize: 0 }))).message).toMatch(/groupSize is 0/);
    const one = await collected(model, { policy: "a", groupSize: 1, round: 2 });
    expect(one).toMatchObject([{ id: "a/2/p#0", policy: "a", round: 2, reward: 1, rewards: {}, solution: "#### 5" }]);
  });

  it("leaves out calls that were refused, and that the strategy went on after", async () => {
    const model = scriptedModel(() => "#### 5");
    const refusing: Strategy = {
      name: "refusing",
      attempt: async ({ question }, { model }) => {
        await model.generate([{ prompt: "first", temperature: 1 }]).catch(() => {});
        const { text } = (await model.generate([{ prompt: question }]))[0]![0]!;
        return { text, solution: text };
      },
    };
    const options = { model, policy: "a", groupSize: 1, display: SILENT };
    for await (const [rollout] of collect(refusing, task, answerReward, options)) {
      expect(rollout!.calls.map(({ prompt }) => prompt)).toEqual([problem.question]);
    }
  });

  it("completes a group that a kill cut, and keeps what is stored", async () => {
    const folder = await temporaryFolder();
    const options = { policy: "a", groupSize: 3, sampling: { temperature: 1 }, folder };
    const first = await collected(
      scriptedModel(() => "#### 5"),
      options,
    );
    const file = join(folder, "records.jsonl");
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, `${lines[0]}\n${lines[1]!.slice(0, 40)}`);
    const again = await collected(
      scriptedModel(() => "#### 6"),
      options,
    );
    expect(again[0]).toEqual(first[0]);
    expect(again.map(({ reward }) => reward)).toEqual([1, 0, 0]);
    const kept = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(kept.map((line) => JSON.parse(line))).toEqual(again);
  });

  it("refuses a store with rewards of other weights", async () => {
    const folder = await temporaryFolder();
    const model = scriptedModel(() => "#### 5");
    const weighted = (weight: number) => combine({ right: { weight, reward: answerReward } });
    const options = { model, policy: "a", groupSize: 1, folder, display: SILENT };
    const next = (weight: number) => collect(strategy, task, weighted(weight), options).next();
    expect((await next(1)).value).toMatchObject([{ reward: 1 }]);
    expect(await failure(next(2))).toMatchObject({ code: "bad-input", message: expect.stringContaining("weight") });
  });

  it("ends its line of progress when the caller leaves early", async () => {
    const shown: string[] = [];
    const display = { ...SILENT, finish: (line: string) => shown.push(line) };
    const options = { model: scriptedModel(() => "#### 5"), policy: "a", groupSize: 1, problemsAtOnce: 1, display };
    const two = createTask("two", [problem, { ...problem, id: "q" }]);
    for await (const _ of collect(strategy, two, answerReward, options)) break;
    expect(shown.join()).toMatch(/failed after 1/);
  });
});

it("rollouts of a model that is asked in a way of its kind keep what was begun, and another way is another store", async () => {
  const folder = await temporaryFolder();
  const kind = (begin: string): Kind => ({
    ...{ name: "own", models: [], hashes: [], tags: false },
    operations: { cot: { place: "user", begin, stop: [] } },
  });
  const scripted = scriptedModel(() => "5");
  const groups = async (begin: string) => {
    const model = await askedModel(scripted, { kind: kind(begin) });
    const options = { model, groupSize: 1, policy: "p", folder, display: SILENT };
    const found = [];
    const task = createTask("one", [{ id: "p", question: "Q?", kind: "gsm8k", references: ["5"] }]);
    for await (const group of collect(cot(), task, answerReward, options)) found.push(...group);
    return found;
  };
  const first = await groups("#### ");
  expect(first).toMatchObject([{ text: "5", begun: "#### ", solution: "#### 5", reward: 1 }]);
  expect(JSON.parse(JSON.stringify(await groups("#### ")))).toEqual(JSON.parse(JSON.stringify(first)));
  expect(scripted.calls).toHaveLength(1);
  await expect(groups("The answer is ")).rejects.toMatchObject({ code: "bad-input" });
});
