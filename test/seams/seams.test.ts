import { readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate } from "thoughtbook/eval";
import { createLocalModel, loadLocalModel } from "thoughtbook/llm";
import { loadTokenizer, openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
import { collect, combine, formatReward, type Rollout } from "thoughtbook/rollouts";
import { createTask, type Task } from "thoughtbook/tasks";
import { onPolicySource, type TrainingRecord, train } from "thoughtbook/train";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/helpers.js";
import { SILENT } from "../eval/helpers.js";
import { batchOf, reinforce, shareOfE, shorterOfTwo } from "./toys.js";

const BEGINNINGS = ["Tom has 3 apples.", "A box holds 4 pens.", "Mia reads 5 pages", "The shop sold"];
let task: Task;
let folder: string;
let model: Awaited<ReturnType<typeof loadLocalModel>>;

beforeAll(async () => {
  folder = await resolveModel("mini-scorer");
  model = await loadLocalModel(folder);
  task = createTask(
    "beginnings",
    BEGINNINGS.map((question, at) => ({ id: `text/${at}`, question, kind: "words", references: ["pens"] })),
  );
});

const groupsOf = async (generator: AsyncGenerator<Rollout[]>): Promise<Rollout[][]> => {
  const groups: Rollout[][] = [];
  for await (const group of generator) groups.push(group);
  return groups;
};

describe("what is added from outside of lib/", () => {
  it("takes less than 60 lines for a strategy, a reward and an objective", () => {
    const lines = readFileSync(join(import.meta.dirname, "toys.ts"), "utf8").split("\n");
    const isCode = (line: string) => line.trim() !== "" && !/^\s*(\/\/|\/\*\*|\*)/.test(line);
    const own = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith("/** Rollouts as a batch")),
    );
    expect(own.filter(isCode).length).toBeLessThan(60);
  });

  it("a strategy is evaluated, and its record holds both calls", async () => {
    const options = { model, budgets: [8, 16], temperature: 1, seed: 3, display: SILENT } as const;
    const { records, summary } = await evaluate(shorterOfTwo, task, { ...options, logProbs: true });
    expect(records).toHaveLength(8);
    for (const { calls, budget, completionTokens, completion, logProb } of records) {
      expect(calls.map(({ operation }) => operation)).toEqual(["generate", "generate"]);
      expect(completionTokens).toBe(calls.reduce((sum, call) => sum + call.completionTokens, 0));
      for (const call of calls) {
        expect(call.completionTokens).toBeLessThanOrEqual(budget);
        expect(call.logProbs).toHaveLength(call.completionTokens);
        expect(call.ids).toHaveLength(call.completionTokens);
      }
      expect(calls.some(({ text }) => text === undefined)).toBe(true);
      expect(calls.every(({ text = completion }) => text.length >= completion.length)).toBe(true);
      expect(logProb).toBeLessThan(0);
    }
    expect(summary).toMatchObject({ strategy: "shorter-of-two", problems: 4 });
    expect(summary.budgets[1]).toMatchObject({ calls: 2 });
    expect((await evaluate(shorterOfTwo, task, { ...options, logProbs: true })).records).toEqual(records);
  });

  it("a reward is collected in groups, stored whole and not again", async () => {
    const place = await temporaryFolder();
    const options = { model, groupSize: 3, maxNewTokens: 12, sampling: { temperature: 1 }, seed: 1, display: SILENT };
    const reward = combine({ e: { weight: 1, reward: shareOfE }, format: { weight: 0.5, reward: formatReward } });
    const groups = await groupsOf(
      collect(shorterOfTwo, task, reward, { ...options, folder: place, problemsAtOnce: 2 }),
    );
    expect(groups.map((group) => group.length)).toEqual([3, 3, 3, 3]);
    for (const { reward, rewards, calls, trace } of groups.flat()) {
      expect(reward).toBeCloseTo(rewards.e! + 0.5 * rewards.format!, 12);
      expect(calls).toHaveLength(2);
      expect(trace).toEqual(calls.map(({ completion }) => completion.text.length));
    }
    expect(new Set(groups.flat().map(({ text }) => text)).size).toBeGreaterThan(8);
    const store = join(place, "records.jsonl");
    const bytes = readFileSync(store, "utf8");
    const silent = { ...model, generate: () => Promise.reject(new Error("asked again")) };
    const again = await groupsOf(collect(shorterOfTwo, task, reward, { ...options, model: silent, folder: place }));
    expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(groups)));
    expect(readFileSync(store, "utf8")).toBe(bytes);
  });

  it("an objective is trained on what the policy itself writes, and moves it", async () => {
    const checkpoint = await openCheckpoint(folder);
    const parameters = await readParameters(checkpoint);
    const { config } = checkpoint;
    const tokenizer = await loadTokenizer(folder);
    const run = async (steps: number) => {
      const records: TrainingRecord[] = [];
      const rewards: number[] = [];
      const source = onPolicySource<typeof reinforce.spec>({
        fingerprint: { task: task.settings },
        steps,
        async next(step, snapshot) {
          const policy = createLocalModel({
            name: "policy",
            config,
            host: { config, weights: snapshot.parameters },
            tokenizer,
          });
          const sampling = { temperature: 1 };
          const asked = { model: policy, policy: `step ${step}`, groupSize: 6, maxNewTokens: 12, sampling, seed: step };
          const groups = await groupsOf(collect(shorterOfTwo, task, shareOfE, { ...asked, display: SILENT }));
          const all = groups.flat();
          rewards.push(all.reduce((sum, { reward }) => sum + reward, 0) / all.length);
          await policy.dispose();
          return [{ tensors: batchOf(all, 24), tokens: 24 * all.length }];
        },
      });
      await train({
        model: { config, parameters },
        objective: reinforce,
        source,
        settings: { seed: 1, learningRate: 2e-3, warmup: 0, schedule: "constant" },
        folder: await temporaryFolder(),
        threads: 1,
        display: SILENT,
        onRecord: (record) => records.push(record),
      });
      return { records, rewards };
    };
    const { records, rewards } = await run(8);
    expect(records.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(rewards.slice(-3))).toBeGreaterThan(1.15 * mean(rewards.slice(0, 2)));
    expect((await run(2)).records).toEqual(records.slice(0, 2));
  }, 120_000);
});
