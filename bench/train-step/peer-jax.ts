import type { GptConfig, LlamaConfig, ModelConfig } from "./models.js";
import { findPackage, importFrom } from "./packages.js";
import { type AdamWSettings, hasDecay, type Problem } from "./problem.js";
import { serveTrainer, type Trainer } from "./trainer.js";

/** An array of jax-js. Using one as an argument gives it up; `ref` keeps it for another use. */
interface JaxArray {
  readonly ref: JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  sum(axis?: number): JaxArray;
  mean(axis?: number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  astype(dtype: unknown): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type JaxTree = { [name: string]: JaxArray };

/** `@jax-js/jax`, as far as it is used. */
interface Jax {
  init(): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<Arguments extends unknown[], Result>(fn: (...inputs: Arguments) => Result): (...inputs: Arguments) => Result;
  valueAndGrad<Arguments extends unknown[]>(
    fn: (...inputs: Arguments) => JaxArray,
  ): (...inputs: Arguments) => [JaxArray, Arguments[0]];
  blockUntilReady<T>(value: T): Promise<T>;
  tree: { ref<T>(tree: T): T };
  numpy: {
    float32: unknown;
    int32: unknown;
    array(values: Float32Array | Int32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    transpose(a: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    mean(x: JaxArray, axis: number, options: { keepdims: boolean }): JaxArray;
    power(base: number, exponent: JaxArray): JaxArray;
    split(x: JaxArray, sections: number, axis: number): JaxArray[];
    concatenate(xs: JaxArray[], axis: number): JaxArray;
  };
  nn: {
    oneHot(ids: JaxArray, classes: number): JaxArray;
    relu(x: JaxArray): JaxArray;
    silu(x: JaxArray): JaxArray;
    logSoftmax(x: JaxArray): JaxArray;
    dotProductAttention(q: JaxArray, k: JaxArray, v: JaxArray, options: { isCausal: boolean }): JaxArray;
  };
}

const PACKAGE = "@jax-js/jax";
const EPSILON = 1e-5;

/** jax-js on its wasm backend: loss, gradients and update in one jitted function. */
await serveTrainer(async (problem, { folder = "." }) => {
  // Node 20 has no `navigator`, which jax-js reads.
  (globalThis as { navigator?: unknown }).navigator ??= {};
  const jax = await importFrom<Jax>(PACKAGE, folder);
  await jax.init();
  jax.defaultDevice("wasm");
  return jaxTrainer(jax, problem, findPackage(PACKAGE, folder)?.version ?? "unknown");
});

interface Batch {
  [name: string]: JaxArray;
  /** One-hot rows, as jax-js's scattered sums are no faster. */
  chosen: JaxArray;
  wanted: JaxArray;
}

interface State {
  parameters: JaxTree;
  first: JaxTree;
  second: JaxTree;
}

function jaxTrainer(jax: Jax, problem: Problem, version: string): Trainer {
  const { config, shapes, optimizer, weights } = problem;
  const { numpy: np, nn } = jax;
  const names = Object.keys(shapes);
  const filled = (values: (name: string) => Float32Array): JaxTree =>
    Object.fromEntries(names.map((name) => [name, np.array(values(name)).reshape(shapes[name]!)]));
  const zeros = () => filled((name) => new Float32Array(weights[name]!.length));
  const oneHot = (ids: Int32Array) => nn.oneHot(np.array(ids), config.vocabulary).astype(np.float32);
  const batch: Batch = { chosen: oneHot(problem.ids), wanted: oneHot(problem.targets) };
  const tables = config.family === "llama" ? rotaryTables(jax, config) : {};
  const gradient = jax.valueAndGrad((parameters: JaxTree, given: Batch, rotation: JaxTree) =>
    jaxLoss(jax, config, parameters, given, rotation),
  );
  const train = jax.jit((state: State, given: Batch, rotation: JaxTree, step: JaxArray) => {
    const [loss, gradients] = gradient(jax.tree.ref(state.parameters), given, rotation);
    return { loss, state: jaxAdamW(jax, optimizer, shapes, state, gradients, step) };
  });
  let state: State = { parameters: filled((name) => weights[name]!), first: zeros(), second: zeros() };
  let steps = 0;
  return {
    versions: { [PACKAGE]: version },
    threads: null,
    async step() {
      steps++;
      const step = np.array(Float32Array.of(steps)).reshape([]);
      const result = train(state, jax.tree.ref(batch), jax.tree.ref(tables), step);
      state = await jax.blockUntilReady(result.state);
      return (await result.loss.data())[0]!;
    },
  };
}

function jaxAdamW(
  { numpy: np }: Jax,
  { learningRate, beta1, beta2, epsilon, weightDecay }: AdamWSettings,
  shapes: Problem["shapes"],
  { parameters, first, second }: State,
  gradients: JaxTree,
  step: JaxArray,
): State {
  const firstCorrection = np.power(beta1, step.ref).mul(-1).add(1);
  const secondCorrection = np.power(beta2, step).mul(-1).add(1);
  const next: State = { parameters: {}, first: {}, second: {} };
  for (const [name, weights] of Object.entries(parameters)) {
    const gradient = gradients[name]!;
    const m = first[name]!.mul(beta1).add(gradient.ref.mul(1 - beta1));
    const v = second[name]!.mul(beta2).add(np.square(gradient).mul(1 - beta2));
    const scale = np.sqrt(v.ref.div(secondCorrection.ref)).add(epsilon);
    const update = m.ref.div(firstCorrection.ref).div(scale).mul(learningRate);
    const kept = hasDecay(shapes[name]!) ? weights.mul(1 - learningRate * weightDecay) : weights;
    next.parameters[name] = kept.sub(update);
    next.first[name] = m;
    next.second[name] = v;
  }
  firstCorrection.dispose();
  secondCorrection.dispose();
  return next;
}

function jaxLoss(jax: Jax, config: ModelConfig, p: JaxTree, { chosen, wanted }: Batch, rotation: JaxTree): JaxArray {
  const { numpy: np, nn } = jax;
  const { batch, time, width } = config;
  const embedded = np.matmul(chosen, p.embedding!.ref);
  const hidden =
    config.family === "gpt"
      ? gptLayers(jax, config, p, embedded.reshape([batch, time, width]).add(p.positions!).reshape([-1, width]))
      : llamaLayers(jax, config, p, embedded, rotation);
  const logits = np.matmul(hidden, np.transpose(p.embedding!));
  return nn.logSoftmax(logits).mul(wanted).sum(-1).mul(-1).mean();
}

function rmsNorm({ numpy: np }: Jax, x: JaxArray, gain: JaxArray): JaxArray {
  const mean = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.div(np.sqrt(mean.add(EPSILON))).mul(gain);
}

function gptLayers(jax: Jax, { batch, time, heads, width, layers }: GptConfig, p: JaxTree, x: JaxArray): JaxArray {
  const { numpy: np, nn } = jax;
  let h = x;
  for (let layer = 0; layer < layers; layer++) {
    const normed = rmsNorm(jax, h.ref, p[`norm1_${layer}`]!);
    const [q, k, v] = ["q", "k", "v"].map((name) =>
      np.matmul(normed.ref, p[`${name}${layer}`]!).reshape([batch, time, heads, width / heads]),
    );
    normed.dispose();
    const attended = nn.dotProductAttention(q!, k!, v!, { isCausal: true }).reshape([batch * time, width]);
    h = h.add(np.matmul(attended, p[`o${layer}`]!));
    const up = np.matmul(rmsNorm(jax, h.ref, p[`norm2_${layer}`]!), p[`up${layer}`]!);
    h = h.add(np.matmul(np.square(nn.relu(up)), p[`down${layer}`]!));
  }
  return h;
}

function llamaLayers(jax: Jax, config: LlamaConfig, p: JaxTree, x: JaxArray, { cos, sin }: JaxTree): JaxArray {
  const { numpy: np, nn } = jax;
  const { batch, time, heads, keyHeads, width, layers } = config;
  const rotate = (y: JaxArray) => {
    const [first, second] = np.split(y, 2, -1) as [JaxArray, JaxArray];
    const left = first.ref.mul(cos!.ref).sub(second.ref.mul(sin!.ref));
    return np.concatenate([left, second.mul(cos!.ref).add(first.mul(sin!.ref))], -1);
  };
  let h = x;
  for (let layer = 0; layer < layers; layer++) {
    const normed = rmsNorm(jax, h.ref, p[`norm1_${layer}`]!);
    const project = (name: string, count: number) =>
      np.matmul(normed.ref, p[`${name}${layer}`]!).reshape([batch, time, count, width / heads]);
    const [q, k, v] = [rotate(project("q", heads)), rotate(project("k", keyHeads)), project("v", keyHeads)];
    normed.dispose();
    const attended = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch * time, width]);
    h = h.add(np.matmul(attended, p[`o${layer}`]!));
    const inner = rmsNorm(jax, h.ref, p[`norm2_${layer}`]!);
    const gate = nn.silu(np.matmul(inner.ref, p[`gate${layer}`]!));
    h = h.add(np.matmul(gate.mul(np.matmul(inner, p[`up${layer}`]!)), p[`down${layer}`]!));
  }
  cos!.dispose();
  sin!.dispose();
  return rmsNorm(jax, h, p.norm!);
}

/** Cosines and sines as `[time, 1, headWidth / 2]`: jax-js has heads behind time. */
function rotaryTables({ numpy: np }: Jax, { time, width, heads, rotaryBase }: LlamaConfig): JaxTree {
  const half = width / heads / 2;
  const table = (wave: (angle: number) => number) =>
    np
      .array(
        Float32Array.from({ length: time * half }, (_, i) =>
          wave(Math.floor(i / half) * rotaryBase ** (-(i % half) / half)),
        ),
      )
      .reshape([time, 1, half]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
