import * as tf from "@tensorflow/tfjs";
import { createRandom } from "thoughtbook/core";
import {
  compile,
  type DType,
  isTensorData,
  sizeOf,
  spec,
  type TensorData,
  type TensorSpec,
  tensorData,
} from "thoughtbook/tensor";
import { expect } from "vitest";
import { mapTree } from "../../lib/dist/tensor/tree.js";

/** Seeded normal numbers in a shape. */
export function normal(shape: number[], seed: number | string, scale = 1): TensorData<"float32"> {
  const random = createRandom(seed);
  return tensorData(
    Float32Array.from({ length: sizeOf(shape) }, () => scale * random.normal()),
    shape,
  );
}

/** Seeded whole numbers below `limit`. */
export function ids(shape: number[], limit: number, seed: number | string): TensorData<"int32"> {
  const random = createRandom(seed);
  return tensorData(
    Int32Array.from({ length: sizeOf(shape) }, () => random.integer(limit)),
    shape,
  );
}

export function toTensor({ data, shape, dtype }: TensorData): tf.Tensor {
  return tf.tensor(data, [...shape], dtype as tf.DataType);
}

/** |a − b| ≤ tolerance · max(1, ‖b‖∞) for every number, and the same shape. */
export function expectClose(
  actual: TensorData,
  expected: TensorData | tf.Tensor,
  name: string,
  tolerance = 1e-5,
): void {
  const reference = expected instanceof tf.Tensor ? expected.dataSync() : expected.data;
  expect(actual.shape, `shape of ${name}`).toEqual(expected.shape);
  let norm = 1;
  for (const number of reference) if (Number.isFinite(number)) norm = Math.max(norm, Math.abs(number));
  for (let i = 0; i < reference.length; i++) {
    const [a, b] = [actual.data[i]!, reference[i]!];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const difference = Math.abs(a - b);
    if (!(difference <= tolerance * norm)) expect.fail(`${name}[${i}] is ${a}, expected ${b} (${difference} apart)`);
  }
}

export type Fn = (...inputs: tf.Tensor[]) => tf.Tensor;

/**
 * Compile `fn` and its gradients with respect to the float inputs, and compare with `reference` on TensorFlow.js's cpu
 * backend. The gradient is that of Σ y·w with random weights w, so that no gradient is a sum over equal numbers.
 */
export async function compareWithCpu(
  fn: Fn,
  reference: Fn,
  inputs: TensorData[],
  options: { tolerance?: number; gradients?: boolean } = {},
): Promise<void> {
  const { tolerance = 1e-5, gradients = true } = options;
  await tf.setBackend("cpu");
  const floats = inputs.flatMap(({ dtype }, i) => (dtype === "float32" ? [i] : []));
  const expected = tf.tidy(() => {
    const all = inputs.map(toTensor);
    const y = reference(...all);
    return { y, g: gradients ? gradientsOf(reference, all, floats, weightsFor(y.shape)) : [] };
  });
  const weights = weightsFor(expected.y.shape);
  const compiled = compile(
    (tensors: { x: tf.Tensor[] }) => ({
      y: fn(...tensors.x),
      g: gradients ? gradientsOf(fn, tensors.x, floats, weights) : [],
    }),
    { x: inputs.map(({ shape, dtype }) => spec(shape, dtype as DType)) } as { x: TensorSpec[] },
  );
  const actual = await compiled({ x: inputs });
  await compiled.dispose();
  expectClose(actual.y as TensorData, expected.y, "the value", tolerance);
  for (const [i, gradient] of expected.g.entries()) {
    expectClose((actual.g as TensorData[])[i]!, gradient, `the gradient of input ${floats[i]}`, tolerance);
  }
}

function weightsFor(shape: number[]): TensorData<"float32"> {
  return normal(shape, "weights");
}

function gradientsOf(fn: Fn, inputs: tf.Tensor[], floats: number[], weights: TensorData): tf.Tensor[] {
  const scalar = (...xs: tf.Tensor[]) => {
    const all = [...inputs];
    for (const [place, i] of floats.entries()) all[i] = xs[place]!;
    return fn(...all)
      .toFloat()
      .mul(toTensor(weights))
      .sum();
  };
  return tf.grads(scalar)(floats.map((i) => inputs[i]!));
}

/** Central differences of Σ y·w on the compiled function, at a few places of each float input, against its gradient. */
export async function compareWithDifferences(
  fn: Fn,
  inputs: TensorData[],
  { step = 1e-2, places = 5 } = {},
): Promise<void> {
  const floats = inputs.flatMap(({ dtype }, i) => (dtype === "float32" ? [i] : []));
  const signature = { x: inputs.map(({ shape, dtype }) => spec(shape, dtype as DType)) } as { x: TensorSpec[] };
  const shape = tf.tidy(() => fn(...inputs.map(toTensor)).shape);
  const weights = weightsFor(shape);
  const value = compile(
    ({ x }: { x: tf.Tensor[] }) =>
      fn(...x)
        .mul(toTensor(weights))
        .sum(),
    signature,
  );
  const gradient = compile(({ x }: { x: tf.Tensor[] }) => gradientsOf(fn, x, floats, weights), signature);
  const slopes = (await gradient({ x: inputs })) as TensorData[];
  const random = createRandom("places");
  for (const [k, i] of floats.entries()) {
    for (let n = 0; n < places; n++) {
      const place = random.integer(inputs[i]!.data.length);
      const at = async (move: number) => {
        const moved = inputs.map((input, j) =>
          j === i ? { ...input, data: input.data.slice() } : input,
        ) as TensorData[];
        moved[i]!.data[place]! += move;
        return ((await value({ x: moved })) as TensorData).data[0]!;
      };
      const slope = ((await at(step)) - (await at(-step))) / (2 * step);
      const given = slopes[k]!.data[place]!;
      expect(Math.abs(given - slope), `slope at input ${i}[${place}]: ${given} against ${slope}`).toBeLessThanOrEqual(
        1e-2 * Math.max(1, Math.abs(slope)),
      );
    }
  }
  await value.dispose();
  await gradient.dispose();
}

export const copyTree = (tree: unknown) => mapTree(tree, isTensorData, (t) => ({ ...t, data: t.data.slice() }));
