import * as tf from "@tensorflow/tfjs";
import { booleans, type Case, given, inf, integers, kernel, nan, normals, positives, small, steps } from "./helpers.js";

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const SHAPES: readonly [number[], number[]][] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[], [2, 2]],
  [[5], []],
  [
    [0, 3],
    [1, 3],
  ],
  [[1], [1]],
];

/** TensorFlow.js appends "__op" to the names of its operations. */
const nameOf = (fn: { name: string }) => fn.name.replace("__op", "");

const named = (shapes: readonly (readonly number[])[]) => shapes.map((shape) => `[${shape.join()}]`).join(" ");

const broadcasts = (
  name: string,
  fn: Binary,
  numbers: (...shape: number[]) => Case["inputs"][number] = normals,
  options: Partial<Case> = {},
): Case[] =>
  SHAPES.map(([a, b]) => ({
    name: `${name} ${named([a, b])}`,
    inputs: [numbers(...a), numbers(...b)],
    fn: fn as Case["fn"],
    // TensorFlow.js's gradients of what was broadcast to nothing have the wrong shape.
    ...(a.includes(0) ? { by: [] } : {}),
    ...options,
  }));

// TensorFlow.js does not add up the gradients of what these broadcast.
const sameShapes = (name: string, fn: Binary): Case[] => [
  ...broadcasts(name, fn, normals, { by: [] }),
  { name: `${name} gradient`, inputs: [normals(3, 4), normals(3, 4)], fn: fn as Case["fn"] },
  {
    name: `${name} of equal numbers`,
    inputs: [steps(4, 5), steps(4, 5)],
    fn: fn as Case["fn"],
    notDerivative: "corners",
  },
];

const SPECIAL = [nan, inf, -inf, 0, -0, 1, -1, 2.5, -2.5, 1e30, -1e-30];
const pairs = SPECIAL.flatMap((a) => SPECIAL.map((b) => [a, b] as const));
// Quotients of the others do not fit into float32, while the cpu backend rounds them down in double precision.
const dividable = pairs.filter((pair) => pair.every((x) => x !== 1e30 && x !== -1e-30));
const special = (name: string, fn: Binary, chosen = pairs): Case => ({
  name: `${name} of special numbers`,
  inputs: [given(chosen.map(([a]) => a)), given(chosen.map(([, b]) => b))],
  fn: fn as Case["fn"],
  by: [],
});

const int = integers(-9, 10);
const ofIntegers = (name: string, fn: Binary): Case => ({
  name: `${name} of integers`,
  inputs: [int(20, 1), int(15)],
  fn: fn as Case["fn"],
  by: [],
});
const ofBooleans = (name: string, fn: Binary): Case => ({
  name: `${name} of truth values`,
  inputs: [booleans(4, 3), booleans(3)],
  fn: fn as Case["fn"],
  by: [],
});

const floatsAndIntegers = (name: string, fn: Binary): Case => ({
  name: `${name} of float32 and int32`,
  inputs: [normals(3, 3), int(3)],
  fn: fn as Case["fn"],
});

