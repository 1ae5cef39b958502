import * as tf from "@tensorflow/tfjs";
import { causalAttend, hiddenStates, outputLogits, tokenEmbeddings } from "thoughtbook/model";
import { type Inputs, spec } from "thoughtbook/tensor";
import {
  type BATCH_SPEC,
  createBatches,
  exampleSource,
  languageModelLoss,
  type Objective,
  onPolicySource,
  type Snapshot,
  sft,
  type Trainable,
  type TrainingRecord,
  type TrainOptions,
  train,
} from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { countingTexts, SILENT, TINY, tinyParameters } from "./helpers.js";

const SETTINGS = { seed: 1, maxSteps: 12, batchSize: 10, learningRate: 1e-2 } as const;

async function run<Spec>(options: Pick<TrainOptions<Spec>, "objective" | "source"> & Partial<TrainOptions<Spec>>) {
  const records: TrainingRecord[] = [];
  const result = await train<Spec>({
    model: { config: TINY, parameters: tinyParameters() },
    settings: SETTINGS,
    folder: options.folder ?? (await temporaryFolder()),
    threads: 1,
    display: SILENT,
    onRecord: (record) => records.push(record),
    ...options,
  });
  const { seconds: _, ...timeless } = result;
  return { result: timeless, records };
}

const batches = createBatches(countingTexts(40), { batching: "pack", batchSize: 10, hiddenSize: TINY.hiddenSize });
const batch = batches.tensorsOf(batches.epoch()[0]!);
const rows = () =>
  exampleSource(
    countingTexts(40),
    { ...SETTINGS, epochs: Number.POSITIVE_INFINITY, accumulation: 1, batching: "pack" },
    TINY.hiddenSize,
  );

/** The same batch each time; notes what was asked with. */
const repeated = (asked: { step: number; first: number; snapshot: Snapshot }[] = []) =>
  onPolicySource<typeof BATCH_SPEC>({
    fingerprint: { batch: "the first" },
    steps: 6,
    async next(step, snapshot) {
      const values = snapshot.adapter?.parameters ?? snapshot.extra ?? snapshot.parameters;
      asked.push({ step, first: Object.values(values)[0]!.data[0]!, snapshot });
      return [batch];
    },
  });

/** A soft prompt of two vectors before texts of one row each. */
const PROMPT = 2;
const softPrompt: Objective<{ ids: ReturnType<typeof spec> }> = {
  name: "soft-prompt",
  spec: { ids: spec([2, 6], "int32") },
  extra: ({ hiddenSize }) => ({
    prompt: { shape: [PROMPT, hiddenSize], dtype: "float32", data: new Float32Array(PROMPT * hiddenSize) },
  }),
  loss: ({ policy, extra }, { ids }) => {
    const prompt = extra.prompt!.expandDims(0).tile([2, 1, 1]);
    const embeddings = tf.concat([prompt, tokenEmbeddings(policy, ids as tf.Tensor)], 1);
    const positions = tf
      .range(0, 6 + PROMPT, 1, "int32")
      .expandDims(0)
      .tile([2, 1]);
    const attend = causalAttend(policy.config, positions);
    const hidden = hiddenStates(policy, embeddings, positions, (layer, projected) => attend(layer, projected).value);
    const logProbs = tf.logSoftmax(outputLogits(policy, hidden).reshape([2, 6 + PROMPT, -1]) as tf.Tensor);
    const next = tf.oneHot(ids as tf.Tensor2D, policy.config.vocabularySize);
    const said = logProbs.slice([0, PROMPT - 1, 0], [2, 6, -1]).mul(next);
    return { loss: said.sum().div(-12), metrics: { prompt: extra.prompt!.square().sum() } };
  },
};
const texts: Inputs<typeof softPrompt.spec> = {
  ids: { shape: [2, 6], dtype: "int32", data: Int32Array.from({ length: 12 }, (_, at) => (7 * at) % 20) },
} as Inputs<typeof softPrompt.spec>;
const fixedTexts = (steps: number) =>
  onPolicySource<typeof softPrompt.spec>({
    fingerprint: { texts: 2 },
    steps,
    next: async () => [{ tensors: texts, tokens: 12 }],
  });

