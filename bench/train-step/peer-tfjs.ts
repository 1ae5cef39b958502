import * as tfjs from "@tensorflow/tfjs";
import { ThoughtbookError } from "thoughtbook/core";
import { adamW, type TrainingState } from "./adamw.js";
import { modelLoss } from "./models.js";
import { plainOperations } from "./operations.js";
import { importFrom } from "./packages.js";
import type { Problem } from "./problem.js";
import { type PeerArguments, serveTrainer, type Trainer } from "./trainer.js";

type TensorFlow = typeof tfjs;

/** TensorFlow.js as it is: each operation at once, on its wasm backend or on tfjs-node's. */
await serveTrainer(async (problem, options) => {
  const tf = await tensorFlowOf(options);
  const threads = options.backend === "wasm" ? await startWasm(options.threads) : null;
  return eagerTrainer(tf, problem, threads);
});

async function tensorFlowOf({ backend, folder }: PeerArguments): Promise<TensorFlow> {
  if (backend !== "node") return tfjs;
  const module = await importFrom<TensorFlow & { default?: TensorFlow }>("@tensorflow/tfjs-node", folder ?? ".");
  return module.default ?? module;
}

/** @returns the threads the backend got; in Node its threaded build may not be available */
async function startWasm(threads: number): Promise<number> {
  const { setThreadsCount, getThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  setThreadsCount(threads);
  if (!(await tfjs.setBackend("wasm"))) {
    throw new ThoughtbookError("execution", "TensorFlow.js's wasm backend does not start");
  }
  const threaded = await tfjs.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT");
  return threaded ? getThreadsCount() : 1;
}

function eagerTrainer(tf: TensorFlow, problem: Problem, threads: number | null): Trainer {
  const { config, shapes, optimizer, weights } = problem;
  const { batch, time } = config;
  const operations = plainOperations(tf);
  const names = Object.keys(shapes);
  const filled = (values: (name: string) => Float32Array) =>
    Object.fromEntries(names.map((name) => [name, tf.tensor(values(name), [...shapes[name]!])]));
  const zeros = () => filled((name) => new Float32Array(weights[name]!.length));
  let state: TrainingState = { parameters: filled((name) => weights[name]!), first: zeros(), second: zeros() };
  const ids = tf.tensor2d(problem.ids, [batch, time], "int32");
  const targets = tf.tensor1d(problem.targets, "int32");
  let steps = 0;
  const tensorsOf = ({ parameters, first, second }: TrainingState) =>
    [parameters, first, second].flatMap((tree) => Object.values(tree));
  const trained = (): { loss: tfjs.Tensor; next: TrainingState } => {
    const loss = (...parameters: tfjs.Tensor[]): tfjs.Scalar => {
      const named = Object.fromEntries(names.map((name, i) => [name, parameters[i]!]));
      return modelLoss(tf, operations, config, named, ids, targets) as tfjs.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state.parameters[name]!));
    return { loss: value, next: adamW(tf, optimizer, state, grads, tf.scalar(steps + 1)) };
  };
  return {
    versions: Object.fromEntries(Object.entries(tf.version)),
    threads,
    async step() {
      tf.engine().startScope();
      const { loss, next } = trained();
      const value = loss.dataSync()[0]!;
      // Backends that compute in the background have to have finished the update as well.
      for (const tensor of Object.values(next.parameters)) if (tf.getBackend() !== "wasm") tensor.dataSync();
      for (const tensor of tensorsOf(next)) tf.keep(tensor);
      tf.engine().endScope();
      tf.dispose(tensorsOf(state));
      state = next;
      steps++;
      return value;
    },
  };
}
