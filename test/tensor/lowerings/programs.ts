import * as tf from "@tensorflow/tfjs";
import type { Random } from "thoughtbook/core";

/** One step of a random program. */
export interface Step {
  /** What it reads: places in the list of the inputs and all results before. */
  operands: number[];
  /** As it would be written: `matMul(v0, v1)`. */
  text: string;
  compute: (...operands: tf.Tensor[]) => tf.Tensor;
}

type Choice = (random: Random, shape: readonly number[]) => { text: string; compute: Step["compute"] } | null;

/** Functions that keep their numbers in a range where the next one can work on them. */
const UNARY: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  neg: tf.neg,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  sin: tf.sin,
  cos: tf.cos,
  atan: tf.atan,
  erf: tf.erf,
  softplus: tf.softplus,
  elu: tf.elu,
  selu: (x) => tf.selu(x).mul(0.5),
  softmax: tf.softmax,
  logSoftmax: (x) => tf.logSoftmax(x).mul(0.25),
  "relu then square root": (x) => tf.sqrt(tf.relu(x).add(0.5)),
  "exp of tanh": (x) => tf.exp(tf.tanh(x)),
  "log of 1 + x²": (x) => tf.log1p(tf.square(x)),
  "reciprocal of 1 + x²": (x) => tf.reciprocal(tf.square(x).add(1)),
  "rsqrt of 1 + x²": (x) => tf.rsqrt(tf.square(x).add(1)),
  "abs then pow 1.5": (x) => tf.pow(tf.abs(x).add(0.1), 1.5).mul(0.2),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  clipByValue: (x) => tf.clipByValue(x, -1, 1.5),
  cumsum: (x) =>
    tf
      .cumsum(x.reshape([-1]))
      .reshape(x.shape)
      .mul(0.1),
};

const pickOne = <T>(random: Random, items: readonly T[]): T => items[random.integer(items.length)]!;

const CHOICES: readonly Choice[] = [
  (random, shape) => {
    const name = pickOne(random, Object.keys(UNARY));
    // TensorFlow.js has no softmax of a scalar.
    if (shape.length === 0 && name.endsWith("oftmax")) return null;
    return { text: name, compute: (x) => UNARY[name]!(x!) };
  },
  (random, shape) => {
    if (shape.length < 2) return null;
    const axis = random.integer(shape.length);
    const name = pickOne(random, ["sum", "mean", "max", "min"] as const);
    const keepDims = random.integer(2) === 1;
    const reduce = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min }[name];
    const scale = name === "sum" ? 1 / Math.max(1, shape[axis]!) : 1;
    return {
      text: `${name} over ${axis}${keepDims ? " kept" : ""}`,
      compute: (x) => reduce(x!, axis, keepDims).mul(scale),
    };
  },
  (random, shape) => {
    const perm = random.shuffle([...shape.keys()]);
    return shape.length < 2 ? null : { text: `transpose [${perm}]`, compute: (x) => x!.transpose(perm) };
  },
  (random, shape) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const to = pickOne(random, [[size], [1, size], [...shape, 1]]);
    return { text: `reshape [${to}]`, compute: (x) => x!.reshape(to) };
  },
  (random, shape) => {
    if (shape.length === 0) return null;
    const begin = shape.map((n) => random.integer(n));
    const size = shape.map((n, i) => 1 + random.integer(n - begin[i]!));
    return { text: `slice [${begin}] [${size}]`, compute: (x) => x!.slice(begin, size) };
  },
  (random, shape) => {
    const paddings = shape.map((): [number, number] => [random.integer(2), random.integer(2)]);
    if (shape.length === 0 || shape.length > 4) return null;
    return { text: `pad ${JSON.stringify(paddings)}`, compute: (x) => tf.pad(x!, paddings, 0.5) };
  },
  (random, shape) => {
    if (shape.length === 0 || shape.length > 4) return null;
    const axis = random.integer(shape.length);
    return {
      text: `concat with itself turned round, ${axis}`,
      compute: (x) => tf.concat([x!, tf.reverse(x!, axis)], axis),
    };
  },
  (random, shape) => {
    if (shape.length === 0) return null;
    const indices = Array.from({ length: 3 }, () => random.integer(shape[0]!));
    return { text: `gather [${indices}]`, compute: (x) => tf.gather(x!, tf.tensor1d(indices, "int32")) };
  },
  (_, shape) =>
    shape.length === 2 ? { text: "matMul with itself", compute: (x) => tf.matMul(x!, x!, false, true).mul(0.3) } : null,
  (random, shape) =>
    shape.length < 1 || shape.length > 3
      ? null
      : { text: "tile", compute: (x) => tf.tile(x!, shape.map(() => 1 + random.integer(1)).with(0, 2)) },
];

const BINARY: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: (a, b) => tf.mul(a, b).mul(0.5),
  "div by 1 + b²": (a, b) => tf.div(a, tf.square(b).add(1)),
  atan2: (a, b) => tf.atan2(a, tf.abs(b).add(0.5)),
  "where a ≥ b": (a, b) => tf.where(tf.greaterEqual(a, b), a.mul(0.5), b.add(1)),
};

const LARGEST_SIZE = 2000;

function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  try {
    return tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
  } catch {
    return null;
  }
}

/** A program of some kernels that broadcasts, moves and reduces numbers as it happens; each step may use any before. */
export function randomProgram(random: Random, inputs: readonly number[][], length: number): Step[] {
  const shapes: (readonly number[])[] = [...inputs];
  const steps: Step[] = [];
  const append = (operands: number[], text: string, compute: Step["compute"]) => {
    // The shape by running it, on the cpu, on zeros.
    const shape = tf.tidy(() => compute(...operands.map((place) => tf.zeros([...shapes[place]!]))).shape);
    if (shape.length > 5 || shape.reduce((product, n) => product * n, 1) > LARGEST_SIZE) return;
    shapes.push(shape);
    steps.push({ operands, text: `${text}(${operands.map((place) => `v${place}`).join(", ")})`, compute });
  };
  for (let tries = 0; steps.length < length && tries < 50 * length; tries++) {
    // Later ones more often, so that programs are deep.
    const place = Math.max(random.integer(shapes.length), random.integer(shapes.length));
    if (random.integer(3) > 0) {
      const choice = pickOne(random, CHOICES)(random, shapes[place]!);
      if (choice) append([place], choice.text, choice.compute);
      continue;
    }
    const partners = shapes.flatMap((shape, i) => (broadcast(shape, shapes[place]!) ? [i] : []));
    const name = pickOne(random, Object.keys(BINARY));
    append([place, pickOne(random, partners)], name, (a, b) => BINARY[name]!(a!, b!));
  }
  return steps;
}

/** The last results, on which all others that are used depend. */
export function runProgram(steps: readonly Step[], inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const values = [...inputs];
  for (const { operands, compute } of steps) values.push(compute(...operands.map((place) => values[place]!)));
  const used = new Set(steps.flatMap(({ operands }) => operands));
  return values.filter((_, i) => !used.has(i) || i < inputs.length);
}

export function printProgram(steps: readonly Step[], inputs: readonly (readonly number[])[]): string {
  return [
    ...inputs.map((shape, i) => `v${i}: [${shape}]`),
    ...steps.map(({ text }, i) => `v${inputs.length + i} = ${text}`),
  ].join("\n");
}
