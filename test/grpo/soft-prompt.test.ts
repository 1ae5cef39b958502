import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonl } from "thoughtbook/core";
import {
  loadSoftPrompt,
  type OptimizeSoftPromptOptions,
  optimizeSoftPrompt,
  saveSoftPrompt,
  withQuestionPrompts,
} from "thoughtbook/grpo";
import { loadLocalModel, softPromptOf, withSoftPrompt } from "thoughtbook/llm";
import { openSafetensors, readFloats } from "thoughtbook/model";
import { collect, type Rollout, type Strategy } from "thoughtbook/rollouts";
import { createTask } from "thoughtbook/tasks";
import type { TrainingRecord } from "thoughtbook/train";
import { beforeAll, describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { tinyGguf } from "../model/gguf/helpers.js";
import { shareOfE } from "../seams/toys.js";
import { SILENT } from "../train/helpers.js";

let model: Awaited<ReturnType<typeof loadLocalModel>>;
beforeAll(async () => {
  model = await loadLocalModel("mini-scorer");
});

const task = createTask(
  "beginnings",
  ["Tom has 3 apples.", "A box holds 4 pens.", "Mia reads", "The shop"].map((question, at) => ({
    ...{ id: `text/${at}`, question, kind: "words" as const, references: ["pens"] },
  })),
);

const goOn: Strategy = {
  name: "go-on",
  async attempt({ id, question }, { model, seed, sample, sampling, maxNewTokens }) {
    const request = { prompt: question, ...sampling, maxNewTokens, seed: `${seed}/${id}/${sample}` };
    const [[completion] = []] = await model.generate([request]);
    return { text: completion!.text };
  },
};

const run = async (options: Partial<OptimizeSoftPromptOptions>) => {
  const folder = options.folder ?? (await temporaryFolder());
  const records: TrainingRecord[] = [];
  const result = await optimizeSoftPrompt({
    ...{ model, task, strategy: goOn, reward: shareOfE, groupSize: 6, maxNewTokens: 12, seed: 2, vectors: 3 },
    ...{ collections: 2, problems: 2, passes: 2, text: "Tom has", display: SILENT, threads: 1, saveEvery: 1 },
    onRecord: (record) => records.push(record),
    ...options,
    folder,
  });
  return { ...result, records, folder };
};

describe("optimizeSoftPrompt", () => {
  it("learns vectors for a task beside weights that stay as they are, bit for bit", async () => {
    const { weights } = await model.host();
    const before = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data.slice()]));
    const hash = await model.hash();
    const { prompts, records, folder } = await run({
      ...{ collections: 8, problems: 4, groupSize: 16, vectors: 16, beta: 0.0001 },
    });
    for (const [name, { data }] of Object.entries(weights)) expect(data).toEqual(before[name]);
    expect(prompts.map(({ name, vectors }) => [name, ...vectors.shape])).toEqual([
      ["task", 16, model.config.hiddenSize],
    ]);
    const rewards = records.map(({ metrics }) => metrics!.reward!);
    expect((rewards.at(-1)! + rewards.at(-2)!) / 2).toBeGreaterThan((rewards[0]! + rewards[1]!) / 2 + 0.03);
    // The vectors have moved away from the model without them, which is the reference also at the beginning.
    expect(records[0]!.metrics!.kl).toBeGreaterThan(1e-3);
    // Saved, it is read again, and used: what it gained it has elsewhere too.
    const [loaded] = await loadSoftPrompt(join(folder, "prompt"), model);
    expect(loaded).toEqual(prompts[0]);
    const rewardOf = async (own: typeof model) => {
      const all: number[] = [];
      const options = {
        ...{ model: own, policy: "measured", groupSize: 16, maxNewTokens: 12, seed: 9 },
        display: SILENT,
      };
      for await (const group of collect(goOn, task, shareOfE, { ...options, sampling: { temperature: 1 } })) {
        all.push(...group.map(({ reward }) => reward));
      }
      return all.reduce((sum, each) => sum + each, 0) / all.length;
    };
    expect(await rewardOf(withSoftPrompt(model, loaded!.vectors))).toBeGreaterThan((await rewardOf(model)) + 0.01);
    expect(await model.hash()).toBe(hash);
  }, 60_000);

  it("takes the same probabilities in training as in sampling", async () => {
    const { folder } = await run({ collections: 1, passes: 1 });
    const sampled: number[] = [];
    for await (const { value } of readJsonl(join(folder, "source", "rollouts", "records.jsonl"))) {
      for (const { completion } of (value as Rollout).calls) {
        expect(completion.tokens!.promptIds.slice(0, 3)).toEqual(
          [0, 1, 2].map((at) => model.config.vocabularySize + at),
        );
        sampled.push(...completion.tokens!.logProbs);
      }
    }
    const old = await readFloats(await openSafetensors(join(folder, "source", "prepared-0.safetensors")), "old");
    expect(old).toHaveLength(sampled.length);
    for (const [at, value] of sampled.entries()) expect(Math.abs(value - old[at]!)).toBeLessThan(1e-3);
  });

  it("learns a prompt for each question, from attempts at that question only", async () => {
    const { prompts } = await run({ per: "question", collections: 1, problems: 2 });
    expect(prompts.map(({ name }) => name)).toEqual(task.problems.map(({ id }) => id));
    const start = prompts.map(({ vectors }) => vectors.data.join());
    // Two were attempted; the others are as they began.
    const untouched = start.filter((each) => start.filter((other) => other === each).length > 1);
    expect(untouched).toHaveLength(2);
    expect(new Set(start).size).toBe(3);
  });

  it("goes on as if it had not stopped", async () => {
    const whole = await run({});
    const controller = new AbortController();
    const folder = await temporaryFolder();
    const onRecord = ({ step }: TrainingRecord) => {
      if (step === 3) controller.abort();
    };
    expect(await failure(() => run({ folder, onRecord, signal: controller.signal }))).toMatchObject({
      code: "interrupted",
    });
    expect((await run({ folder })).prompts).toEqual(whole.prompts);
  });

  it("refuses what it cannot do", async () => {
    expect(await failure(() => run({ vectors: 0 }))).toMatchObject({ message: expect.stringContaining("vectors") });
    expect(await failure(() => run({ text: "" }))).toMatchObject({ message: expect.stringContaining("no tokens") });
    expect(await failure(() => run({ per: "word" as never }))).toMatchObject({
      message: expect.stringContaining("per"),
    });
  });
});

