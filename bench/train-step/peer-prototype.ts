import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as tfjs from "@tensorflow/tfjs";
import { adamW } from "./adamw.js";
import { modelLoss } from "./models.js";
import { plainOperations } from "./operations.js";
import type { Problem } from "./problem.js";
import { serveTrainer, type Trainer } from "./trainer.js";

/** The throw-away engine's `trace.mjs`, as far as it is used. It has its own TensorFlow.js. */
interface Prototype {
  tf: typeof tfjs;
  ort: { Tensor: new (type: string, data: Float32Array | Int32Array, dims: readonly number[]) => OrtTensor };
  compile(
    fn: (...inputs: tfjs.Tensor[]) => tfjs.Tensor[],
    specs: readonly { shape: readonly number[]; dtype: string }[],
    threads: number,
  ): Promise<{ sess: { run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> } }>;
}

interface OrtTensor {
  data: Float32Array;
}

/** The engine this one replaces, as in `gpt_train_step.mjs` beside its `trace.mjs`: no fused operations, no buffers used again. */
await serveTrainer(async (problem, { threads, folder = "." }) => {
  const prototype = (await import(pathToFileURL(join(folder, "trace.mjs")).href)) as Prototype;
  return prototypeTrainer(prototype, problem, threads);
});

function prototypeTrainer({ tf, ort, compile }: Prototype, problem: Problem, threads: number): Trainer {
  const { config, shapes, optimizer, weights } = problem;
  const { batch, time } = config;
  const names = Object.keys(shapes);
  const count = names.length;
  const operations = plainOperations(tf);
  const tree = (tensors: tfjs.Tensor[]) => Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
  const traced = (...inputs: tfjs.Tensor[]): tfjs.Tensor[] => {
    const parameters = inputs.slice(0, count);
    const [ids, targets, step] = inputs.slice(3 * count) as [tfjs.Tensor, tfjs.Tensor, tfjs.Tensor];
    const loss = (...given: tfjs.Tensor[]) =>
      modelLoss(tf, operations, config, tree(given), ids, targets) as tfjs.Scalar;
    const { value, grads } = tf.valueAndGrads(loss)(parameters);
    const state = {
      parameters: tree(parameters),
      first: tree(inputs.slice(count, 2 * count)),
      second: tree(inputs.slice(2 * count, 3 * count)),
    };
    const next = adamW(tf, optimizer, state, grads, step);
    return [value, ...[next.parameters, next.first, next.second].flatMap((part) => Object.values(part))];
  };
  const float = (shape: readonly number[]) => ({ shape, dtype: "float32" });
  const weightSpecs = names.map((name) => float(shapes[name]!));
  const specs = [
    ...[weightSpecs, weightSpecs, weightSpecs].flat(),
    { shape: [batch, time], dtype: "int32" },
    { shape: [batch * time], dtype: "int32" },
    float([]),
  ];
  const tensors = (values: (name: string) => Float32Array) =>
    names.map((name) => new ort.Tensor("float32", values(name), shapes[name]!));
  const zeros = () => tensors((name) => new Float32Array(weights[name]!.length));
  let state = [...tensors((name) => weights[name]!), ...zeros(), ...zeros()];
  const ids = new ort.Tensor("int32", problem.ids, [batch, time]);
  const targets = new ort.Tensor("int32", problem.targets, [batch * time]);
  let session: Awaited<ReturnType<typeof compile>>["sess"];
  let steps = 0;
  return {
    versions: {},
    threads,
    async compile() {
      const start = performance.now();
      session = (await compile(traced, specs, threads)).sess;
      return performance.now() - start;
    },
    async step() {
      steps++;
      const step = new ort.Tensor("float32", Float32Array.of(steps), []);
      const feeds = Object.fromEntries([...state, ids, targets, step].map((tensor, i) => [`in${i}`, tensor]));
      const results = await session.run(feeds);
      state = state.map((_, i) => results[`out${i + 1}`]!);
      return results.out0!.data[0]!;
    },
  };
}