export const arithmeticCases: Case[] = [
  ...broadcasts("add", tf.add),
  ...broadcasts("sub", tf.sub),
  ...broadcasts("mul", tf.mul),
  ...broadcasts("div", tf.div, positives),
  ...sameShapes("maximum", tf.maximum),
  ...sameShapes("minimum", tf.minimum),
  ...sameShapes("squaredDifference", tf.squaredDifference),
  ...[tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.squaredDifference, tf.floorDiv, tf.mod, tf.div].map((fn) =>
    ofIntegers(`${nameOf(fn)}`, fn as Binary),
  ),
  ...[tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.div].map((fn) => special(`${nameOf(fn)}`, fn as Binary)),
  ...[tf.mul, tf.maximum, tf.minimum].map((fn) => ofBooleans(`${nameOf(fn)}`, fn as Binary)),
  ...[tf.add, tf.mul].map((fn) => floatsAndIntegers(`${nameOf(fn)}`, fn as Binary)),
  { name: "bitwiseAnd", inputs: [int(3, 5), int(3, 5)], fn: (a, b) => tf.bitwiseAnd(a!, b!) },
  // Of truth values TensorFlow.js makes 2 and 255.
  {
    name: "add of truth values",
    inputs: [booleans(9), booleans(9)],
    fn: (a, b) => a!.add(b!),
    reference: (a, b) => a!.logicalOr(b!),
  },
  { name: "RealDiv of integers", inputs: [int(20, 1), int(15)], fn: (a, b) => kernel("RealDiv", { a: a!, b: b! }) },
  { name: "addN", inputs: [normals(2, 3), normals(2, 3), normals(2, 3)], fn: (...x) => tf.addN(x) },
  { name: "addN of integers", inputs: [int(4), int(4)], fn: (...x) => tf.addN(x) },
  ...broadcasts("floorDiv", tf.floorDiv, positives, { by: [] }),
  {
    name: "floorDiv gradient",
    inputs: [normals(2, 3), positives(3)],
    fn: (a, b) => tf.floorDiv(a!, b!).toFloat(),
    notDerivative: "TensorFlow.js's is that of a division",
  },
  special("floorDiv", tf.floorDiv, dividable),
  {
    name: "floorDiv and mod at the ends of int32",
    inputs: [given([-(2 ** 31), -(2 ** 31), 2 ** 31 - 1, 7, -7], "int32"), given([-1, 3, -2, 0, 0], "int32")],
    fn: (a, b) => [tf.floorDiv(a!, b!), tf.mod(a!, b!)],
  },
  ...broadcasts("mod", tf.mod, positives),
  {
    name: "mod of all signs",
    inputs: [normals(50), normals(50)],
    fn: (a, b) => tf.mod(a!, b!),
    notDerivative: "jumps",
  },
  special("mod", tf.mod, dividable),
  ...broadcasts("pow", tf.pow, positives),
  {
    name: "pow of negative numbers",
    inputs: [normals(50), given([2, 3, -2, 0.5, 0].flatMap((n) => Array<number>(10).fill(n)))],
    fn: (a, b) => tf.pow(a!, b!),
    by: [],
  },
  special("pow", tf.pow),
  { name: "pow of integers", inputs: [int(20, 1), integers(-3, 7)(12)], fn: (a, b) => tf.pow(a!, b!) },
  ...([-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 7].map((exponent) => ({
    name: `pow ${exponent}`,
    inputs: [positives(3, 4)],
    fn: (x: tf.Tensor) => tf.pow(x, exponent),
  })) as Case[]),
  ...broadcasts("atan2", tf.atan2, positives),
  { name: "atan2 of all signs", inputs: [normals(50), normals(50)], fn: (a, b) => tf.atan2(a!, b!) },
  special("atan2", tf.atan2),
];

export const comparisonCases: Case[] = [
  ...[tf.greater, tf.greaterEqual, tf.less, tf.lessEqual, tf.equal, tf.notEqual].flatMap((fn) => [
    ...broadcasts(`${nameOf(fn)}`, fn as Binary, steps, { by: [] }),
    special(`${nameOf(fn)}`, fn as Binary),
    ofIntegers(`${nameOf(fn)}`, fn as Binary),
    ofBooleans(`${nameOf(fn)}`, fn as Binary),
  ]),
  ...[tf.logicalAnd, tf.logicalOr, tf.logicalXor].flatMap((fn) => [
    ofBooleans(`${nameOf(fn)}`, fn as Binary),
    ...broadcasts(`${nameOf(fn)}`, fn as Binary, booleans),
  ]),
  {
    name: "LogicalXor",
    inputs: [booleans(9), booleans(9)],
    fn: (a, b) => kernel("LogicalXor", { a: a!, b: b! }),
    reference: (a, b) => tf.logicalXor(a!, b!),
  },
  { name: "logicalNot", inputs: [booleans(3, 4)], fn: (x) => tf.logicalNot(x!) },
  {
    name: "greaterEqual has a gradient of zeros",
    inputs: [normals(4), normals(4)],
    fn: (a, b) => tf.greaterEqual(a!, b!).toFloat(),
  },
  { name: "where", inputs: [booleans(3, 4), normals(3, 4), normals(3, 4)], fn: (c, a, b) => tf.where(c!, a!, b!) },
  {
    name: "where with broadcasting",
    inputs: [booleans(4), normals(3, 1), normals(1, 4)],
    fn: (c, a, b) => tf.where(c!, a!, b!),
    by: [],
  },
  { name: "where of a scalar", inputs: [booleans(), normals(3), normals(3)], fn: (c, a, b) => tf.where(c!, a!, b!) },
  { name: "where of integers", inputs: [booleans(7), int(7), int(7)], fn: (c, a, b) => tf.where(c!, a!, b!) },
  {
    name: "where of truth values",
    inputs: [booleans(20), booleans(20), booleans(20)],
    fn: (c, a, b) => tf.where(c!, a!, b!),
  },
  {
    name: "where of nothing",
    inputs: [booleans(0, 2), normals(0, 2), normals(0, 2)],
    fn: (c, a, b) => tf.where(c!, a!, b!),
  },
  {
    name: "where keeps NaN and infinity of the one not taken out",
    inputs: [
      booleans(9),
      given([nan, inf, -inf, 1, 2, nan, inf, -inf, -0]),
      given([1, 2, 3, nan, inf, nan, -inf, 0, inf]),
    ],
    fn: (c, a, b) => tf.where(c!, a!, b!),
    by: [],
  },
  {
    name: "Select rows",
    inputs: [booleans(5), normals(5, 2, 3), normals(5, 2, 3)],
    fn: (condition, t, e) => kernel("Select", { condition: condition!, t: t!, e: e! }),
    // The cpu backend takes its values from the wrong places; tf.where never gets there.
    reference: (condition, t, e) => tf.where(condition!.reshape([5, 1, 1]), t!, e!),
    by: [],
  },
  ...((
    [
      [1, 0],
      [-1, 2],
      [2, -1],
      [0, 0],
    ] as const
  ).map(([lower, upper]) => ({
    name: `MatrixBandPart ${lower} ${upper}`,
    inputs: [normals(2, 4, 5), given([lower], "int32", []), given([upper], "int32", [])],
    fn: (input: tf.Tensor, numLower: tf.Tensor, numUpper: tf.Tensor) =>
      kernel("MatrixBandPart", { input, numLower, numUpper }),
    reference: (input: tf.Tensor) => tf.linalg.bandPart(input, lower, upper),
    by: [],
  })) as Case[]),
  { name: "bandPart", inputs: [normals(3, 4, 4)], fn: (x) => tf.linalg.bandPart(x!, 1, 0) },
  {
    name: "broadcastArgs",
    inputs: [given([3, 1, 5], "int32"), given([4, 1], "int32")],
    fn: (a, b) => [tf.broadcastArgs(a!, b!), tf.broadcastArgs(b!, a!)],
  },
];

