import * as tf from "@tensorflow/tfjs";
import { createRandom } from "thoughtbook/core";
import {
  adamW,
  causalAttention,
  compileTrainingStep,
  embedding,
  type Inputs,
  type LossOutputs,
  rmsNorm,
  sgd,
  softmaxCrossEntropy,
  spec,
  type TensorData,
  type TensorSpec,
  type Traced,
  tensorData,
  toTensor,
  valueAndGradients,
  warmupLinear,
} from "thoughtbook/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import type { LossInputs } from "../../lib/dist/tensor/training-step.js";
import { leavesOf, mapTree } from "../../lib/dist/tensor/tree.js";
import { normal } from "./helpers.js";

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend("cpu");
});

const isData = (value: unknown): value is TensorData => typeof value === "object" && value !== null && "data" in value;
const isSpec = (value: unknown): value is TensorSpec =>
  typeof value === "object" && value !== null && "shape" in value && !("data" in value);
const flat = (tree: unknown): number[] => leavesOf(tree, isData).flatMap(({ value }) => [...value.data]);
const buffers = (tree: unknown): unknown[] => leavesOf(tree, isData).map(({ value }) => value.data.buffer);

function expectNumbers(given: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(given.length).toBe(expected.length);
  for (const [i, x] of expected.entries()) expect(Math.abs(given[i]! - x)).toBeLessThanOrEqual(tolerance);
}

/** A linear model with frozen features; rows whose weight is 0 do not count. */
const PARAMS = { w: spec([3, 1]), b: spec([1]) };
const FROZEN = { features: spec([4, 3]) };
const BATCH = { x: spec([null, 4]), y: spec([null, 1]), counts: spec([null, 1]) };

function meanSquare({ params, frozen, batch }: LossInputs<typeof PARAMS, typeof FROZEN, typeof BATCH>): LossOutputs {
  const error = tf.matMul(tf.matMul(batch.x, frozen.features), params.w).add(params.b).sub(batch.y);
  const weight = batch.counts.sum();
  const mean = (x: tf.Tensor) => x.mul(batch.counts).sum().div(weight);
  return { loss: mean(error.square()), weight, metrics: { bias: mean(error) } };
}

const linear = (options: { clipNorm?: number } = {}) =>
  compileTrainingStep({
    loss: meanSquare,
    params: PARAMS,
    frozen: FROZEN,
    batch: BATCH,
    optimizer: adamW({ weightDecay: 0.1 }),
    learningRate: warmupLinear({ peak: 0.1, steps: 20, warmup: 2 }),
    threads: 1,
    ...options,
  });
