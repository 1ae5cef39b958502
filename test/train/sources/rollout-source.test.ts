import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readJsonl } from "thoughtbook/core";
import { openSafetensors, readFloats } from "thoughtbook/model";
import { askedModel, askingSettings } from "thoughtbook/operations";
import type { Rollout, Strategy } from "thoughtbook/rollouts";
import {
  type GrpoOptions,
  grpo,
  type PolicyText,
  policyModel,
  ppo,
  type RolloutSourceOptions,
  rolloutSource,
  type Trainable,
  type TrainingRecord,
} from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { TINY, tinyParameters } from "../helpers.js";
import { idTask, ROLLOUTS, tinyModel, trainTiny, twoCalls } from "./policies.js";

const SETTINGS = { seed: 1, learningRate: 0.02, schedule: "constant", warmup: 0, weightDecay: 0 } as const;
type Options = Partial<RolloutSourceOptions<ReturnType<typeof grpo>["spec"]>>;

async function run(
  options: Options & { given?: GrpoOptions; run?: string; trainable?: Trainable; stopAfter?: number; listen?: boolean },
) {
  const { given, run: folder = await temporaryFolder(), trainable = "all", stopAfter, listen, ...rest } = options;
  const objective = grpo(given);
  const records: TrainingRecord[] = [];
  const controller = new AbortController();
  const result = await trainTiny({
    objective,
    source: rolloutSource({
      ...{ ...ROLLOUTS, objective, model: tinyModel(), task: idTask(6), seed: 4, threads: 1 },
      ...{ folder: join(folder, "source"), collections: 2, problems: 3, passes: 2, updates: 2 },
      ...rest,
    }),
    trainable,
    settings: SETTINGS,
    folder,
    ...(listen ? {} : { signal: controller.signal }),
    onRecord: (record) => {
      records.push(record);
      if (record.step === stopAfter) controller.abort();
    },
  });
  const { seconds: _, ...timeless } = result;
  return { result: timeless, records, folder };
}

const rolloutsOf = async (folder: string): Promise<Rollout[]> => {
  const rollouts: Rollout[] = [];
  for await (const { value } of readJsonl(join(folder, "source", "rollouts", "records.jsonl"))) {
    rollouts.push(value as Rollout);
  }
  return rollouts;
};