type Unary = (x: tf.Tensor) => tf.Tensor;

const unaryCases = (
  name: string,
  fn: Unary,
  numbers: (...shape: number[]) => Case["inputs"][number] = normals,
  options: Partial<Case> = {},
): Case[] => [
  { name, inputs: [numbers(3, 4)], fn: fn as Case["fn"], ...options },
  { name: `${name} of a scalar`, inputs: [numbers()], fn: fn as Case["fn"], ...options },
  { name: `${name} of nothing`, inputs: [numbers(2, 0)], fn: fn as Case["fn"], ...options, by: [] },
  { name: `${name} of special numbers`, inputs: [given(SPECIAL)], fn: fn as Case["fn"], by: [] },
];

const oneOrMore = (...shape: number[]) => {
  const numbers = positives(...shape);
  return ((random) => {
    const { data, ...rest } = numbers(random);
    return { ...rest, data: data.map((x) => x + 0.6) };
  }) as Case["inputs"][number];
};

const ofInteger = (name: string, fn: Unary): Case => ({
  name: `${name} of integers`,
  inputs: [int(4, 5)],
  fn: fn as Case["fn"],
});

const REALS: readonly [string, Unary, ((...shape: number[]) => Case["inputs"][number])?][] = [
  ["abs", tf.abs],
  ["neg", tf.neg],
  ["square", tf.square],
  ["floor", tf.floor],
  ["ceil", tf.ceil],
  ["round", tf.round],
  ["sign", tf.sign],
  ["exp", tf.exp],
  ["expm1", tf.expm1],
  ["log", tf.log, positives],
  ["log1p", tf.log1p, small],
  ["sqrt", tf.sqrt, positives],
  ["rsqrt", tf.rsqrt, positives],
  ["reciprocal", tf.reciprocal, positives],
  ["erf", tf.erf],
  ["sin", tf.sin],
  ["cos", tf.cos],
  ["tan", tf.tan, small],
  ["asin", tf.asin, small],
  ["acos", tf.acos, small],
  ["atan", tf.atan],
  ["sinh", tf.sinh],
  ["cosh", tf.cosh],
  ["tanh", tf.tanh],
  ["asinh", tf.asinh],
  ["acosh", tf.acosh, oneOrMore],
  ["atanh", tf.atanh, small],
  ["relu", tf.relu],
  ["relu6", (x) => tf.relu6(x.mul(5))],
  ["clipByValue", (x) => tf.clipByValue(x, -0.5, 0.75)],
  ["step", tf.step],
  ["step with alpha", (x) => tf.step(x, -0.25)],
  ["sigmoid", tf.sigmoid],
  ["logSigmoid", tf.logSigmoid],
  ["softplus", tf.softplus],
  ["elu", tf.elu],
  ["selu", tf.selu],
  ["leakyRelu", (x) => tf.leakyRelu(x, 0.3)],
];

