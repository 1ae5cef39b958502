import * as tf from "@tensorflow/tfjs";
import { sizeOf, tensorData } from "thoughtbook/tensor";
import {
  booleans,
  type Case,
  given,
  inf,
  integers,
  kernel,
  type Make,
  nan,
  normals,
  positives,
  steps,
} from "./helpers.js";

type Fn = Case["fn"];
type Unary = (x: tf.Tensor) => tf.Tensor | tf.Tensor[];
const one = (name: string, inputs: Make[], fn: Unary, options: Partial<Case> = {}): Case => ({
  name,
  inputs,
  fn: fn as Fn,
  ...options,
});
/** The same for float32, int32 and bool, as moving numbers does not depend on their type. */
const anyType = (name: string, shape: number[], fn: Unary, options: Partial<Case> = {}): Case[] => [
  one(name, [normals(...shape)], fn, options),
  one(`${name} (int32)`, [integers(-9, 9)(...shape)], fn),
  one(`${name} (bool)`, [booleans(...shape)], fn),
];
const EMPTY_OR_NOT: Record<string, number[]> = { "": [2, 3, 4], " of ones": [1, 1, 1], " of nothing": [2, 0, 4] };
const eachShape = (name: string, fn: Unary, options: Partial<Case> = {}): Case[] =>
  Object.entries(EMPTY_OR_NOT).map(([suffix, shape]) => one(name + suffix, [normals(...shape)], fn, options));