describe("rolloutSource", () => {
  it("attempts problems with the weights of then, and learns from a collection several times", async () => {
    const { records, folder } = await run({ given: { beta: 0.1 } });
    expect(records.map(({ step, epoch }) => [step, epoch])).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((step) => [step, step < 5 ? 1 : 2]),
    );
    const rollouts = await rolloutsOf(folder);
    expect(rollouts).toHaveLength(2 * 3 * 6);
    // Each problem once an epoch.
    expect(new Set(rollouts.map(({ problem }) => problem)).size).toBe(6);
    const first = rollouts.filter(({ round }) => round === 0);
    const { metrics } = records[0]!;
    expect(metrics!.reward).toBeCloseTo(first.reduce((sum, { reward }) => sum + reward, 0) / 18, 9);
    expect(metrics).toMatchObject({ truncated: expect.any(Number), equalGroups: expect.any(Number) });
    expect(metrics!.completionTokens).toBeGreaterThan(2);
    // At first the policy is what it was when it wrote, and the reference; later it has moved.
    expect(metrics!.clipFraction).toBe(0);
    expect(metrics!.kl).toBeCloseTo(0, 6);
    expect(metrics!.entropy).toBeGreaterThan(2);
    expect(metrics!.entropy).toBeLessThan(Math.log(20));
    expect(records[7]!.metrics!.kl).toBeGreaterThan(1e-4);
    expect(Math.max(...records.map((each) => each.metrics!.clipFraction!))).toBeGreaterThan(0);
  });

  it("takes as old probabilities those that the tokens were sampled with", async () => {
    const { folder } = await run({ collections: 1, passes: 1, updates: 1 });
    const file = await openSafetensors(join(folder, "source", "prepared-0.safetensors"));
    const sampled = (await rolloutsOf(folder)).flatMap(({ calls }) =>
      calls.flatMap(({ completion }) => completion.tokens!.logProbs),
    );
    const old = await readFloats(file, "old");
    expect(old).toHaveLength(sampled.length);
    for (const [at, value] of sampled.entries()) expect(Math.abs(value - old[at]!)).toBeLessThan(1e-4);
  });

  it.each<[string, Trainable]>([
    ["all weights", "all"],
    ["an adapter", { lora: { rank: 2 } }],
  ])("goes on in the middle of a collection as if it had not stopped: %s", async (_, trainable) => {
    const given = { beta: 0.05, temperature: 0.9 };
    const whole = await run({ given, trainable });
    for (const stopAfter of [2, 4, 7]) {
      const folder = await temporaryFolder();
      expect(await failure(() => run({ given, trainable, run: folder, stopAfter }))).toMatchObject({
        code: "interrupted",
      });
      const again = await run({ given, trainable, run: folder });
      expect(again.result).toEqual(whole.result);
      expect(again.records).toEqual(whole.records);
    }
    // What the policy wrote then cannot be evaluated again with the weights of now.
    const folder = await temporaryFolder();
    await failure(() => run({ given, trainable, run: folder, stopAfter: 6 }));
    await rm(join(folder, "source", "prepared-1.safetensors"));
    expect(await failure(() => run({ given, trainable, run: folder }))).toMatchObject({ code: "corrupt-data" });
  });

  it("is stopped in the middle of a collection, keeps the updates before it and goes on", async () => {
    const whole = await run({});
    const folder = await temporaryFolder();
    let attempts = 0;
    const stopped: Strategy = {
      ...twoCalls,
      async attempt(problem, context) {
        // In the second collection.
        if (++attempts === 25) process.emit("SIGINT");
        return twoCalls.attempt(problem, context);
      },
    };
    expect(await failure(() => run({ strategy: stopped, run: folder, problemsAtOnce: 1, listen: true }))).toMatchObject(
      {
        code: "interrupted",
      },
    );
    expect(attempts).toBeLessThan(36);
    const again = await run({ run: folder });
    expect(again.records).toEqual(whole.records);
    expect(again.result).toEqual(whole.result);
  });

  it("does not learn from the rollouts of other weights that lie in the folder", async () => {
    const source = join(await temporaryFolder(), "source");
    const first = await run({ folder: source });
    const other = { seed: 9, model: tinyModel(), given: { beta: 0.5, epsilon: 0.01 } };
    const [mixed, alone] = [await run({ ...other, seed: 4, folder: source }), await run({ ...other, seed: 4 })];
    expect(mixed.result).toEqual(alone.result);
    expect(mixed.result).not.toEqual(first.result);
  });

  it.each<[string, GrpoOptions, Trainable]>([
    ["grpo", {}, "all"],
    ["dr_grpo with clip-higher", { lossType: "dr_grpo", scaleRewards: "none", epsilonHigh: 0.28 }, "all"],
    ["dapo", { lossType: "dapo" }, "all"],
    ["texts' ratios", { level: "sequence" }, "all"],
  ])("raises the reward: %s", async (_, given, trainable) => {
    const often = { collections: 25, passes: 1, updates: 1, groupSize: 8 };
    const { records } = await run({ given, trainable, ...often });
    const rewards = records.map(({ metrics }) => metrics!.reward!);
    expect(rewards[0]!).toBeLessThan(0.2);
    expect(rewards.at(-1)!).toBeGreaterThan(rewards[0]! + 0.3);
  });

  it("raises the reward with a value head and an entropy bonus: ppo", async () => {
    const objective = ppo({ valueCoefficient: 0.5, entropyCoefficient: 0.001, klCoefficient: 0.01 });
    const records: TrainingRecord[] = [];
    const { extra } = await trainTiny({
      objective,
      source: rolloutSource({
        ...{ ...ROLLOUTS, objective, model: tinyModel(), task: idTask(6), folder: await temporaryFolder() },
        ...{ collections: 25, problems: 3, groupSize: 8, passes: 2, seed: 4, threads: 1 },
      }),
      settings: SETTINGS,
      onRecord: (record) => records.push(record),
    });
    expect(Object.keys(extra!).sort()).toEqual(["value.bias", "value.weight"]);
    const of = (name: string) => records.map(({ metrics }) => metrics![name]!);
    expect(of("reward").at(-1)!).toBeGreaterThan(of("reward")[0]! + 0.3);
    expect(of("kl").at(-1)!).toBeGreaterThan(0);
    // The head has come to expect rewards.
    expect(extra!["value.bias"]!.data[0]).toBeGreaterThan(0.05);
  });

  it("leaves out attempts that were cut off, if asked to", async () => {
    const once = { collections: 1, passes: 1, updates: 1, groupSize: 12, maxNewTokens: 10 };
    const [all, ended] = [await run(once), await run({ ...once, given: { maskTruncated: true } })];
    expect(all.records[0]!.metrics!.truncated).toBeGreaterThan(0);
    expect(ended.records[0]!.tokens).toBeLessThan(all.records[0]!.tokens);
    expect(ended.records[0]!.tokens).toBeGreaterThan(0);
    // Where no text has ended, the run goes on and changes nothing.
    const short = { task: idTask(1), problems: 1, groupSize: 2, maxNewTokens: 1, seed: 6 };
    const none = await run({ ...once, ...short, given: { maskTruncated: true } });
    expect(none.records[0]!.metrics!.truncated).toBe(1);
    expect(none.records[0]!.gradientNorm).toBeLessThan(1e-7);
  });

  it("changes nothing where all rewards are equal", async () => {
    const constant = async (_: unknown, group: readonly unknown[]) => group.map(() => 1);
    const { result, records } = await run({ reward: constant, collections: 1, passes: 1, updates: 2 });
    expect(records[0]!.metrics).toMatchObject({ equalGroups: 1, reward: 1 });
    expect(records[0]!.gradientNorm).toBeLessThan(1e-7);
    const before = tinyParameters();
    for (const [name, { data }] of Object.entries(result.parameters)) {
      expect(Math.max(...data.map((value, at) => Math.abs(value - before[name]!.data[at]!)))).toBeLessThan(1e-3);
    }
  });

  it("refuses what cannot be done, before any work", async () => {
    for (const [options, message] of [
      [{ problems: 7 }, "problems is 7"],
      [{ groupSize: 1 }, "groupSize"],
      [{ collections: 0 }, "collections"],
    ] as const) {
      expect(await failure(() => run(options))).toMatchObject({
        code: "bad-input",
        message: expect.stringContaining(message),
      });
    }
    const { folder } = await run({ collections: 1 });
    expect(await failure(() => run({ collections: 1, groupSize: 4, run: folder }))).toMatchObject({
      code: "bad-input",
    });
  });
});

