import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { openCheckpoint, openSafetensors, readParameters, readTensor } from "thoughtbook/model";
import { compile, spec, valueAndGradients } from "thoughtbook/tensor";
import { BATCH_SPEC, createBatches, type Example, exampleOf, languageModelLoss } from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { CHECKPOINTS, countingTexts, largestDifference, TINY, tinyParameters } from "./helpers.js";

const specsOf = (parameters: Record<string, { shape: readonly number[] }>) =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, spec(shape)]));

describe("languageModelLoss", () => {
  it.each(["llama-gqa-tied", "qwen2-bias", "qwen3-qknorm", "gpt2"])("of %s is PyTorch's", async (name) => {
    const checkpoint = await openCheckpoint(join(CHECKPOINTS, name));
    const { config } = checkpoint;
    const parameters = await readParameters(checkpoint);
    const expected = JSON.parse(readFileSync(join(CHECKPOINTS, name, "expected.json"), "utf8"));
    const file = await openSafetensors(join(CHECKPOINTS, name, "expected.safetensors"));
    const rowsOf = async (key: string) => {
      const { shape, data } = await readTensor(file, key);
      const values = Int32Array.from(data as ArrayLike<number | bigint>, Number);
      return Array.from({ length: shape[0]! }, (_, row) => values.subarray(row * shape[1]!, (row + 1) * shape[1]!));
    };
    const labels = await rowsOf("labels");
    const examples: Example[] = (await rowsOf("input_ids")).map((ids, row) => ({ ids, labels: labels[row]! }));
    for (const batching of ["pack", "bucket"] as const) {
      const source = createBatches(examples, { batching, batchSize: 2, hiddenSize: config.hiddenSize });
      const [plan, ...others] = source.epoch();
      expect(others).toEqual([]);
      const step = compile(
        ({ weights, batch }) => {
          const { value, gradients } = valueAndGradients((weights: Record<string, tf.Tensor>) => ({
            loss: languageModelLoss({ config, weights }, batch, { packed: batching === "pack" }).loss,
          }))(weights);
          const norms = Object.entries(gradients).map(([key, gradient]) => [key, gradient.square().sum().sqrt()]);
          return { loss: value.loss, norms: Object.fromEntries(norms) as Record<string, tf.Tensor> };
        },
        { weights: specsOf(parameters), batch: BATCH_SPEC },
      );
      const { loss, norms } = await step({ weights: parameters, batch: source.tensorsOf(plan!).tensors });
      expect(Math.abs(loss.data[0]! - expected.loss)).toBeLessThan(1e-5);
      for (const [key, norm] of Object.entries<number>(expected.grad_norms)) {
        expect(Math.abs(norms[key]!.data[0]! - norm) / norm, key).toBeLessThan(1e-3);
      }
      await step.dispose();
    }
  });

  it("of packed texts is that of each text by itself, and so are the gradients", async () => {
    const parameters = tinyParameters();
    const examples = countingTexts(9).map(({ ids }, i) => exampleOf([...ids], (place) => place > i % 3));
    const results = [];
    for (const [batching, batchSize] of [
      ["pack", 9],
      ["bucket", 1],
    ] as const) {
      const step = compile(
        ({ weights, batch }) => {
          const { value, gradients } = valueAndGradients((weights: Record<string, tf.Tensor>) => {
            const { loss, weight } = languageModelLoss({ config: TINY, weights }, batch, {
              packed: batching === "pack",
            });
            return { loss: loss.mul(weight!), weight: weight! };
          })(weights);
          return { sum: value.loss, count: value.weight, gradient: gradients["model.embed_tokens.weight"]! };
        },
        { weights: specsOf(parameters), batch: BATCH_SPEC },
      );
      const source = createBatches(examples, { batching, batchSize, hiddenSize: TINY.hiddenSize });
      const total = { sum: 0, count: 0, gradient: new Float64Array(20 * 16) };
      const plans = source.epoch();
      for (const plan of plans) {
        const { sum, count, gradient } = await step({ weights: parameters, batch: source.tensorsOf(plan).tensors });
        total.sum += sum.data[0]!;
        total.count += count.data[0]!;
        for (const [i, value] of gradient.data.entries()) total.gradient[i] = total.gradient[i]! + value;
      }
      results.push({ ...total, batches: plans.length });
      await step.dispose();
    }
    const [packed, single] = results;
    expect(packed!.batches).toBe(1);
    expect(single!.batches).toBe(9);
    expect(packed!.count).toBe(single!.count);
    expect(packed!.sum).toBeCloseTo(single!.sum, 3);
    expect(largestDifference(packed!.gradient, single!.gradient)).toBeLessThan(1e-4);
  });
});
