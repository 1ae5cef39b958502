import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadSoftPrompt, type OptimizationInput, type OptimizeOptions, optimize } from "thoughtbook/grpo";
import { loadLocalModel } from "thoughtbook/llm";
import { exportGguf, openCheckpoint, resolveModel } from "thoughtbook/model";
import { beforeAll, describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { SILENT } from "../train/helpers.js";

let model: Awaited<ReturnType<typeof loadLocalModel>>;
beforeAll(async () => {
  model = await loadLocalModel("mini");
});

const SMALL: Omit<OptimizationInput, "train"> = {
  task: { name: "word-problems:3", limit: 6 },
  test: { name: "word-problems:3", limit: 5 },
  rewards: { answer: 1, format: 0.1, length: 0.1 },
  ...{ collections: 2, problems: 2, groupSize: 4, maxNewTokens: 72, samples: 2, evaluateEvery: 1, vectors: 3, rank: 2 },
};
const run = async (
  input: Partial<OptimizationInput> & Pick<OptimizationInput, "train">,
  options: Partial<OptimizeOptions> = {},
) => {
  const folder = options.folder ?? (await temporaryFolder());
  const common = { model, seed: 1, threads: 1, display: SILENT, ...options, folder };
  return { folder, ...(await optimize({ ...SMALL, ...input }, common)) };
};

/** As little as there can be of everything. */
const LEAST = {
  ...{ samples: 0, problems: 1, groupSize: 2, maxNewTokens: 40, textsAtOnce: 2 },
  test: { name: "word-problems:3", limit: 2 },
};

describe("optimize", () => {
  it("measures before, in between and after on other problems, and records reward, divergence and entropy", async () => {
    const { records, evaluations, modelHash, folder } = await run({ train: "vectors" });
    expect(modelHash).toBe(await model.hash());
    expect(records.map(({ step, completions }) => [step, completions])).toEqual([
      [1, 8],
      [2, 16],
    ]);
    for (const record of records) {
      expect(Object.keys(record)).toEqual(expect.arrayContaining(["reward/answer", "reward/format", "reward/length"]));
      expect(record.kl).toBeGreaterThan(0);
      expect(record.entropy).toBeGreaterThan(0);
    }
    expect(evaluations.map(({ step, problems }) => [step, problems])).toEqual([
      [0, 5],
      [1, 5],
      [2, 5],
    ]);
    for (const { accuracy, right, passAt } of evaluations) {
      expect([...right].filter((digit) => digit === "1")).toHaveLength(Math.round(5 * accuracy.value));
      expect(passAt!.map(({ k }) => k)).toEqual([1, 2]);
      expect(passAt![1]!.value).toBeGreaterThanOrEqual(passAt![0]!.value);
    }
    expect(await loadSoftPrompt(join(folder, "prompt"), model)).toHaveLength(1);
  }, 300_000);

  it("goes on after it was stopped, with the same numbers", async () => {
    const whole = await run({ ...LEAST, train: "lora" });
    const stop = new AbortController();
    const folder = await temporaryFolder();
    const onHeldOut = ({ step }: { step: number }) => {
      if (step === 1) stop.abort();
    };
    const stopped = await failure(() => run({ ...LEAST, train: "lora" }, { folder, onHeldOut, signal: stop.signal }));
    expect(stopped).toMatchObject({ code: "interrupted" });
    const { records, evaluations } = await run({ ...LEAST, train: "lora" }, { folder });
    expect(records).toEqual(whole.records);
    expect(evaluations).toEqual(whole.evaluations);
    const other = await failure(() => run({ ...LEAST, train: "lora", beta: 0.1 }, { folder }));
    expect(other).toMatchObject({ code: "bad-input", message: expect.stringContaining("beta") });
  }, 300_000);

  it("trains all weights, and writes a model that answers as the last measurement did", async () => {
    const place = await resolveModel("mini");
    const settings = { ...LEAST, train: "weights", learningRate: 1e-3 } as const;
    const { folder, evaluations } = await run(settings, { place });
    const trained = await loadLocalModel(join(folder, "model"));
    expect(await trained.hash()).not.toBe(await model.hash());
    const again = await run({ ...LEAST, train: "weights", collections: 1 }, { model: trained });
    expect(again.evaluations[0]!.right).toBe(evaluations.at(-1)!.right);
  }, 300_000);

  it("chooses among written prompts, and writes the best one", async () => {
    const folder = await temporaryFolder();
    const pool = join(folder, "pool.json");
    const arms = [
      { name: "steps", strategy: "cot" },
      { name: "now", strategy: "direct" },
    ];
    await writeFile(pool, JSON.stringify({ arms }));
    const { best, rounds, evaluations, records } = await run({ train: "words", pool, problems: 3 }, { folder });
    expect(rounds).toHaveLength(1);
    expect(rounds![0]!.scores.map(({ name }) => name)).toEqual(["steps", "now"]);
    expect(records.map(({ completions }) => completions)).toEqual([2 * 3 * 4]);
    expect(evaluations.map(({ step }) => step)).toEqual([0, 1]);
    expect(JSON.parse(await readFile(join(folder, "prompt", "prompt.json"), "utf8"))).toMatchObject({ name: best });
  }, 300_000);

  it("learns vectors for each question at test time, without labels", async () => {
    const { evaluations, folder } = await run({
      ...LEAST,
      ...{ train: "vectors", per: "question", rewards: { majority: 1 }, test: undefined },
      task: { name: "word-problems:3", limit: 2 },
    });
    expect(evaluations.map(({ step, problems }) => [step, problems])).toEqual([
      [0, 2],
      [2, 2],
    ]);
    expect(await loadSoftPrompt(join(folder, "prompt"), model)).toHaveLength(2);
  }, 300_000);

  it("keeps the weights of a quantised file in their blocks, and learns the same beside them", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "mini.gguf");
    await exportGguf(await openCheckpoint(await resolveModel("mini")), file, { type: "q8_0" });
    const settings = { ...LEAST, collections: 1 };
    for (const train of ["vectors", "lora"] as const) {
      const [plain, low] = await Promise.all([loadLocalModel(file), loadLocalModel(file, { lowMemory: true })]);
      const a = await run({ train, ...settings }, { model: plain });
      const b = await run({ train, ...settings }, { model: low });
      expect(b.evaluations.map(({ right }) => right)).toEqual(a.evaluations.map(({ right }) => right));
      expect(b.records[0]!.reward).toBe(a.records[0]!.reward);
      expect(b.records[0]!.entropy).toBeCloseTo(a.records[0]!.entropy!, 4);
    }
  }, 300_000);

  it("refuses a test with problems of the training, and settings that it does not know", async () => {
    const same = { name: "word-problems:3", split: "train", limit: 2 };
    expect(await failure(() => run({ train: "lora", test: same }))).toMatchObject({
      ...{ code: "bad-input", message: expect.stringContaining("to learn from and those to measure on") },
    });
    expect(await failure(() => run({ train: "lora", rewards: { anser: 1 } as never }))).toMatchObject({
      code: "bad-input",
    });
    expect(await failure(() => run({ train: "words" }))).toMatchObject({ message: expect.stringContaining("pool") });
    expect(await failure(() => run({ train: "lora", strategy: "guess" }))).toMatchObject({ code: "bad-input" });
  });
});
