import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { createRandom } from "thoughtbook/core";
import { openCheckpoint, openSafetensors, readParameters } from "thoughtbook/model";
import { compile, spec, valueAndGradients } from "thoughtbook/tensor";
import { BATCH_SPEC, createBatches, type Example, exampleOf, languageModelLoss } from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { readTensor } from "../../../lib/dist/model/weights/safetensors.js";
import { branchedExample } from "../../../lib/dist/train/examples/examples.js";
import { CHECKPOINTS, countingTexts, largestDifference, TINY, tinyParameters } from "../helpers.js";

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

  /** Loss and gradient over all counted tokens, and the number of these, and of batches. */
  async function sums(examples: readonly Example[], batching: "pack" | "bucket", batchSize: number) {
    const parameters = tinyParameters();
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
    await step.dispose();
    return { ...total, batches: plans.length };
  }

  function expectEqualSums(actual: Awaited<ReturnType<typeof sums>>, expected: Awaited<ReturnType<typeof sums>>) {
    expect(actual.count).toBe(expected.count);
    expect(actual.sum).toBeCloseTo(expected.sum, 3);
    expect(largestDifference(actual.gradient, expected.gradient)).toBeLessThan(1e-4);
  }

  it("of packed texts is that of each text by itself, and so are the gradients", async () => {
    const examples = countingTexts(9).map(({ ids }, i) => exampleOf([...ids], (place) => place > i % 3));
    const [packed, single] = [await sums(examples, "pack", 9), await sums(examples, "bucket", 1)];
    expect([packed.batches, single.batches]).toEqual([1, 9]);
    expectEqualSums(packed, single);
  });

  it("of branches is that of each with its shared prefix, and so are the gradients", async () => {
    const random = createRandom(2);
    const ids = (count: number) => Array.from({ length: count }, () => random.integer(20));
    const texts = Array.from({ length: 5 }, (_, i) => ({
      prefix: ids(2 + i),
      branches: Array.from({ length: 1 + (i % 3) }, () => ({ prompt: ids(1 + (i % 2)), completion: ids(3 + (i % 4)) })),
    }));
    const branched = texts.map(({ prefix, branches }) => branchedExample(prefix, branches));
    const single = texts.flatMap(({ prefix, branches }) =>
      branches.map(({ prompt, completion }) => {
        const given = [...prefix, ...prompt];
        return exampleOf([...given, ...completion], (i) => i >= given.length);
      }),
    );
    expectEqualSums(await sums(branched, "pack", 5), await sums(single, "bucket", 1));
  });

  it("of branches needs packed batches, and branches that begin with a prompt", () => {
    const example = branchedExample([1], [{ prompt: [2], completion: [3] }]);
    const batches = () => createBatches([example], { batching: "bucket", batchSize: 1, hiddenSize: 16 });
    expect(batches).toThrow("need packed batches");
    expect(() => branchedExample([1], [{ prompt: [], completion: [3] }])).toThrow("lacks a part");
  });
});
