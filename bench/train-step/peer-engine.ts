import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import * as tf from "@tensorflow/tfjs";
import {
  adamW,
  causalAttention,
  compile,
  compileTrainingStep,
  embedding,
  rmsNorm,
  rotary,
  sizeOf,
  softmaxCrossEntropy,
  spec,
  squaredRelu,
  swiGlu,
  type TensorData,
  tensorData,
} from "thoughtbook/tensor";
import { spreadOf } from "../shared/statistics.js";
import { modelLoss } from "./models.js";
import type { Operations } from "./operations.js";
import { hasDecay, type Problem } from "./problem.js";
import { serveTrainer, type Trainer } from "./trainer.js";

const require = createRequire(import.meta.url);
const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;

/** Results below this are repeated inside one call, so that the cost of a call does not count. */
const FLOPS_A_CALL = 1e9;
const MAXIMUM_PRODUCTS_A_CALL = 16;

/** This engine: the whole step, update included, as one compiled function with its fused operations. */
function engineTrainer(problem: Problem, threads: number): Trainer {
  const { config, shapes, optimizer, weights } = problem;
  const { batch, time } = config;
  const operations: Operations = {
    embedding,
    rmsNorm,
    causalAttention,
    squaredRelu,
    swiGlu,
    softmaxCrossEntropy,
    rotary: (x, table) => rotary(x, tf.range(0, time, 1, "int32").reshape([1, time]).tile([batch, 1]), table),
  };
  const { learningRate, ...settings } = optimizer;
  const training = compileTrainingStep({
    loss: ({ params, batch: { ids, targets } }) => ({ loss: modelLoss(tf, operations, config, params, ids, targets) }),
    params: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, spec(shape)])),
    batch: { ids: spec([batch, time], "int32"), targets: spec([batch * time], "int32") },
    optimizer: adamW({ ...settings, decays: (_, shape) => hasDecay(shape) }),
    learningRate,
    threads,
  });
  const data = { ids: tensorData(problem.ids, [batch, time]), targets: tensorData(problem.targets) };
  let state = training.init(
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tensorData(weights[name]!, shape)])),
  );
  return {
    versions: {
      "onnxruntime-node": versionOf("onnxruntime-node"),
      "@tensorflow/tfjs": tf.version_core,
    },
    threads,
    compile: () => training.prepare(state, data),
    async step() {
      const result = await training.step(state, data);
      state = result.state;
      return result.loss;
    },
    product: productTimer(threads),
  };
}

/** Times of products through compiled TensorFlow.js products. */
function productTimer(threads: number): NonNullable<Trainer["product"]> {
  return async (product, milliseconds) => {
    const { batch, m, k, n, transposeA, transposeB } = product;
    const repeats = Math.min(MAXIMUM_PRODUCTS_A_CALL, Math.ceil(FLOPS_A_CALL / (2 * batch * m * k * n)));
    const lead = batch === 1 ? [] : [batch];
    const shapes = {
      a: [...lead, ...(transposeA ? [k, m] : [m, k])],
      b: [...lead, ...(transposeB ? [n, k] : [k, n])],
      y: [...lead, m, n],
    };
    const list = <T>(value: (i: number) => T): T[] => Array.from({ length: repeats }, (_, i) => value(i));
    const multiply = compile(
      // The results before last are an input only to give their memory back.
      ({ a, bs }) => ({ previous: bs.map((b) => tf.matMul(a, b, transposeA, transposeB)) }),
      { a: spec(shapes.a), bs: list(() => spec(shapes.b)), previous: list(() => spec(shapes.y)) },
      { donate: ["previous"], threads },
    );
    const random = (shape: number[]) => tensorData(Float32Array.from({ length: sizeOf(shape) }, Math.random), shape);
    const factors = { a: random(shapes.a), bs: list(() => random(shapes.b)) };
    let previous: TensorData[] = list(() => tensorData(new Float32Array(sizeOf(shapes.y)), shapes.y));
    const times: number[] = [];
    const end = performance.now() + milliseconds;
    // The first calls compile and fill both sets of buffers.
    for (let call = 0; times.length < 3 || performance.now() < end; call++) {
      const start = performance.now();
      ({ previous } = await multiply({ ...factors, previous }));
      if (call > 1) times.push(performance.now() - start);
    }
    await multiply.dispose();
    return spreadOf(times).median / 1000 / repeats;
  };
}

await serveTrainer(async (problem, { threads }) => engineTrainer(problem, threads));
