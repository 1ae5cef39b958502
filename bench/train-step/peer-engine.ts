import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";
import {
  adamW,
  causalAttention,
  compileTrainingStep,
  embedding,
  rmsNorm,
  rotary,
  softmaxCrossEntropy,
  spec,
  squaredRelu,
  swiGlu,
  tensorData,
} from "thoughtbook/tensor";
import { productTimer } from "../shared/product-timer.js";
import { modelLoss } from "./models.js";
import type { Operations } from "./operations.js";
import { hasDecay, type Problem } from "./problem.js";
import { serveTrainer, type Trainer } from "./trainer.js";

const require = createRequire(import.meta.url);
const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;

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

await serveTrainer(async (problem, { threads }) => engineTrainer(problem, threads));
