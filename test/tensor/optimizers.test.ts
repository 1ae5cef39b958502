import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import {
  adamW,
  compile,
  type Optimizer,
  type OptimizerState,
  sgd,
  spec,
  type TensorData,
  tensorData,
  toTensor,
} from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { clippingScale, globalNorm } from "../../lib/dist/tensor/optimizers/clipping.js";
import { leavesOf, mapTree } from "../../lib/dist/tensor/tree.js";

interface Kept {
  norm: number;
  params: Record<string, number[]>;
}

/** Computed by PyTorch with the script in the file's `madeBy`. */
const PYTORCH = JSON.parse(readFileSync(new URL("./pytorch-optimizers.json", import.meta.url), "utf8")) as {
  cases: Record<string, Record<string, Kept>>;
};

const SHAPES: Record<string, number[]> = { "layers.0.w": [3, 4], "layers.0.b": [4], "layers.1.w": [2, 3, 2] };
const STEPS = 20;
const matrices = (path: string) => path.endsWith("w");

const CASES: { name: string; optimizer: Optimizer; clip?: number }[] = [
  { name: "adamw", optimizer: adamW() },
  {
    name: "adamwDecayOfMatrices",
    optimizer: adamW({ beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.3, decays: matrices }),
  },
  { name: "adamwClipped", optimizer: adamW({ weightDecay: 0.1 }), clip: 1 },
  { name: "sgd", optimizer: sgd() },
  { name: "sgdMomentum", optimizer: sgd({ momentum: 0.9, weightDecay: 0.1 }), clip: 1 },
  {
    name: "sgdNesterov",
    optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.2, decays: matrices }),
  },
];

const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;
const isData = (value: unknown): value is TensorData => typeof value === "object" && value !== null && "data" in value;

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const values = (seed: number, shape: number[], factor = 1): TensorData =>
  tensorData(
    Float32Array.from({ length: size(shape) }, (_, i) => Math.fround(Math.sin(1.7 * seed + 0.9 * i)) * factor),
    shape,
  );

type Params<T> = { layers: [{ w: T; b: T }, { w: T }] };
const tree = <T>(make: (shape: number[], place: number) => T): Params<T> => ({
  layers: [{ w: make([3, 4], 0), b: make([4], 1) }, { w: make([2, 3, 2], 2) }],
});
const gradientsAt = (step: number): Params<TensorData> =>
  tree((shape, k) => values(10 * step + k, shape, step === 3 ? 0 : step % 2 === 1 ? 0.01 : 3));

/** Parameters and norms after each step, from a function that makes one update on host data. */
type Step = (inputs: {
  params: Params<TensorData>;
  state: OptimizerState<TensorData>;
  gradients: Params<TensorData>;
  rate: TensorData;
}) => Promise<{ params: Params<TensorData>; state: OptimizerState<TensorData>; norm: number }>;

async function run(optimizer: Optimizer, step: Step): Promise<{ norm: number; params: Record<string, number[]> }[]> {
  let params = tree((shape, k) => values(k, shape));
  let state = optimizer.init(params);
  const steps = [];
  for (let t = 1; t <= STEPS; t++) {
    const updated = await step({ params, state, gradients: gradientsAt(t), rate: tensorData([0.05 / t], []) });
    ({ params, state } = updated);
    steps.push({
      norm: updated.norm,
      params: Object.fromEntries(leavesOf(params, isData).map(({ path, value }) => [path, [...value.data]])),
    });
  }
  return steps;
}

function update(
  optimizer: Optimizer,
  clip: number | undefined,
  inputs: {
    params: Params<tf.Tensor>;
    state: OptimizerState<tf.Tensor>;
    gradients: Params<tf.Tensor>;
    rate: tf.Tensor;
  },
) {
  const { params, state, gradients, rate } = inputs;
  const norm = globalNorm(gradients);
  const gradientScale = clip === undefined ? 1 : clippingScale(norm, clip);
  return {
    ...optimizer.update({ params, gradients, state, learningRate: rate, gradientScale }),
    norm,
  };
}