export const shapeCases: Case[] = [
  ...anyType("reshape", [2, 6], (x) => x.reshape([3, -1])),
  one("reshape of nothing", [normals(0, 3)], (x) => x.reshape([3, 0, 2])),
  ...eachShape("expandDims", (x) => [x.expandDims(0), x.expandDims(-1), x.expandDims(2), x.expandDims(-3)]),
  one("expandDims of a scalar", [normals()], (x) => x.expandDims(-1)),
  ...anyType("transpose", [2, 3, 4], (x) => [x.transpose(), x.transpose([1, 0, 2]), x.transpose([0, 2, 1])]),
  one("transpose of nothing", [normals(0, 3)], (x) => x.transpose()),
  one("transpose with ones", [normals(2, 1, 3)], (x) => [x.transpose([1, 0, 2]), x.transpose([2, 1, 0])]),
  ...anyType("tile", [2, 3], (x) => x.tile([2, 2])),
  one("tile of ones", [normals(1, 3)], (x) => [x.tile([4, 1]), x.tile([1, 1])]),
  one("tile of a list", [normals(3)], (x) => x.tile([3])),
  one("tile to nothing", [normals(2, 3)], (x) => x.tile([2, 0]), { by: [] }),
  one("broadcastTo", [normals(3, 1)], (x) => [x.broadcastTo([3, 4]), x.broadcastTo([2, 3, 4])]),
  one(
    "BroadcastTo",
    [normals(3, 1)],
    (x) => kernel("BroadcastTo", { x }, { shape: [2, 3, 4], inputShape: [1, 3, 1] }),
    {
      reference: (x) => tf.broadcastTo(x!, [2, 3, 4]),
      by: [],
    },
  ),
  one(
    "BroadcastTo gradient",
    [normals(3, 1)],
    (x) => kernel("BroadcastTo", { x }, { shape: [3, 4], inputShape: [3, 1] }),
    {
      reference: (x) => tf.broadcastTo(x!, [3, 4]),
    },
  ),
  ...[0, 1, -1].map(
    (axis): Case => ({
      name: `concat ${axis}`,
      inputs: [normals(2, 3), normals(2, 3), normals(2, 3)],
      fn: (...x) => tf.concat(x, axis),
    }),
  ),
  { name: "concat of integers", inputs: [integers(0, 9)(2), integers(0, 9)(3)], fn: (...x) => tf.concat(x) },
  { name: "concat of truth values", inputs: [booleans(2), booleans(3)], fn: (...x) => tf.concat(x) },
  {
    name: "concat with nothing",
    inputs: [normals(0, 3), normals(2, 3), normals(0, 3), normals(1, 3)],
    fn: (...x) => tf.concat(x),
  },
  { name: "concat of nothing", inputs: [normals(0, 3), normals(0, 3)], fn: (...x) => tf.concat(x, 1) },
  { name: "concat with nothing else", inputs: [normals(0, 3), normals(2, 3)], fn: (...x) => tf.concat(x) },
  ...[0, 1, -1].map(
    (axis): Case => ({
      name: `stack ${axis}`,
      inputs: [normals(2, 3), normals(2, 3)],
      fn: (...x) => tf.stack(x, axis),
    }),
  ),
  { name: "stack of scalars", inputs: [integers(0, 9)(), integers(0, 9)()], fn: (...x) => tf.stack(x) },
  { name: "stack of one", inputs: [normals(2)], fn: (...x) => tf.stack(x, 1) },
  ...[0, 1, -1].map((axis) => one(`unstack ${axis}`, [normals(2, 3, 2)], (x) => tf.unstack(x, axis))),
  one("unstack of integers", [integers(0, 9)(2, 3)], (x) => tf.unstack(x, 1)),
  one("unstack of one", [normals(1, 3)], (x) => tf.unstack(x), { by: [] }),
  one("unstack of nothing", [normals(2, 0)], (x) => tf.unstack(x), { by: [] }),
  one("split in equal parts", [normals(4, 6)], (x) => [...tf.split(x, 3, 1), ...tf.split(x, 2)]),
  one("split in sizes", [normals(4, 6)], (x) => tf.split(x, [1, 3, 2], -1)),
  one("split with the rest", [normals(7)], (x) => tf.split(x, [2, -1, 1])),
  one("split with nothing", [normals(4, 2)], (x) => tf.split(x, [0, 4]), { by: [] }),
  one("split in one part", [booleans(4, 2)], (x) => tf.split(x, 1)),
  ...anyType("slice", [4, 5], (x) => [x.slice([1, 2], [2, -1]), x.slice([3]), x.slice([0, 0], [4, 5])]),
  one("slice to nothing", [normals(4, 5)], (x) => x.slice([1, 0], [0, 3]), { by: [] }),
  ...anyType(
    "stridedSlice",
    [4, 5],
    (x) => [
      x.stridedSlice([0, 1], [4, 5], [2, 3]),
      x.stridedSlice([3, -1], [0, 0], [-1, -2]),
      x.stridedSlice([-1, 4], [-5, -6], [-3, -1]),
      x.stridedSlice([1, 1], [3, 4], [1, 1]),
      x.stridedSlice([0, 0], [4, 5], [1, 1]),
    ],
    { by: [] },
  ),
  one(
    "stridedSlice with masks",
    [normals(4, 5, 2)],
    (x) => [
      tf.stridedSlice(x, [1, 2, 0], [3, 4, 2], [1, 1, 1], 1, 2),
      tf.stridedSlice(x, [1, 1], [0, 2], [1, 1], 0, 0, 1),
      tf.stridedSlice(x, [1, 0, 0], [2, 5, 2], [1, 1, 1], 0, 0, 0, 0, 1),
      tf.stridedSlice(x, [0, 1, 0], [0, 3, 5], [1, 1, 2], 0, 0, 0, 1, 0),
    ],
    { by: [] },
  ),
  one(
    "stridedSlice with strides and a dimension dropped",
    [normals(4, 5, 2)],
    (x) => tf.stridedSlice(x, [1, 0, 0], [2, 5, 2], [1, 2, 1], 0, 0, 0, 0, 1),
    {
      // The cpu backend reads from the wrong places.
      reference: (x) => tf.stridedSlice(x!.slice(1, 1).reshape([5, 2]), [0, 0], [5, 2], [2, 1]),
      by: [],
    },
  ),
  one("stridedSlice to nothing", [normals(4, 5)], (x) => tf.stridedSlice(x, [3, 1], [1, 4], [1, 2]), { by: [] }),
  ...anyType("pad", [2, 3], (x) =>
    x.pad([
      [1, 2],
      [0, 1],
    ]),
  ),
  one("pad with a number", [normals(2, 3)], (x) => [
    x.pad(
      [
        [0, 0],
        [0, 0],
      ],
      7,
    ),
    x.pad(
      [
        [1, 0],
        [0, 2],
      ],
      -1.5,
    ),
  ]),
  one("pad with infinity", [integers(0, 5)(3)], (x) => x.toFloat().pad([[1, 1]], -inf), { by: [] }),
  one("pad of nothing", [normals(0, 2)], (x) =>
    x.pad(
      [
        [1, 1],
        [0, 1],
      ],
      3,
    ),
  ),
  ...(["reflect", "symmetric"] as const).flatMap((mode) =>
    anyType(
      `mirrorPad ${mode}`,
      [3, 4],
      (x) =>
        tf.mirrorPad(
          x,
          [
            [2, 1],
            [0, 2],
          ],
          mode,
        ),
      {
        notDerivative: "TensorFlow.js leaves the mirrored parts out",
      },
    ),
  ),
  ...anyType("reverse", [2, 3, 2], (x) => [x.reverse(), x.reverse(0), x.reverse([-1, 0])]),
  one("reverse of a list", [normals(5)], (x) => tf.reverse1d(x as tf.Tensor1D)),
  one("reverse of nothing", [normals(0, 2)], (x) => x.reverse(0)),
  one("reverse of a scalar", [normals()], (x) => x.reverse()),
  one("flipLeftRight", [normals(2, 3, 4, 2)], (x) => tf.image.flipLeftRight(x as tf.Tensor4D), { by: [] }),
  one("depthToSpace", [normals(2, 2, 3, 8)], (x) => tf.depthToSpace(x as tf.Tensor4D, 2), { by: [] }),
  one(
    "DepthToSpace with channels first",
    [normals(2, 8, 2, 3)],
    (x) => kernel("DepthToSpace", { x }, { blockSize: 2, dataFormat: "NCHW" }),
    {
      reference: (x) => tf.depthToSpace(x!.transpose([0, 2, 3, 1]) as tf.Tensor4D, 2).transpose([0, 3, 1, 2]),
      by: [],
    },
  ),
  one("spaceToBatchND", [normals(2, 4, 5, 3)], (x) =>
    tf.spaceToBatchND(
      x,
      [2, 3],
      [
        [0, 0],
        [1, 0],
      ],
    ),
  ),
  one("batchToSpaceND", [normals(12, 2, 2, 3)], (x) =>
    tf.batchToSpaceND(
      x,
      [2, 3],
      [
        [0, 1],
        [1, 2],
      ],
    ),
  ),
  one("diag", [normals(4)], (x) => tf.diag(x), { by: [] }),
  one("diag of a matrix", [integers(1, 9)(2, 3)], (x) => tf.diag(x)),
  one("diag with infinity", [given([1, inf, nan, -inf])], (x) => tf.diag(x), { by: [] }),
];