describe("withQuestionPrompts", () => {
  it("puts the vectors of a question before its calls, and of no other", async () => {
    const problems = task.problems.slice(0, 2);
    const prompts = await Promise.all(
      ["Tom has", "A box of"].map(async (text, at) => ({
        ...{ name: problems[at]!.id, vectors: await softPromptOf(model, text, 2 + at) },
      })),
    );
    const asked = withQuestionPrompts(model, goOn, prompts);
    const options = { policy: "measured", groupSize: 2, maxNewTokens: 8, seed: 3, sampling: { temperature: 1 } };
    const textsOf = async (own: typeof model, strategy: Strategy, only: typeof problems) => {
      const texts: string[] = [];
      for await (const group of collect(strategy, { ...task, problems: only }, shareOfE, {
        ...options,
        model: own,
        display: SILENT,
      })) {
        texts.push(...group.map(({ text }) => text));
      }
      return texts;
    };
    const expected = await Promise.all(
      prompts.map(({ vectors }, at) => textsOf(withSoftPrompt(model, vectors), goOn, [problems[at]!])),
    );
    expect(await textsOf(asked.model, asked.strategy, problems)).toEqual(expected.flat());
    const other = () => textsOf(asked.model, asked.strategy, [task.problems[2]!]);
    expect(await failure(other)).toMatchObject({ code: "bad-input", message: expect.stringContaining("text/2") });
    // Records tell the models apart.
    const hashes = await Promise.all(
      [model, asked.model, withSoftPrompt(model, prompts[0]!.vectors)].map((each) => each.hash()),
    );
    expect(new Set(hashes).size).toBe(3);
  });
});

describe("files of soft prompts", () => {
  it("are read for the model they belong to only", async () => {
    const folder = await temporaryFolder();
    const vectors = {
      shape: [1, model.config.hiddenSize],
      dtype: "float32" as const,
      data: new Float32Array(model.config.hiddenSize).fill(0.5),
    };
    await saveSoftPrompt(folder, model, [{ name: "task", vectors }]);
    expect(await loadSoftPrompt(folder, model)).toEqual([{ name: "task", vectors }]);
    const other = { ...model, name: "other", hash: async () => "another" };
    expect(await failure(() => loadSoftPrompt(folder, other))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("not for other"),
    });
    await writeFile(join(folder, "soft_prompt.json"), "{}");
    expect(await failure(() => loadSoftPrompt(folder, model))).toMatchObject({ code: "corrupt-data" });
    expect(await failure(() => loadSoftPrompt(join(folder, "none"), model))).toMatchObject({ code: "not-found" });
  });
});

describe("a soft prompt beside weights in blocks", () => {
  const paths = [
    { numerics: "exact", lowMemory: true },
    { numerics: "fast", lowMemory: true },
    { numerics: "fast", lowMemory: false },
  ] as const;

  it.each(paths)("learns what it learns beside float32, and generates: %j", async (path) => {
    const { file } = await tinyGguf("llama", "q8_0");
    const open = (options: Parameters<typeof loadLocalModel>[1]) => loadLocalModel(file, options);
    const [plain, own] = [await open({}), await open(path)];
    const start = { collections: 1, maxNewTokens: 6, beta: 0.01 };
    const wanted = (await run({ ...start, model: plain })).prompts[0]!.vectors;
    const { prompts, records, folder } = await run({ ...start, model: own });
    const vectors = prompts[0]!.vectors;
    const first = await softPromptOf(own, "Tom has", 3);
    expect(wanted.data.some((value, at) => Math.abs(value - first.data[at]!) > 1e-3)).toBe(true);
    for (const [at, value] of wanted.data.entries()) expect(Math.abs(vectors.data[at]! - value)).toBeLessThan(1e-4);
    expect(records.every(({ metrics }) => Number.isFinite(metrics!.kl))).toBe(true);
    const { config } = JSON.parse(await readFile(join(folder, "run.json"), "utf8"));
    expect([config.numerics, config.lowMemory]).toEqual(["exact", path.lowMemory || undefined]);

    const request = { prompt: "A box holds", maxNewTokens: 1 };
    const firstOf = async (model: typeof own) => {
      const [[completion] = []] = await withSoftPrompt(model, vectors).generate([request]);
      return completion!.tokens!.logProbs[0]!;
    };
    expect(Math.abs((await firstOf(own)) - (await firstOf(plain)))).toBeLessThan(
      path.numerics === "fast" ? 0.05 : 1e-4,
    );
    await Promise.all([plain.dispose(), own.dispose()]);
  });
});