describe("train", () => {
  it("asks an on-policy source for each update with the weights as they are then", async () => {
    const asked: Parameters<typeof repeated>[0] = [];
    const { records } = await run({ objective: sft({ packed: true }), source: repeated(asked) });
    expect(asked!.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(asked!.map(({ first }) => first)).size).toBe(6);
    expect(asked!.map(({ snapshot }) => snapshot.step)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss);
  });

  it.each<[string, Trainable]>([
    ["all weights", "all"],
    ["an adapter", { lora: { rank: 2 } }],
  ])("goes on with %s from a state as if it had not stopped", async (_, trainable) => {
    const whole = await run({ objective: sft({ packed: true }), source: repeated(), trainable });
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const first = run({
      objective: sft({ packed: true }),
      source: repeated(),
      trainable,
      folder,
      signal: controller.signal,
      onRecord: ({ step }) => step === 3 && controller.abort(),
    });
    expect(await failure(() => first)).toMatchObject({ code: "interrupted" });
    const again = await run({ objective: sft({ packed: true }), source: repeated(), trainable, folder });
    expect(again.result).toEqual(whole.result);
    expect(again.records).toEqual(whole.records);
  });

  it("trains a soft prompt and leaves the model frozen, bit for bit", async () => {
    const before = tinyParameters();
    const { result, records } = await run({
      objective: softPrompt,
      source: fixedTexts(40),
      trainable: "extra",
      settings: { seed: 1, learningRate: 0.1 },
    });
    expect(result.parameters).toEqual(before);
    expect(result.extra!.prompt!.shape).toEqual([PROMPT, TINY.hiddenSize]);
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss - 0.03);
    expect(records[0]!.metrics).toEqual({ prompt: 0 });
    expect(records.at(-1)!.metrics!.prompt).toBeGreaterThan(0);
  });

  it.each<[string, Trainable]>([
    ["all weights", "all"],
    ["an adapter", { lora: { rank: 2 } }],
  ])("gives a reference that stays what the model was, with %s", async (_, trainable) => {
    const objective: Objective<typeof BATCH_SPEC> = {
      ...sft({ packed: true }),
      name: "with-reference",
      reference: true,
      loss({ policy, reference }, tensors) {
        const own = languageModelLoss(policy, tensors, { packed: true });
        const before = languageModelLoss(reference!, tensors, { packed: true });
        return { ...own, metrics: { before: before.loss } };
      },
    };
    const { records } = await run({ objective, source: repeated(), trainable });
    expect(records[0]!.metrics!.before).toBeCloseTo(records[0]!.loss, 5);
    for (const { metrics } of records) expect(metrics!.before).toBeCloseTo(records[0]!.loss, 5);
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss - 0.01);
  });

  it("takes plain SGD: the step is the learning rate times the gradient", async () => {
    const { result, records } = await run({
      objective: softPrompt,
      source: fixedTexts(1),
      trainable: "extra",
      settings: {
        seed: 1,
        optimizer: "sgd",
        learningRate: 0.5,
        schedule: "constant",
        warmup: 0,
        weightDecay: 0,
        clipNorm: 1e9,
      },
    });
    const norm = Math.hypot(...result.extra!.prompt!.data);
    expect(norm).toBeCloseTo(0.5 * records[0]!.gradientNorm, 5);
  });

  it("refuses another objective in the folder of a run, and nothing to train", async () => {
    const folder = await temporaryFolder();
    await run({ objective: sft({ packed: true }), source: rows(), folder });
    const other = { ...sft({ packed: true }), name: "other" };
    expect(await failure(() => run({ objective: other, source: rows(), folder }))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("objective.name"),
    });
    expect(
      await failure(() => run({ objective: sft({ packed: true }), source: rows(), trainable: "extra" })),
    ).toMatchObject({ message: expect.stringContaining("no parameters of its own") });
    const heldOut = countingTexts(2);
    expect(
      await failure(() => run({ objective: softPrompt, source: fixedTexts(2), trainable: "extra", heldOut })),
    ).toMatchObject({ code: "bad-input", message: expect.stringContaining("frozen model") });
  });
});