type Reduce = (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor;
const REDUCTIONS: Record<string, Reduce> = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min, prod: tf.prod };
// TensorFlow.js's gradients of some of them do not take negative axes.
const axesOf = (name: string): (number | number[] | undefined)[] =>
  name === "prod" ? [undefined, 0, 2, [0, 1]] : [undefined, 0, -1, [0, 2], [-2, -1], [1]];

function cumsumOptions(axis: number, exclusive: boolean, reverse: boolean): Partial<Case> {
  if (axis === 0) return { notDerivative: "TensorFlow.js transposes it" };
  // The cpu backend does not know it.
  return axis === -1 ? { by: [], reference: (x) => tf.cumsum(x!, 1, exclusive, reverse) } : {};
}

/** Few different numbers, with NaN and infinities in between. */
const withNan =
  (...shape: number[]): Make =>
  (random) => {
    const numbers = [nan, inf, -inf, 0, 1, 2, 3, 4, 5, 6];
    return tensorData(
      Float32Array.from({ length: sizeOf(shape) }, () => numbers[random.integer(10)]!),
      shape,
    );
  };

export const reductionCases: Case[] = [
  ...Object.entries(REDUCTIONS).flatMap(([name, fn]) => [
    ...axesOf(name).flatMap((axis) =>
      Object.entries(EMPTY_OR_NOT).flatMap(([suffix, shape]) =>
        [false, true].map(
          (keepDims): Case => ({
            name: `${name}${suffix} over ${axis === undefined ? "all" : `[${axis}]`}${keepDims ? " with dimensions kept" : ""}`,
            inputs: [normals(...shape)],
            fn: (x) => fn(x!, axis, keepDims),
            ...((name === "prod" && keepDims) || ((name === "max" || name === "min") && suffix === " of nothing")
              ? { by: [] }
              : {}),
          }),
        ),
      ),
    ),
    one(`${name} of a scalar`, [normals()], (x) => fn(x), name === "prod" ? { by: [] } : {}),
    one(`${name} over nothing at all`, [normals(2, 3)], (x) => fn(x, []), { by: [] }),
    one(`${name} of integers`, [integers(-3, 4)(3, 4)], (x) => [fn(x, 1), fn(x)]),
    one(`${name} of truth values`, [booleans(3, 4)], (x) => [fn(x, 1), fn(x)]),
    one(`${name} of no integers`, [integers(0, 3)(2, 0)], (x) => [fn(x, 1), fn(x, 0)]),
    one(
      `${name} of special numbers`,
      [given([1, nan, 3, nan, 1, 2, 1, 2, nan, inf, 1, -inf, -inf, -inf, -inf], "float32", [5, 3])],
      (x) => [fn(x, 1), fn(x, 0), fn(x)],
      { by: [] },
    ),
  ]),
  one("max and min of equal numbers", [steps(4, 5)], (x) => [tf.max(x, 1), tf.min(x, 0)], { notDerivative: "corners" }),
  ...[tf.all, tf.any].flatMap((fn): Case[] => [
    one(`${fn.name.slice(0, 3)}`, [booleans(4, 3)], (x) => [fn(x), fn(x, 0), fn(x, -1, true), fn(x, [0, 1])]),
    one(`${fn.name.slice(0, 3)} of nothing`, [booleans(3, 0)], (x) => [fn(x), fn(x, 1), fn(x, 0)]),
    one(`${fn.name.slice(0, 3)} of one`, [booleans(1)], (x) => fn(x)),
  ]),
  ...[tf.argMax, tf.argMin].flatMap((fn): Case[] => [
    one(fn.name.slice(0, 6), [normals(3, 4, 2)], (x) => [fn(x), fn(x, 1), fn(x, -1)], { by: [] }),
    one(`${fn.name.slice(0, 6)} has a gradient of zeros`, [normals(3, 4)], (x) => fn(x, 1).toFloat(), {
      notDerivative: "jumps",
    }),
    one(`${fn.name.slice(0, 6)} of equal numbers`, [steps(5, 6)], (x) => [fn(x, 0), fn(x, 1)], { by: [] }),
    one(`${fn.name.slice(0, 6)} of integers`, [integers(0, 3)(5, 6)], (x) => [fn(x, 0), fn(x, 1)]),
    one(`${fn.name.slice(0, 6)} of truth values`, [booleans(5, 6)], (x) => [fn(x, 0), fn(x, 1)]),
    one(`${fn.name.slice(0, 6)} of nothing`, [normals(3, 0)], (x) => [fn(x, 1), fn(x, 0)], { by: [] }),
    one(
      `${fn.name.slice(0, 6)} of special numbers`,
      [given([1, nan, 3, nan, 1, 2, 1, 2, nan, inf, 1, -inf, -inf, -inf, nan], "float32", [5, 3])],
      (x) => [fn(x, 1), fn(x, 0)],
      { by: [] },
    ),
    one(`${fn.name.slice(0, 6)} with NaN`, [withNan(37, 41)], (x) => [fn(x, 0), fn(x, 1)], { by: [] }),
  ]),
  one("max and min with NaN", [withNan(37, 41)], (x) => [0, 1].flatMap((axis) => [tf.max(x, axis), tf.min(x, axis)]), {
    by: [],
  }),
  one("softmax", [normals(3, 5)], (x) => tf.softmax(x)),
  one("softmax of one and of a list", [normals(7)], (x) => [tf.softmax(x), tf.softmax(x.reshape([7, 1]))]),
  one("softmax of nothing", [normals(0, 5)], (x) => tf.softmax(x)),
  one(
    "softmax with masks",
    [given([1, -inf, 2, -inf, -inf, -inf, 1, inf, 2, 1e4, -1e4, 0], "float32", [4, 3])],
    (x) => tf.softmax(x),
    { by: [] },
  ),
  one("logSoftmax", [normals(3, 5)], (x) => tf.logSoftmax(x)),
  one("LogSoftmax", [normals(2, 3, 5)], (logits) => kernel("LogSoftmax", { logits }, { axis: -1 }), {
    reference: (x) => tf.logSoftmax(x!),
  }),
  one("logSoftmax of large numbers", [given([1e4, -1e4, 0, 88, -88, 0], "float32", [2, 3])], (x) => tf.logSoftmax(x), {
    by: [],
  }),
  one("logSumExp, moments, norm", [normals(3, 5)], (x) => [
    tf.logSumExp(x, 1),
    ...Object.values(tf.moments(x, 0)),
    tf.norm(x),
    tf.norm(x, 1, 0),
    tf.euclideanNorm(x, 1),
  ]),
  ...[0, 1, -1].flatMap((axis) =>
    (
      [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const
    ).map(([exclusive, reverse]) =>
      one(
        `cumsum ${axis}${exclusive ? " exclusive" : ""}${reverse ? " reverse" : ""}`,
        [normals(4, 4)],
        (x) => tf.cumsum(x, axis, exclusive, reverse),
        cumsumOptions(axis, exclusive, reverse),
      ),
    ),
  ),
  one("cumsum of integers and truth values", [integers(-5, 5)(3, 4)], (x) => [
    tf.cumsum(x, 1),
    tf.cumsum(x.toBool(), 0),
  ]),
  one("cumsum of a list, of ones and of nothing", [normals(5)], (x) => [tf.cumsum(x), tf.cumsum(x.reshape([5, 1]), 1)]),
  one("cumsum of nothing", [normals(0, 3)], (x) => tf.cumsum(x, 0), { by: [] }),
  ...[0, 1].flatMap((axis) =>
    (
      [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const
    ).map(([exclusive, reverse]) =>
      one(
        `cumprod ${axis}${exclusive ? " exclusive" : ""}${reverse ? " reverse" : ""}`,
        [normals(5, 7)],
        (x) => tf.cumprod(x, axis, exclusive, reverse),
        { by: [] },
      ),
    ),
  ),
  one("cumprod of integers and truth values", [integers(-2, 3)(3, 4)], (x) => [
    tf.cumprod(x, 1),
    tf.cumprod(x.toBool(), 0),
  ]),
  one("cumprod of one and of nothing", [normals(1, 0)], (x) => [tf.cumprod(x, 0), tf.cumprod(x, 1)], { by: [] }),
];

const places = (limit: number, ...shape: number[]) => integers(0, limit)(...shape);

export const gatherCases: Case[] = [
  { name: "gather", inputs: [normals(5, 3), places(5, 7)], fn: (x, i) => tf.gather(x!, i!) },
  {
    name: "gather along the last dimension",
    inputs: [normals(2, 5), places(5, 2, 3)],
    fn: (x, i) => tf.gather(x!, i!, 1),
    by: [],
  },
  {
    name: "gather along the last dimension, gradient",
    inputs: [normals(2, 5), places(5, 3)],
    fn: (x, i) => tf.gather(x!, i!, 1),
  },
  { name: "gather along -1", inputs: [integers(0, 99)(2, 3, 5), places(5, 4)], fn: (x, i) => tf.gather(x!, i!, -1) },
  { name: "gather one", inputs: [normals(5, 3), places(5)], fn: (x, i) => tf.gather(x!, i!) },
  { name: "gather truth values", inputs: [booleans(5), places(5, 9)], fn: (x, i) => tf.gather(x!, i!) },
  { name: "gather nothing", inputs: [normals(5, 3), places(5, 0)], fn: (x, i) => tf.gather(x!, i!), by: [] },
  {
    name: "gather with batches",
    inputs: [normals(2, 5, 3), places(5, 2, 4)],
    fn: (x, i) => tf.gather(x!, i!, 1, 1),
    by: [],
  },
  {
    name: "gather with batches, outer dimensions",
    inputs: [normals(2, 3, 5, 2), places(5, 2, 4)],
    fn: (x, i) => tf.gather(x!, i!, 2, 1),
    by: [],
  },
  {
    name: "gather with two batches",
    inputs: [normals(2, 3, 5), places(5, 2, 3, 4)],
    fn: (x, i) => tf.gather(x!, i!, 2, 2),
    by: [],
  },
  {
    name: "gather with batches from behind",
    inputs: [normals(2, 5), places(5, 2, 4)],
    fn: (x, i) => tf.gather(x!, i!, 1, -1),
    by: [],
  },
  { name: "gatherND", inputs: [normals(4, 5, 2), places(4, 6, 2)], fn: (x, i) => tf.gatherND(x!, i!), by: [] },
  {
    name: "gatherND of single numbers",
    inputs: [integers(0, 99)(4, 5), places(4, 2, 3, 2)],
    fn: (x, i) => tf.gatherND(x!, i!),
  },
  { name: "gatherND of truth values", inputs: [booleans(4, 5), places(4, 6, 1)], fn: (x, i) => tf.gatherND(x!, i!) },
  { name: "gatherND of nothing", inputs: [normals(4, 5), places(4, 0, 1)], fn: (x, i) => tf.gatherND(x!, i!), by: [] },
  {
    name: "gatherND of everything",
    inputs: [normals(4, 5), integers(0, 1)(2, 0)],
    fn: (x, i) => tf.gatherND(x!, i!),
    by: [],
    reference: (x) => x!.expandDims(0).tile([2, 1, 1]),
  },
  {
    name: "oneHot",
    inputs: [given([0, 2, -1, 5, 4, 1], "int32", [2, 3])],
    fn: (i) => [tf.oneHot(i!, 5), tf.oneHot(i!, 3, 1, 0, "float32"), tf.oneHot(i!, 4, 1, 0, "bool")],
  },
  {
    name: "oneHot with other numbers",
    inputs: [places(5, 4)],
    fn: (i) => [tf.oneHot(i!, 5, 3, -2), tf.oneHot(i!, 5, 0.5, -inf, "float32")],
  },
  {
    name: "oneHot of one and of nothing",
    inputs: [places(3), places(3, 0)],
    fn: (a, b) => [tf.oneHot(a!, 3), tf.oneHot(b!, 3)],
  },
  one("topk", [normals(3, 6)], (x) => Object.values(tf.topk(x, 4)), { by: [] }),
  one("topk of equal numbers", [steps(4, 9)], (x) => Object.values(tf.topk(x, 9)), { by: [] }),
  one("topk of integers", [integers(0, 5)(9)], (x) => Object.values(tf.topk(x, 3))),
  one("topk unsorted", [normals(3, 6)], (x) => [tf.topk(x, 3, false).values.sum(1)], { by: [] }),
  one("topk of none", [normals(3, 6)], (x) => Object.values(tf.topk(x, 0)), { by: [] }),
  one(
    "searchSorted",
    [steps(2, 7)],
    (x) => [
      tf.searchSorted(
        tf.tensor2d([
          [-1, 0, 0, 1, 2],
          [-2, -1, 1, 1, 1],
        ]),
        x,
      ),
      tf.searchSorted(
        tf.tensor2d([
          [-1, 0, 0, 1, 2],
          [-2, -1, 1, 1, 1],
        ]),
        x,
        "right",
      ),
    ],
    { by: [] },
  ),
  {
    name: "lowerBound and upperBound",
    inputs: [given([1, 3, 3, 5, 8], "int32"), integers(0, 9)(9)],
    fn: (s, v) => [tf.lowerBound(s!, v!), tf.upperBound(s!, v!)],
  },
  {
    name: "LowerBound",
    inputs: [given([1, 3, 3, 5, 8], "float32", [1, 5]), normals(1, 9)],
    fn: (sortedSequence, values) => [kernel("LowerBound", { sortedSequence: sortedSequence!, values: values! })],
    reference: (s, v) => [tf.lowerBound(s!, v!)],
    by: [],
  },
  {
    name: "UpperBound",
    inputs: [given([1, 3, 3, 5, 8], "float32", [1, 5]), normals(1, 9)],
    fn: (sortedSequence, values) => [kernel("UpperBound", { sortedSequence: sortedSequence!, values: values! })],
    reference: (s, v) => [tf.upperBound(s!, v!)],
    by: [],
  },
];

export const scatterCases: Case[] = [
  { name: "scatterND", inputs: [places(4, 6, 1), normals(6, 3)], fn: (i, u) => tf.scatterND(i!, u!, [4, 3]), by: [] },
  {
    name: "scatterND of single numbers",
    inputs: [places(4, 9, 2), normals(9)],
    fn: (i, u) => tf.scatterND(i!, u!, [4, 5]),
    by: [],
  },
  {
    name: "scatterND of integers",
    inputs: [places(4, 9, 1), integers(-5, 6)(9)],
    fn: (i, u) => tf.scatterND(i!, u!, [4]),
  },
  {
    name: "scatterND of nothing",
    inputs: [places(4, 0, 1), normals(0, 3)],
    fn: (i, u) => tf.scatterND(i!, u!, [4, 3]),
    by: [],
  },
  {
    name: "tensorScatterUpdate",
    inputs: [normals(5, 3), given([3, 0], "int32", [2, 1]), normals(2, 3)],
    fn: (x, i, u) => tf.tensorScatterUpdate(x!, i!, u!),
    reference: (x, i, u) => tf.tensorScatterUpdate(x!.add(0), i!, u!),
    by: [],
  },
  {
    name: "tensorScatterUpdate of integers",
    inputs: [integers(0, 9)(5, 3), given([3, 0, 1, 2], "int32", [2, 2]), integers(0, 9)(2)],
    fn: (x, i, u) => tf.tensorScatterUpdate(x!, i!, u!),
  },
  {
    name: "sparseToDense",
    inputs: [given([2, 0], "int32", [2, 1]), normals(2), normals()],
    fn: (i, v, d) => tf.sparseToDense(i!, v!, [4], d as tf.Scalar),
    by: [],
  },
  {
    name: "sparseToDense of a list",
    inputs: [given([2, 0], "int32"), integers(0, 9)(2), integers(0, 9)()],
    fn: (i, v, d) => tf.sparseToDense(i!, v!, [4], d as tf.Scalar),
  },
  {
    name: "sparseToDense of one number",
    inputs: [given([2, 0, 1, 1], "int32", [2, 2]), normals(), normals()],
    fn: (i, v, d) => tf.sparseToDense(i!, v!, [3, 2], d as tf.Scalar),
    by: [],
  },
  {
    name: "sparseToDense of truth values",
    inputs: [given([2, 0], "int32", [2, 1]), booleans(2), booleans()],
    fn: (i, v, d) => tf.sparseToDense(i!, v!, [4], d as tf.Scalar),
  },
  {
    name: "unsortedSegmentSum",
    inputs: [normals(6, 2), given([0, 3, -1, 5, 3, 2], "int32")],
    fn: (x, i) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 4),
    by: [],
  },
  {
    name: "unsortedSegmentSum gradient",
    inputs: [normals(6, 2), given([0, 3, -1, 1, 3, 2], "int32")],
    fn: (x, i) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 4),
  },
  {
    name: "unsortedSegmentSum by constants",
    inputs: [normals(4)],
    fn: (x) => tf.unsortedSegmentSum(x!, tf.tensor1d([0, 2, 2, 0], "int32"), 3),
  },
  {
    name: "unsortedSegmentSum of integers",
    inputs: [integers(0, 9)(5), places(3, 5)],
    fn: (x, i) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 3),
  },
  {
    name: "unsortedSegmentSum of matrices",
    inputs: [normals(4, 3), places(3, 4, 3)],
    fn: (x, i) => kernel("UnsortedSegmentSum", { x: x!, segmentIds: i! }, { numSegments: 3 }),
    by: [],
  },
  {
    name: "unsortedSegmentSum of nothing",
    inputs: [normals(0, 2), places(3, 0)],
    fn: (x, i) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 3),
    by: [],
    reference: () => tf.zeros([3, 2]),
  },
  {
    name: "bincount",
    inputs: [places(7, 20), positives(20)],
    fn: (x, w) => tf.bincount(x! as tf.Tensor1D, w! as tf.Tensor1D, 5),
    by: [],
  },
  {
    name: "bincount without weights",
    inputs: [places(7, 20)],
    fn: (x) => tf.bincount(x! as tf.Tensor1D, tf.tensor1d([]), 9),
  },
  {
    name: "bincount of nothing",
    inputs: [places(7, 0)],
    fn: (x) => tf.bincount(x! as tf.Tensor1D, tf.tensor1d([]), 4),
  },
  {
    name: "denseBincount",
    inputs: [places(7, 3, 20), positives(3, 20)],
    fn: (x, w) => [
      tf.denseBincount(x! as tf.Tensor2D, w! as tf.Tensor2D, 5),
      tf.denseBincount(x! as tf.Tensor2D, tf.tensor2d([], [0, 0]), 5),
      tf.denseBincount(x! as tf.Tensor2D, tf.tensor2d([], [0, 0]), 5, true),
    ],
    by: [],
  },
  {
    name: "denseBincount of a list",
    inputs: [places(7, 20)],
    fn: (x) => [
      tf.denseBincount(x! as tf.Tensor1D, tf.tensor1d([]), 5),
      tf.denseBincount(x! as tf.Tensor1D, tf.tensor1d([]), 5, true),
    ],
  },
];