describe("grpo's advantages", () => {
  const text = (group: number, attempt: number, tokens: number): PolicyText => ({
    ...{ group, attempt, promptIds: [1], completionIds: Array.from({ length: tokens }, () => 2), truncated: false },
    old: new Float32Array(tokens),
  });

  it("are those of the attempt in each token of each of its calls, and groups with equal rewards are left out", () => {
    const texts = [text(0, 0, 2), text(0, 0, 3), text(0, 1, 1), text(1, 0, 2), text(1, 1, 2)];
    const rewards = [
      [1, 0],
      [0.5, 0.5],
    ];
    const numbers = grpo({ scaleRewards: "none" }).assign({ rewards, texts });
    expect(numbers.map((each) => each && [...each.advantages!])).toEqual([
      [0.5, 0.5],
      [0.5, 0.5, 0.5],
      [-0.5],
      undefined,
      undefined,
    ]);
    // If all are equal, they stay, for the divergence.
    const equal = grpo().assign({ rewards: [rewards[1]!, rewards[1]!], texts });
    expect(equal.every((each) => each?.advantages?.every((value) => value === 0))).toBe(true);
  });
});

describe("policyModel", () => {
  it("is asked as the model that the training began with", async () => {
    const kind = { name: "own", operations: { cot: { instruction: "{input} Briefly." } } };
    const base = (await askedModel(tinyModel(), { kind: kind as never })) as ReturnType<typeof tinyModel>;
    const policy = policyModel(base, { step: 1, config: TINY, parameters: tinyParameters() });
    expect(askingSettings(policy)).toMatchObject({ kind: "own" });
    expect(
      askingSettings(policyModel(tinyModel(), { step: 1, config: TINY, parameters: tinyParameters() })),
    ).toBeUndefined();
  });
});

describe("given groups", () => {
  it("teach what they teach a run that has collected them itself", async () => {
    const own = await run({ collections: 1 });
    const rollouts = await rolloutsOf(own.folder);
    const problems = [...new Set(rollouts.map(({ problem }) => problem))];
    const groups = problems.map((problem) => rollouts.filter((each) => each.problem === problem));
    const never = { name: "never", attempt: () => Promise.reject(new Error("an attempt was made")) };
    const given = await run({ collections: 1, groups, strategy: never });
    expect(given.records.map(({ loss }) => loss)).toEqual(own.records.map(({ loss }) => loss));
    expect(given.result.parameters).toEqual(own.result.parameters);
    expect((await failure(run({ collections: 2, groups }))).message).toContain("collections is 2");
  });
});
