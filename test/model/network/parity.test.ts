import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import {
  forward,
  type Model,
  type ModelParameters,
  openCheckpoint,
  openSafetensors,
  readParameters,
  tokenEmbeddings,
} from "thoughtbook/model";
import {
  compile,
  isTensorData,
  softmaxCrossEntropy,
  spec,
  type TensorData,
  type TensorSpec,
  tensorData,
  valueAndGradients,
} from "thoughtbook/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { readTensor } from "../../../lib/dist/model/weights/safetensors.js";
import { mapTree } from "../../../lib/dist/tensor/tree.js";

const CHECKPOINTS = join(import.meta.dirname, "..", "..", "fixtures", "checkpoints");

interface Expected {
  loss: number;
  soft_prompt_loss: number;
  grad_norms: Record<string, number>;
}

type Signature = Record<string, TensorSpec>;
const specsOf = (parameters: ModelParameters) =>
  mapTree(parameters, isTensorData, ({ shape }) => spec(shape)) as Signature;

/** The mean loss of the labels that follow each position, as transformers computes it. */
function meanLoss(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const [batch, time, vocabulary] = logits.shape as [number, number, number];
  const predicted = logits.slice([0, 0, 0], [batch, time - 1, vocabulary]);
  const next = labels.slice([0, 1], [batch, time - 1]);
  return softmaxCrossEntropy(predicted, next).sum().div(next.greaterEqual(0).toFloat().sum());
}

describe.each(["llama-gqa-tied", "qwen2-bias", "qwen3-qknorm", "gpt2"])("%s against PyTorch", (name) => {
  const expected = JSON.parse(readFileSync(join(CHECKPOINTS, name, "expected.json"), "utf8")) as Expected;
  let parameters: ModelParameters;
  let model: (weights: Model["weights"]) => Model;
  const tensors: Record<string, TensorData> = {};

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(join(CHECKPOINTS, name));
    parameters = await readParameters(checkpoint);
    model = (weights) => ({ config: checkpoint.config, weights });
    const file = await openSafetensors(join(CHECKPOINTS, name, "expected.safetensors"));
    for (const key of file.tensors.keys()) {
      const { shape, data } = await readTensor(file, key);
      const values = data instanceof Float32Array ? data : Int32Array.from(data as ArrayLike<number | bigint>, Number);
      tensors[key] = tensorData(values, shape);
    }
  });

  it("has its logits and the attention of the last layer", async () => {
    const run = compile(({ weights, ids }) => ({ ...forward(model(weights), ids) }), {
      weights: specsOf(parameters),
      ids: spec([null, null], "int32"),
    });
    const { logits, lastAttention } = await run({ weights: parameters, ids: tensors.input_ids! });
    expect(largestDifference(logits, tensors.logits!)).toBeLessThan(1e-4);
    expect(largestDifference(lastAttention, tensors.last_layer_attention!)).toBeLessThan(1e-5);
    await run.dispose();
  });

  it("has its logits after padding on the left", async () => {
    const run = compile(
      ({ weights, ids, mask }) => {
        const { logits } = forward(model(weights), ids, { mask });
        const [batch, time, vocabulary] = logits.shape as [number, number, number];
        return { last: logits.slice([0, time - 1, 0], [batch, 1, vocabulary]).reshape([batch, vocabulary]) };
      },
      { weights: specsOf(parameters), ids: spec([null, null], "int32"), mask: spec([null, null], "int32") },
    );
    const { last } = await run({
      weights: parameters,
      ids: tensors.left_padded_ids!,
      mask: tensors.attention_mask!,
    });
    expect(largestDifference(last, tensors.left_padded_last_logits!)).toBeLessThan(1e-4);
    await run.dispose();
  });

  it("has its loss and the norm of the gradient of every parameter", async () => {
    const run = compile(
      ({ weights, ids, labels }) => {
        const { value, gradients } = valueAndGradients((weights: Model["weights"]) =>
          meanLoss(forward(model(weights), ids).logits, labels),
        )(weights);
        const norms = Object.entries(gradients).map(([key, gradient]) => [key, gradient.square().sum().sqrt()]);
        return { loss: value, norms: Object.fromEntries(norms) as Record<string, tf.Tensor> };
      },
      { weights: specsOf(parameters), ids: spec([null, null], "int32"), labels: spec([null, null], "int32") },
    );
    const { loss, norms: found } = await run({
      weights: parameters,
      ids: tensors.input_ids!,
      labels: tensors.labels!,
    });
    expect(Math.abs(loss.data[0]! - expected.loss)).toBeLessThan(1e-5);
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected.grad_norms).sort());
    for (const [parameter, norm] of Object.entries(expected.grad_norms)) {
      expect(Math.abs(found[parameter]!.data[0]! - norm) / norm, parameter).toBeLessThan(1e-3);
    }
    await run.dispose();
  });

  it("has the loss and the gradient of a soft prompt", async () => {
    const run = compile(
      ({ weights, ids, labels, prompt }) => {
        const { value, gradients } = valueAndGradients(({ prompt }: { prompt: tf.Tensor }) => {
          const whole = model(weights);
          const [batch, time] = ids.shape as [number, number];
          const [, length, width] = prompt.shape as [number, number, number];
          const embeddings = tf.concat([tf.tile(prompt, [batch, 1, 1]), tokenEmbeddings(whole, ids)], 1);
          const logits = forward(whole, embeddings.reshape([batch, length + time, width])).logits;
          return meanLoss(logits.slice([0, length, 0], [batch, time, logits.shape[2]!]), labels);
        })({ prompt });
        return { loss: value, gradient: gradients.prompt };
      },
      {
        weights: specsOf(parameters),
        ids: spec([null, null], "int32"),
        labels: spec([null, null], "int32"),
        prompt: spec([1, 3, null]),
      },
    );
    const { loss, gradient } = await run({
      weights: parameters,
      ids: tensors.input_ids!,
      labels: tensors.labels!,
      prompt: tensors.soft_prompt!,
    });
    expect(Math.abs(loss.data[0]! - expected.soft_prompt_loss)).toBeLessThan(1e-4);
    expect(largestDifference(gradient, tensors.soft_prompt_grad!)).toBeLessThan(1e-4);
    await run.dispose();
  });
});

function largestDifference(a: TensorData, b: TensorData): number {
  expect(a.shape).toEqual(b.shape);
  return Array.from(a.data).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b.data[i]!)), 0);
}