const start = () => ({ w: normal([3, 1], "w"), b: normal([1], "b") });
const frozen = { features: normal([4, 3], "features") };
const rows = (first: number, last: number) => {
  const cut = (data: TensorData, width: number) =>
    tensorData(data.data.slice(first * width, last * width) as Float32Array, [last - first, width]);
  const counts = tensorData([1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [12, 1]);
  return { x: cut(normal([12, 4], "x"), 4), y: cut(normal([12, 1], "y"), 1), counts: cut(counts, 1) };
};

describe("compileTrainingStep", () => {
  it("adds pieces of a batch up to the whole batch, weighted by what counts", async () => {
    const [whole, pieces] = [linear({ clipNorm: 0.5 }), linear({ clipNorm: 0.5 })];
    let [one, many] = [whole.init(start(), frozen), pieces.init(start(), frozen)];
    for (let i = 0; i < 20; i++) {
      const a = await whole.step(one, rows(0, 12));
      const b = await pieces.step(many, rows(0, 2), rows(2, 7), rows(7, 12));
      [one, many] = [a.state, b.state];
      expectNumbers(
        [b.loss, b.gradientNorm, b.learningRate, b.metrics.bias!],
        [a.loss, a.gradientNorm, a.learningRate, a.metrics.bias!],
        1e-5,
      );
      expectNumbers(flat(many.params), flat(one.params), 1e-5);
      expectNumbers(flat(many.optimizer), flat(one.optimizer), 1e-5);
    }
    expect(flat(one.optimizer.step)).toEqual([20]);
    await Promise.all([whole.dispose(), pieces.dispose()]);
  });

  it("lets two sets of buffers take turns, accumulating too, and never writes to the caller's", async () => {
    const training = linear();
    const params = start();
    const given = [...flat(params), ...flat(frozen)];
    for (const batches of [[rows(0, 12)], [rows(0, 6), rows(6, 12), rows(0, 3)]] as const) {
      let state = training.init(params, frozen);
      const seen = new Set<unknown>();
      let before = new Set<unknown>();
      for (let i = 0; i < 30; i++) {
        ({ state } = await training.step(state, ...(batches as unknown as [ReturnType<typeof rows>])));
        const { step: _, ...moments } = state.optimizer;
        const tensors = buffers([state.params, moments]);
        const now = new Set(tensors);
        // One memory for each tensor, and none that the tensors before had: those are read while these are written.
        expect(now.size).toBe(tensors.length);
        expect(tensors.some((buffer) => before.has(buffer))).toBe(false);
        before = now;
        for (const buffer of tensors) seen.add(buffer);
      }
      // Two of each of the six, and two of each sum of gradients.
      expect(seen.size).toBeLessThanOrEqual(2 * 6 + (batches.length > 1 ? 2 * 2 : 0));
      expect(state.frozen).toBe(frozen);
    }
    expect([...flat(params), ...flat(frozen)]).toEqual(given);
    await training.dispose();
  });

  it("says that a state was given up, and what does not fit", async () => {
    const training = linear();
    const first = training.init(start(), frozen);
    const { state } = await training.step(first, rows(0, 4));
    await training.step(state, rows(0, 4));
    await expect(training.step(state, rows(0, 4))).rejects.toThrow("was given up in an earlier call");
    await expect(training.step(training.init(start()), rows(0, 4))).rejects.toThrow("input frozen.features is missing");
    const { x, y } = rows(0, 4);
    await expect(training.step(first, { x, y, counts: normal([4, 2], 1) })).rejects.toThrow(
      "input batch.counts is float32 [4, 2], expected float32 [any, 1]",
    );
    const nothing = { x, y, counts: tensorData([0, 0, 0, 0], [4, 1]) };
    await expect(training.step(first, nothing, nothing)).rejects.toThrow(
      "the weights of the batches of a step sum to 0",
    );
    await training.dispose();
  });

  it("refuses parameters that cannot be trained and losses that are none", async () => {
    const options = { batch: {}, optimizer: sgd(), learningRate: 1 };
    const loss = () => ({ loss: tf.scalar(1) });
    expect(() => compileTrainingStep({ ...options, loss, params: { n: spec([2], "int32") } })).toThrow(
      "parameter n is int32 [2], expected float32 with fixed sizes",
    );
    expect(() => compileTrainingStep({ ...options, loss, params: { n: spec([null]) } })).toThrow("float32 [any]");
    expect(() => compileTrainingStep({ ...options, loss, params: {} })).toThrow("there are no parameters");
    expect(() => compileTrainingStep({ ...options, loss, params: { n: spec([]) }, clipNorm: -1 })).toThrow(
      "clipNorm is -1",
    );
    const vector = compileTrainingStep({
      ...options,
      params: { n: spec([2]) },
      loss: ({ params }) => ({ loss: params.n.sum(), metrics: { n: params.n } }),
    });
    await expect(vector.step(vector.init({ n: normal([2], 1) }), {})).rejects.toThrow(
      "the loss function's n is of shape [2], expected a scalar",
    );
  });
});

/* A language model of characters, small enough for TensorFlow.js's cpu backend. */

const TEXT = `The baker sold twelve loaves in the morning and half as many after noon. How many loaves did he sell?
He sold twelve in the morning. Half of twelve is six. Twelve and six are eighteen. He sold eighteen loaves. `;
const ALPHABET = [...new Set(TEXT)].sort();
const CODES = Array.from(TEXT, (character) => ALPHABET.indexOf(character));
const [WIDTH, HEADS, TIME, ROWS] = [24, 2, 16, 4];

const MODEL = {
  embedding: spec([ALPHABET.length, WIDTH]),
  positions: spec([TIME, WIDTH]),
  block: {
    gain: spec([WIDTH]),
    query: spec([WIDTH, WIDTH]),
    key: spec([WIDTH, WIDTH]),
    value: spec([WIDTH, WIDTH]),
    output: spec([WIDTH, WIDTH]),
    mlpGain: spec([WIDTH]),
    up: spec([WIDTH, 4 * WIDTH]),
    down: spec([4 * WIDTH, WIDTH]),
  },
  gain: spec([WIDTH]),
};
const TOKENS = { ids: spec([null, TIME], "int32"), labels: spec([null, TIME], "int32") };

function product(x: tf.Tensor, w: tf.Tensor): tf.Tensor {
  return tf.matMul(x.reshape([-1, w.shape[0]!]), w as tf.Tensor2D).reshape([...x.shape.slice(0, -1), w.shape[1]!]);
}

function languageLoss(params: Traced<typeof MODEL>, batch: Traced<typeof TOKENS>): tf.Tensor {
  const { block } = params;
  const [rows, time] = batch.ids.shape as [number, number];
  const heads = (x: tf.Tensor) => x.reshape([rows, time, HEADS, WIDTH / HEADS]).transpose([0, 2, 1, 3]);
  let x = embedding(params.embedding, batch.ids).add(params.positions);
  const normed = rmsNorm(x, block.gain);
  const q = heads(product(normed, block.query));
  const k = heads(product(normed, block.key));
  const v = heads(product(normed, block.value));
  const attended = causalAttention(q, k, v).transpose([0, 2, 1, 3]).reshape([rows, time, WIDTH]);
  x = x.add(product(attended, block.output));
  x = x.add(product(product(rmsNorm(x, block.mlpGain), block.up).relu(), block.down));
  const logits = product(rmsNorm(x, params.gain), params.embedding.transpose());
  return softmaxCrossEntropy(logits, batch.labels).mean();
}

const startModel = () =>
  mapTree(MODEL, isSpec, ({ shape }, path) =>
    path.toLowerCase().endsWith("gain")
      ? tensorData(new Float32Array(WIDTH).fill(1), shape as number[])
      : normal(shape as number[], path, 0.1),
  ) as unknown as Inputs<typeof MODEL>;

const random = createRandom("windows");
const windows = Array.from({ length: 200 }, () => {
  const starts = Array.from({ length: ROWS }, () => random.integer(CODES.length - TIME));
  const take = (shift: number) =>
    tensorData(Int32Array.from(starts.flatMap((at) => CODES.slice(at + shift, at + shift + TIME))), [ROWS, TIME]);
  return { ids: take(0), labels: take(1) };
});

describe("a model of characters", () => {
  const optimizer = adamW({ weightDecay: 0.1, decays: (_, shape) => shape.length > 1 });
  const schedule = warmupLinear({ peak: 0.01, steps: 200, warmup: 5, floor: 0.001 });

  it("learns in 200 steps, and its first 20 losses are TensorFlow.js's", async () => {
    const training = compileTrainingStep({
      loss: ({ params, batch }) => ({ loss: languageLoss(params, batch) }),
      params: MODEL,
      batch: TOKENS,
      optimizer,
      learningRate: schedule,
      threads: 1,
    });
    let state = training.init(startModel());
    const losses: number[] = [];
    for (const batch of windows) {
      const result = await training.step(state, batch);
      state = result.state;
      losses.push(result.loss);
    }
    await training.dispose();

    const expected: number[] = [];
    let eager = mapTree({ params: startModel(), state: optimizer.init(startModel()) }, isData, toTensor) as unknown as {
      params: Traced<typeof MODEL>;
      state: Parameters<typeof optimizer.update>[0]["state"];
    };
    for (const [i, batch] of windows.slice(0, 20).entries()) {
      const before = eager;
      eager = tf.tidy(() => {
        const tensors = mapTree(batch, isData, toTensor) as unknown as Traced<typeof TOKENS>;
        const { value, gradients } = valueAndGradients((params: Traced<typeof MODEL>) => languageLoss(params, tensors))(
          before.params,
        );
        expected.push(value.dataSync()[0]!);
        return optimizer.update({
          ...before,
          gradients,
          learningRate: schedule(i + 1),
        }) as never;
      });
      tf.dispose(before as never);
    }
    tf.dispose(eager as never);

    expect(losses[0]).toBeCloseTo(Math.log(ALPHABET.length), 0);
    expectNumbers(losses.slice(0, 20), expected, 1e-3);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-20))).toBeLessThan(0.6 * mean(losses.slice(0, 5)));
  });

  it("makes 1,000 steps without a tensor of TensorFlow.js left over", async () => {
    const training = linear({ clipNorm: 1 });
    let state = training.init(start(), frozen);
    ({ state } = await training.step(state, rows(0, 12)));
    ({ state } = await training.step(state, rows(0, 6), rows(6, 12)));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 500; i++) {
      ({ state } = await training.step(state, rows(0, 12)));
      ({ state } = await training.step(state, rows(0, 6), rows(6, 12)));
    }
    expect(tf.memory().numTensors).toBe(before);
    expect(flat(state.optimizer.step)).toEqual([1002]);
    expect(flat(state.params).every(Number.isFinite)).toBe(true);
    await training.dispose();
  });
});