function compiledStep(optimizer: Optimizer, clip?: number): Step {
  const specs = tree((shape) => spec(shape));
  const state = {
    step: spec([]),
    ...Object.fromEntries(optimizer.moments.map((name) => [name, specs])),
  };
  const step = compile(
    (inputs) => update(optimizer, clip, inputs as never) as unknown as Record<string, tf.Tensor>,
    { params: specs, state, gradients: specs, rate: spec([]) } as unknown as Record<string, ReturnType<typeof spec>>,
    { donate: ["params", "state"], threads: 1 },
  );
  return async (inputs) => {
    const { params, state, norm } = (await step(inputs as never)) as never as Record<string, never>;
    return { params: params!, state: state!, norm: Number((norm as unknown as TensorData).data[0]) };
  };
}

function eagerStep(optimizer: Optimizer, clip?: number): Step {
  return async (inputs) => {
    await tf.setBackend("cpu");
    const before = tf.memory().numTensors;
    let result: Awaited<ReturnType<Step>> | undefined;
    tf.tidy(() => {
      const updated = update(optimizer, clip, mapTree(inputs, isData, toTensor) as never);
      const { norm, ...rest } = updated;
      const data = mapTree(rest, isTensor, (tensor) => tensorData(tensor.dataSync<"float32">().slice(), tensor.shape));
      result = { ...(data as unknown as Awaited<ReturnType<Step>>), norm: norm.dataSync()[0]! };
    });
    expect(tf.memory().numTensors).toBe(before);
    return result!;
  };
}