const JUMPS = new Set(["floor", "ceil", "round", "sign", "step", "step with alpha"]);

export const unaryTable: Case[] = [
  ...REALS.flatMap(([name, fn, numbers]) =>
    unaryCases(name, fn, numbers, JUMPS.has(name) ? { notDerivative: "jumps" } : {}),
  ),
  ...[tf.isNaN, tf.isInf, tf.isFinite].flatMap((fn) => [
    ...unaryCases(nameOf(fn), fn as Unary, normals, { by: [] }),
    {
      name: `${nameOf(fn)} has a gradient of zeros`,
      inputs: [normals(3)],
      fn: ((x: tf.Tensor) => fn(x).toFloat()) as Case["fn"],
    },
    ofInteger(nameOf(fn), fn as Unary),
  ]),
  ...[
    tf.abs,
    tf.neg,
    tf.square,
    tf.relu,
    tf.relu6,
    tf.step,
    tf.sign,
    tf.round,
    tf.softplus,
    tf.selu,
    tf.reciprocal,
  ].map((fn) => ofInteger(nameOf(fn), fn as Unary)),
  ...["Floor", "Ceil", "Exp", "Elu", "Sigmoid"].map((name) => ofInteger(name, (x) => kernel(name, { x }))),
  ofInteger("clipByValue", (x) => tf.clipByValue(x, -2, 3)),
  ofInteger("clipByValue without bounds", (x) => tf.clipByValue(x, -inf, inf)),
  ofInteger("leakyRelu", (x) => tf.leakyRelu(x, 0.3)),
  ofInteger("step with alpha", (x) => kernel("Step", { x }, { alpha: -3 })),
  { name: "abs of truth values", inputs: [booleans(6)], fn: (x) => kernel("Abs", { x: x! }) },
  {
    name: "round halves to even",
    inputs: [given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5])],
    fn: (x) => tf.round(x!),
    by: [],
  },
  {
    name: "expm1 and log1p near zero",
    inputs: [given([1e-8, -1e-8, 3e-6, -3e-6, 1e-4])],
    fn: (x) => [tf.expm1(x!).div(x!), tf.log1p(x!).div(x!)],
    by: [],
  },
  {
    name: "log1p of its range",
    inputs: [given([-1, -0.999, 0, 5, 1e30, inf, -2, nan])],
    fn: (x) => tf.log1p(x!),
    by: [],
  },
  { name: "prelu", inputs: [normals(3, 4), normals(3, 4)], fn: (x, a) => tf.prelu(x!, a!) },
  { name: "prelu with one slope a channel", inputs: [normals(3, 4), normals(4)], fn: (x, a) => tf.prelu(x!, a!) },
  { name: "prelu with one slope", inputs: [normals(2, 3), normals()], fn: (x, a) => tf.prelu(x!, a!) },
  {
    name: "prelu with more slopes than numbers",
    inputs: [normals(1, 4), normals(3, 4)],
    fn: (x, a) => tf.prelu(x!, a!),
    by: [],
  },
  { name: "prelu of integers", inputs: [int(3, 4), normals(4)], fn: (x, a) => tf.prelu(x!, a!), by: [] },
  { name: "elu second derivative", inputs: [normals(5)], fn: (x) => tf.grad((z) => tf.elu(z).sum())(x!), by: [] },
  { name: "clone", inputs: [normals(3)], fn: (x) => tf.clone(x!).mul(2) },
  {
    name: "cast float32 to int32",
    inputs: [given([1.7, -1.7, nan, inf, -inf, 3e9, -3e9, 1e12, 0.99, -0])],
    fn: (x) => tf.cast(x!, "int32"),
    by: [],
  },
  {
    name: "cast float32 to bool",
    inputs: [given([0, -0, 1, -3, nan, inf, 0.1])],
    fn: (x) => tf.cast(x!, "bool"),
    by: [],
  },
  { name: "cast int32", inputs: [int(9)], fn: (x) => [tf.cast(x!, "float32"), tf.cast(x!, "bool")] },
  { name: "cast bool", inputs: [booleans(9)], fn: (x) => [tf.cast(x!, "float32"), tf.cast(x!, "int32")] },
];
