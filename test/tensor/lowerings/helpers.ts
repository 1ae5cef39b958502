import * as tf from "@tensorflow/tfjs";
import { createRandom, type Random } from "thoughtbook/core";
import { compile, type DType, sizeOf, spec, type TensorData, type TensorSpec, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { expectClose, toTensor } from "../helpers.js";

/** Makes one input of a case. */
export type Make = (random: Random) => TensorData;

/** One use of TensorFlow.js to be compiled and compared with the cpu backend. */
export interface Case {
  name: string;
  inputs: Make[];
  fn: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** What the cpu backend is to compute, if not `fn` itself. */
  reference?: Case["fn"];
  /** Inputs to differentiate by. Default: every float32 input; `[]` where TensorFlow.js has no gradient. */
  by?: number[];
  /** Why the gradient is not compared with finite differences: it is not the derivative. */
  notDerivative?: string;
  tolerance?: number;
}

type Numbers = (random: Random) => number;

const make =
  (dtype: DType, numbers: Numbers) =>
  (...shape: number[]): Make =>
  (random) =>
    tensorData(
      Array.from({ length: sizeOf(shape) }, () => numbers(random)),
      shape,
      dtype,
    );

/** Normal numbers. */
export const normals = make("float32", (random) => random.normal());
/** Numbers from 0.5 to 2. */
export const positives = make("float32", (random) => 0.5 + 1.5 * random.uniform());
/** Numbers from -0.9 to 0.9. */
export const small = make("float32", (random) => 1.8 * random.uniform() - 0.9);
/** Numbers in any order that are 0.1 apart, so that the largest stays the largest when it is moved a little. */
export const distinct =
  (...shape: number[]): Make =>
  (random) => {
    const numbers = Array.from({ length: sizeOf(shape) }, (_, i) => (i - sizeOf(shape) / 2) / 10);
    return tensorData(random.shuffle(numbers), shape);
  };
/** Whole numbers as float32, many of them equal. */
export const steps = make("float32", (random) => random.integer(4) - 1);
export const booleans = make("bool", (random) => random.integer(2));
/** Integers from `least` to below `most`. */
export const integers = (least: number, most: number) =>
  make("int32", (random) => least + random.integer(most - least));
/** These numbers in one dimension, or in a shape. */
export const given =
  (numbers: readonly number[], dtype: DType = "float32", shape: readonly number[] = [numbers.length]): Make =>
  () =>
    tensorData(numbers, shape, dtype);

export const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Run a kernel by its name, as operations of tfjs-core do. */
export function kernel(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown> = {},
): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

interface Prepared {
  test: Case;
  inputs: TensorData[];
  by: number[];
  weights: TensorData[];
}

const listOf = (result: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(result) ? result : [result]);

/** Σ y·w over all float32 results, by the inputs chosen. */
function gradients({ test, by, weights }: Prepared, fn: Case["fn"], inputs: tf.Tensor[]): tf.Tensor[] {
  if (by.length === 0) return [];
  const loss = (...chosen: tf.Tensor[]) => {
    const all = inputs.map((input, i) => chosen[by.indexOf(i)] ?? input);
    const terms = listOf(fn(...all)).flatMap((y, i) =>
      y.dtype === "float32" ? [y.mul(toTensor(weights[i]!)).sum()] : [],
    );
    if (terms.length === 0) throw new Error(`${test.name} has no float32 result`);
    return tf.addN(terms);
  };
  return tf.grads(loss)(by.map((i) => inputs[i]!));
}

/** The gradients of a case, of the sum of its results. */
export function differentiate(test: Case, inputs: tf.Tensor[]): tf.Tensor[] {
  const by = test.by ?? inputs.flatMap(({ dtype }, i) => (dtype === "float32" ? [i] : []));
  if (by.length === 0) return [];
  const loss = (...chosen: tf.Tensor[]) => {
    const results = listOf(test.fn(...inputs.map((input, i) => chosen[by.indexOf(i)] ?? input)));
    return tf.addN(results.filter(({ dtype }) => dtype === "float32").map((y) => y.sum()));
  };
  return tf.grads(loss)(by.map((i) => inputs[i]!));
}

function prepare(test: Case): Prepared {
  const random = createRandom(test.name);
  const inputs = test.inputs.map((makeInput, i) => makeInput(random.stream(`input ${i}`)));
  const shapes: number[][] = [];
  tf.tidy(() => {
    for (const { shape } of listOf((test.reference ?? test.fn)(...inputs.map(toTensor)))) shapes.push(shape);
  });
  const weights = shapes.map((shape, i) => normals(...shape)(random.stream(`weights ${i}`)));
  const floats = inputs.flatMap(({ dtype }, i) => (dtype === "float32" ? [i] : []));
  return { test, inputs, by: test.by ?? floats, weights };
}

interface Results {
  values: TensorData[];
  gradients: TensorData[];
}

/** Many cases compiled as one function: making a session costs more than most of them. */
function compileAll(prepared: readonly Prepared[]) {
  const signature = prepared.map(({ inputs }) => inputs.map(({ shape, dtype }) => spec(shape, dtype)));
  return compile(
    (all: { x: tf.Tensor[][] }) =>
      prepared.map((one, i) => ({
        values: listOf(one.test.fn(...all.x[i]!)),
        gradients: gradients(one, one.test.fn, all.x[i]!),
      })),
    { x: signature } as { x: TensorSpec[][] },
  );
}

async function withCompiled<T>(
  prepared: readonly Prepared[],
  use: (run: (inputs: TensorData[][]) => Promise<Results[]>) => Promise<T>,
): Promise<T> {
  const compiled = compileAll(prepared);
  try {
    return await use(async (inputs) => (await compiled({ x: inputs })) as unknown as Results[]);
  } finally {
    await compiled.dispose();
  }
}

/** Size of the move for finite differences, in the norm of the whole input. */
const MOVE = 1e-3;

interface Outcome {
  results: Results;
  /** Central differences of Σ y·w in a random direction, and the same by the gradient. */
  slopes: { measured: number; given: number } | null;
}

async function runAll(prepared: readonly Prepared[]): Promise<Outcome[]> {
  const directions = prepared.map(({ test, inputs, by }) =>
    by.map((i) => {
      const { data } = normals(...inputs[i]!.shape)(createRandom(`${test.name} direction ${i}`));
      const norm = Math.hypot(...data) || 1;
      return data.map((x) => x / norm);
    }),
  );
  const moved = (by: number) =>
    prepared.map((one, c) =>
      one.inputs.map((input, i) => {
        const direction = directions[c]![one.by.indexOf(i)];
        return direction ? { ...input, data: input.data.map((x, k) => x + by * direction[k]!) as Float32Array } : input;
      }),
    );
  return withCompiled(prepared, async (run) => {
    const [results, above, below] = [
      await run(prepared.map(({ inputs }) => inputs)),
      await run(moved(MOVE)),
      await run(moved(-MOVE)),
    ];
    return prepared.map((one, c) => {
      const loss = ({ values }: Results) =>
        values.reduce((sum, y, i) => sum + (y.dtype === "float32" ? dot(y.data, one.weights[i]!.data) : 0), 0);
      const measured = (loss(above[c]!) - loss(below[c]!)) / (2 * MOVE);
      const slope = results[c]!.gradients.reduce((sum, g, i) => sum + dot(g.data, directions[c]![i]!), 0);
      return { results: results[c]!, slopes: one.by.length > 0 ? { measured, given: slope } : null };
    });
  });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

const BATCH = 12;

/**
 * Compile each case, with its gradients, and compare both with the cpu backend, and the gradients with finite differences.
 */
export function describeCases(title: string, cases: readonly Case[]): void {
  const names = cases.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error(`two cases of ${title} have one name`);
  const batches = new Map<number, Promise<(Outcome | Error)[]>>();
  const batchOf = (index: number): Promise<(Outcome | Error)[]> => {
    const known = batches.get(index);
    if (known) return known;
    const started = (async () => {
      await tf.setBackend("cpu");
      const prepared = cases.slice(index * BATCH, (index + 1) * BATCH).map(prepare);
      return runAll(prepared).catch(() =>
        // One of them fails: by themselves.
        prepared.reduce<Promise<(Outcome | Error)[]>>(
          async (done, one) => [
            ...(await done),
            await runAll([one]).then(
              ([outcome]) => outcome!,
              (error: Error) => error,
            ),
          ],
          Promise.resolve([]),
        ),
      );
    })();
    batches.set(index, started);
    return started;
  };
  describe(title, () => {
    it.each(cases.map((test, i) => ({ name: test.name, test, i })))("$name", async ({ test, i }) => {
      const outcome = (await batchOf(Math.floor(i / BATCH)))[i % BATCH]!;
      if (outcome instanceof Error) throw outcome;
      await tf.setBackend("cpu");
      expectReference(test, outcome.results);
      if (outcome.slopes && !test.notDerivative) {
        const { measured, given } = outcome.slopes;
        expect(Math.abs(measured - given), `slope ${given}, measured ${measured}`).toBeLessThanOrEqual(
          1e-2 * Math.max(1, Math.abs(measured)),
        );
      }
    });
  });
}

function expectReference(test: Case, { values, gradients: found }: Results): void {
  const { tolerance = 1e-5 } = test;
  tf.tidy(() => {
    const prepared = prepare(test);
    const reference = test.reference ?? test.fn;
    const expected = listOf(reference(...prepared.inputs.map(toTensor)));
    expect(values.length).toBe(expected.length);
    for (const [i, y] of expected.entries()) {
      expect(values[i]!.dtype, `dtype of result ${i}`).toBe(y.dtype);
      expectClose(values[i]!, y, `result ${i}`, y.dtype === "float32" ? tolerance : 0);
    }
    const expectedGradients = gradients(prepared, reference, prepared.inputs.map(toTensor));
    for (const [i, g] of expectedGradients.entries())
      expectClose(found[i]!, g, `gradient of input ${prepared.by[i]}`, tolerance);
  });
}