function expectClose(given: readonly number[], expected: readonly number[]): void {
  expect(given.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  for (const [i, x] of expected.entries()) expect(Math.abs(given[i]! - x)).toBeLessThanOrEqual(1e-5 * scale);
}

describe("optimizers", () => {
  it.each(CASES)("$name makes PyTorch's updates, compiled and eagerly", async ({ name, optimizer, clip }) => {
    tf.enableProdMode();
    const compiled = await run(optimizer, compiledStep(optimizer, clip));
    const eager = await run(optimizer, eagerStep(optimizer, clip));
    for (const [step, kept] of Object.entries(PYTORCH.cases[name]!)) {
      for (const path of Object.keys(SHAPES)) {
        expectClose(compiled[Number(step) - 1]!.params[path]!, kept.params[path]!);
        expectClose(eager[Number(step) - 1]!.params[path]!, kept.params[path]!);
      }
      expectClose([compiled[Number(step) - 1]!.norm], [kept.norm]);
    }
    for (const [t, { params, norm }] of compiled.entries()) {
      expectClose([norm], [eager[t]!.norm]);
      for (const path of Object.keys(SHAPES)) expectClose(params[path]!, eager[t]!.params[path]!);
    }
  });

  it("keeps few passes over memory: AdamW in 11 operations a parameter, 12 with clipping", async () => {
    const shape = [64, 64];
    const count = async (clip?: number) => {
      const optimizer = adamW();
      const one = { w: spec(shape) };
      const nodes = async (specs: Record<string, ReturnType<typeof spec>>) => {
        const step = compile(
          (inputs) => update(optimizer, clip, inputs as never) as unknown as Record<string, tf.Tensor>,
          {
            params: specs,
            state: { step: spec([]), firstMoment: specs, secondMoment: specs },
            gradients: specs,
            rate: spec([]),
          } as never,
          { threads: 1 },
        );
        const data = mapTree(
          specs,
          (value): value is ReturnType<typeof spec> => Object.hasOwn(value as object, "shape"),
          () => values(1, shape),
        ) as Record<string, TensorData>;
        const rows = await step.profile(
          { params: data, state: optimizer.init(data), gradients: data, rate: tensorData([0.1], []) } as never,
          { runs: 1 },
        );
        await step.dispose();
        return rows.reduce((sum, row) => sum + row.nodes, 0);
      };
      return (await nodes({ ...one, v: spec(shape) })) - (await nodes(one));
    };
    // The norm adds a sum of squares and one term of the sum over parameters.
    expect(await count()).toBeLessThanOrEqual(11 + 2);
    expect(await count(1)).toBeLessThanOrEqual(12 + 2);
  });

  it("keeps what PyTorch keeps, as sums", async () => {
    const optimizer = adamW({ beta1: 0.5, beta2: 0.75 });
    const step = compiledStep(optimizer);
    const params = tree((shape, k) => values(k, shape));
    const gradients = gradientsAt(1);
    const inputs = { params, gradients, rate: tensorData([0.1], []) };
    const first = await step({ ...inputs, state: optimizer.init(params) });
    const { state } = await step({ ...inputs, params: first.params, state: first.state });
    expect([...(state.step as TensorData).data]).toEqual([2]);
    const g = [...gradients.layers[0].b.data];
    const moment = (name: string) => [...((state[name] as Params<TensorData>).layers[0].b.data as Float32Array)];
    expectClose(
      moment("firstMoment"),
      g.map((x) => 1.5 * x),
    );
    expectClose(
      moment("secondMoment"),
      g.map((x) => 1.75 * x * x),
    );
  });

  it("takes the learning rate as a number", () => {
    const updated = tf.tidy(() => {
      const params = { w: tf.tensor1d([1, 2]) };
      const { params: after } = sgd().update({
        params,
        gradients: { w: tf.tensor1d([1, -1]) },
        state: { step: tf.scalar(0) },
        learningRate: 0.5,
      });
      return [...after.w.dataSync()];
    });
    expect(updated).toEqual([0.5, 2.5]);
  });

  it("says which tensor does not fit", () => {
    tf.tidy(() => {
      const params = { w: tf.zeros([2]), b: tf.zeros([1]) };
      const state = { step: tf.scalar(0) };
      const update = (gradients: unknown) => () =>
        sgd().update({ params, gradients: gradients as typeof params, state, learningRate: 1 });
      expect(update({ w: tf.zeros([2]) })).toThrow("gradients: b is missing, expected [1] like the parameter");
      expect(update({ w: tf.zeros([3]), b: tf.zeros([1]) })).toThrow("gradients: w is [3], expected [2]");
      expect(update({ ...params, c: tf.zeros([1]) })).toThrow("there is no parameter c");
      expect(() => adamW().update({ params, gradients: params, state, learningRate: 1 })).toThrow(
        "firstMoment: w is missing",
      );
    });
  });

  it("refuses options outside of their range", () => {
    expect(() => adamW({ beta1: 1 })).toThrow("beta1 is 1, expected a number from 0 up to, not including, 1");
    expect(() => adamW({ beta2: Number.NaN })).toThrow("beta2 is NaN");
    expect(() => adamW({ epsilon: -1 })).toThrow("epsilon is -1, expected a finite number, 0 or more");
    expect(() => sgd({ weightDecay: Number.POSITIVE_INFINITY })).toThrow("weightDecay");
    expect(() => sgd({ nesterov: true })).toThrow("nesterov needs a momentum");
  });
});

describe("clipping", () => {
  const clip = (gradients: unknown, maxNorm: number) =>
    tf.tidy(() => {
      const norm = globalNorm(gradients);
      return [clippingScale(norm, maxNorm).dataSync()[0]!, norm.dataSync()[0]!];
    });

  it("scales by the norm of everything together", () => {
    const gradients = { a: tf.tensor1d([3]), b: [tf.tensor2d([[0, 4]])] };
    const [scale, norm] = clip(gradients, 1);
    expect(norm).toBeCloseTo(5, 6);
    expect(scale).toBeCloseTo(1 / (5 + 1e-6), 6);
    expect(clip(gradients, 6)[0]).toBe(1);
    tf.dispose([gradients.a, ...gradients.b]);
  });

  it("leaves zeros alone", () => {
    const gradients = { a: tf.zeros([4]) };
    expect(clip(gradients, 1)).toEqual([1, 0]);
    gradients.a.dispose();
  });

  it("is exact for long sums too, compiled", async () => {
    // Above the size at which one running sum in float32 would do.
    const shape = [2048, 1024];
    const x = tensorData(
      Float32Array.from({ length: size(shape) }, (_, i) => 0.5 + Math.sin(i) / 2),
      shape,
    );
    const expected = Math.sqrt(x.data.reduce((sum, value) => sum + value * value, 0));
    const norm = compile(({ x }) => ({ norm: globalNorm({ x }) }), { x: spec(shape) }, { threads: 1 });
    expect(Math.abs((await norm({ x })).norm.data[0]! / expected - 1)).toBeLessThan(1e-5);
    await norm.dispose();
  });

  it("costs nothing for gradients known to be zero", async () => {
    const shape = [1024, 1024];
    const norm = compile(({ x }) => ({ norm: globalNorm([tf.zerosLike(x)]) }), { x: spec(shape) }, { threads: 1 });
    expect((await norm({ x: values(1, shape) })).norm.data[0]).toBe(0);
    await norm.dispose();
  });
});
