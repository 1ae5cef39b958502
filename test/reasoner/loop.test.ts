import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder } from "thoughtbook/core";
import { loadLocalModel } from "thoughtbook/llm";
import { finetuneSolutions, type LoopSettings, loadValueHead, runLoop, runSearch } from "thoughtbook/reasoner";
import { loadTask } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";

const SILENT = { show() {}, finish() {}, log() {} };
const SETTINGS: LoopSettings = {
  ...{ task: "word-problems:2", heldOut: "word-problems:2", rounds: 1, tasks: 4, pool: 8, samples: 3, learner: "bc" },
  ...{ heldOutTasks: 4, maxNewTokens: 48, epochs: 1, batchSize: 8 },
};
const loop = (folder: string, settings: Partial<LoopSettings> = {}, more: object = {}) =>
  runLoop({
    model: "mini-base",
    folder,
    seed: 1,
    settings: { ...SETTINGS, ...settings },
    display: SILENT,
    threads: 1,
    ...more,
  });

describe("the loop", () => {
  it("records every round, goes on after a stop in the middle, and ends with the same numbers", {
    timeout: 600_000,
  }, async () => {
    const [whole, stopped] = [await temporaryFolder(), await temporaryFolder()];
    const expected = await loop(whole, { rounds: 2 });
    expect(expected.rounds.map(({ round }) => round)).toEqual([0, 1, 2]);
    const [before, first, second] = expected.rounds;
    expect(before!.collected).toBeUndefined();
    expect(first).toMatchObject({ collected: { tasks: 4, attempts: 12 }, heldOut: { problems: 4 } });
    expect(second!.store!.attempts).toBe(24);
    expect(second!.store!.differentRight).toBeGreaterThanOrEqual(first!.store!.differentRight);
    // Held-out tasks are of another split.
    const solutions = await readFile(join(whole, "store", "solutions.jsonl"), "utf8");
    expect(solutions).not.toMatch(/"task":"[^"]*\/test\//);
    const stop = new AbortController();
    const error = await failure(
      loop(
        stopped,
        { rounds: 2 },
        { signal: stop.signal, onRound: ({ round }: { round: number }) => round === 1 && stop.abort() },
      ),
    );
    expect(error.code).toBe("interrupted");
    const again = await loop(stopped, { rounds: 2 });
    expect(again.rounds).toEqual(expected.rounds);
    expect(await readFile(join(stopped, "store", "solutions.jsonl"), "utf8")).toBe(solutions);
    // Finished rounds are only read.
    expect((await loop(stopped, { rounds: 2 })).rounds).toEqual(expected.rounds);
    expect((await failure(loop(stopped, { rounds: 2, samples: 2 }))).message).toContain("samples");
  });

  it.each(["weighted", "dpo", "ppo", "grpo", "gold"] as const)(
    "learns by %s",
    { timeout: 600_000 },
    async (learner) => {
      const folder = await temporaryFolder();
      const { rounds } = await loop(folder, {
        learner,
        task: "word-problems:4",
        samples: 4,
        updates: 1,
        passes: 1,
        maxNewTokens: 80,
      });
      expect(rounds[1]!.learned).toMatchObject({ updates: expect.any(Number) });
      expect(rounds[1]!.learned!.examples).toBeGreaterThan(0);
      const { place } = JSON.parse(await readFile(join(folder, "rounds", "1", "round.json"), "utf8")).result;
      expect(place.kind).toBe("weights");
    },
  );

  it("collects by a search, and trains an adapter", { timeout: 600_000 }, async () => {
    const folder = await temporaryFolder();
    const { rounds } = await loop(folder, { search: "revision", budget: 120, samples: 1, lora: 2 });
    expect(rounds[1]!.store!.attempts).toBeGreaterThan(4);
    expect(rounds[1]!.learned!.examples).toBeGreaterThan(0);
    const { place } = JSON.parse(await readFile(join(folder, "rounds", "1", "round.json"), "utf8")).result;
    expect(place.kind).toBe("adapter");
  });

  it("refuses what would measure nothing, before any work", async () => {
    const folder = await temporaryFolder();
    const wrong: [Partial<LoopSettings>, RegExp][] = [
      [{ heldOutSplit: "train" }, /held out/],
      [{ tasks: 9, pool: 8 }, /pool/],
      [{ learner: "ppo", search: "mcts" }, /samples of the policy/],
      [{ learner: "grpo", samples: 1 }, /samples is 1/],
      [{ rounds: 0 }, /rounds/],
      [{ heldOut: "word-problems:2", heldOutSplit: "new" }, /new/],
    ];
    for (const [settings, message] of wrong) expect((await failure(loop(folder, settings))).message).toMatch(message);
  });
});

describe("a value head", () => {
  it("is fitted on aggregated solutions and values beginnings in a tree", { timeout: 600_000 }, async () => {
    const [folder, data] = [await temporaryFolder(), join(dataFolder(), "reasoner", "example-run")];
    const done = await finetuneSolutions({
      model: "mini-base",
      data,
      learner: "value",
      settings: { epochs: 2 },
      folder,
      display: SILENT,
    });
    expect(done.kind).toBe("value_head.json");
    const model = await loadLocalModel("mini-base");
    const head = await loadValueHead(folder, model);
    const task = await loadTask("word-problems:3", { limit: 2 });
    const [problem] = task.problems;
    const [short, long] = await head.values(problem!, ["", problem!.solution!.split("\n").slice(0, -1).join("\n")]);
    expect([short, long].every(Number.isFinite)).toBe(true);
    expect(short).not.toBe(long);
    const { records } = await runSearch(task, {
      ...{
        model,
        settings: { search: "mcts", value: "head", budget: 100 },
        parts: { head: head.values },
        maxNewTokens: 64,
      },
    });
    expect(records.every(({ candidates }) => candidates.length > 0)).toBe(true);
    await head.dispose();
    await model.dispose();
    expect((await failure(loadValueHead(await temporaryFolder(), model))).code).toBe("not-found");
  });
});
