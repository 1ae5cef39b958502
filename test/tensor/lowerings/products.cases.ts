import * as tf from "@tensorflow/tfjs";
import { type Case, distinct, given, inf, integers, kernel, nan, normals, positives, steps } from "./helpers.js";

type Activation = "linear" | "relu" | "relu6" | "elu" | "sigmoid" | "leakyrelu" | "prelu";
const ACTIVATIONS: readonly Activation[] = ["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"];
const label = (value: unknown) => JSON.stringify(value);

export const matMulCases: Case[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB): Case[] => {
      const a = transposeA ? [4, 3] : [3, 4];
      const b = transposeB ? [5, 4] : [4, 5];
      const fn: Case["fn"] = (x, y) => tf.matMul(x!, y!, transposeA, transposeB);
      const suffix = `${transposeA ? " aᵀ" : ""}${transposeB ? " bᵀ" : ""}`;
      return [
        { name: `matMul${suffix}`, inputs: [normals(...a), normals(...b)], fn },
        { name: `matMul in batches${suffix}`, inputs: [normals(2, 3, ...a), normals(2, 3, ...b)], fn },
        { name: `matMul with one batch${suffix}`, inputs: [normals(1, ...a), normals(1, ...b)], fn },
        { name: `matMul of integers${suffix}`, inputs: [integers(-5, 6)(2, ...a), integers(-5, 6)(2, ...b)], fn },
      ];
    }),
  ),
  {
    name: "matMul with broadcasting",
    inputs: [normals(2, 3, 4), normals(4, 5)],
    fn: (a, b) => tf.matMul(a!, b!),
    by: [],
  },
  // The cpu backend takes the wrong matrices here.
  {
    name: "matMul with broadcasting of both",
    inputs: [normals(2, 1, 3, 4), normals(5, 4, 2)],
    fn: (a, b) => tf.matMul(a!, b!),
    reference: (a, b) => tf.matMul(a!.tile([1, 5, 1, 1]), b!.expandDims(0).tile([2, 1, 1, 1])),
    by: [],
  },
  { name: "matMul of nothing", inputs: [normals(0, 4), normals(4, 5)], fn: (a, b) => tf.matMul(a!, b!) },
  { name: "matMul over nothing", inputs: [normals(3, 0), normals(0, 5)], fn: (a, b) => tf.matMul(a!, b!) },
  {
    name: "matMul with infinity",
    inputs: [given([1, inf, nan, 2], "float32", [2, 2]), normals(2, 2)],
    fn: (a, b) => tf.matMul(a!, b!),
    by: [],
  },
  {
    name: "dot and outerProduct",
    inputs: [normals(4), normals(4), normals(3, 4)],
    fn: (a, b, c) => [tf.dot(a!, b!), tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D), tf.dot(c!, a!)],
  },
  ...ACTIVATIONS.map(
    (activation): Case => ({
      name: `fused matMul with ${activation}`,
      inputs: [normals(3, 4), normals(4, 5), normals(5), normals(5)],
      fn: (a, b, bias, preluActivationWeights) =>
        tf.fused.matMul({
          a: a!,
          b: b!,
          bias: bias!,
          activation,
          leakyreluAlpha: 0.3,
          ...(activation === "prelu" ? { preluActivationWeights: preluActivationWeights! } : {}),
        }),
      by: activation === "prelu" ? [0, 1, 2, 3] : [0, 1, 2],
    }),
  ),
  // Without a gradient TensorFlow.js runs the fused kernel with any activation.
  ...ACTIVATIONS.map(
    (activation): Case => ({
      name: `_FusedMatMul with ${activation}`,
      inputs: [normals(2, 4, 3), normals(2, 5, 4), normals(5), normals(5)],
      fn: (a, b, bias, preluActivationWeights) =>
        kernel(
          "_FusedMatMul",
          { a: a!, b: b!, bias: bias!, preluActivationWeights: preluActivationWeights! },
          { transposeA: true, transposeB: true, activation, leakyreluAlpha: 0.3 },
        ),
      by: [],
    }),
  ),
  {
    name: "fused matMul without bias",
    inputs: [normals(3, 4), normals(4, 5)],
    fn: (a, b) => tf.fused.matMul({ a: a!, b: b! }),
  },
  ...(
    [
      ["ij,jk->ik", [2, 3], [3, 4]],
      ["bij,bjk->bik", [2, 3, 4], [2, 4, 5]],
      ["i,i->", [4], [4]],
      ["i,j->ij", [4], [3]],
      ["bqhd,bkhd->bhqk", [2, 3, 2, 4], [2, 5, 2, 4]],
      [" i j, j -> i ", [2, 3], [3]],
      ["ij,jk->ik", [2, 0], [0, 4]],
    ] as [string, number[], number[]][]
  ).map(
    ([equation, a, b]): Case => ({
      name: `einsum ${equation} ${label(a)}`,
      inputs: [normals(...a), normals(...b)],
      fn: (x, y) => tf.einsum(equation, x!, y!),
      by: [],
    }),
  ),
  ...["ij->ji", "ij->", "ij->i", "ij->j"].map(
    (equation): Case => ({
      name: `einsum ${equation}`,
      inputs: [normals(2, 3)],
      fn: (x) => tf.einsum(equation, x!),
      by: [],
    }),
  ),
  {
    name: "einsum of integers",
    inputs: [integers(-5, 6)(2, 3), integers(-5, 6)(3, 4)],
    fn: (a, b) => tf.einsum("ij,jk->ik", a!, b!),
  },
];

type Pad = "same" | "valid" | number;
type Rounding = "floor" | "round" | "ceil";
interface Conv {
  x: [number, number, number, number];
  filter: [number, number];
  out?: number;
  strides?: number | [number, number];
  pad: Pad;
  dilations?: number | [number, number];
  rounding?: Rounding;
}

const CONVOLUTIONS: readonly Conv[] = [
  { x: [2, 5, 6, 3], filter: [3, 3], pad: "same" },
  { x: [2, 5, 6, 3], filter: [3, 2], pad: "valid" },
  { x: [2, 7, 8, 3], filter: [3, 3], strides: 2, pad: "same" },
  { x: [1, 7, 8, 3], filter: [2, 3], strides: [2, 3], pad: "valid" },
  { x: [2, 6, 8, 2], filter: [3, 3], strides: 2, pad: "valid" },
  { x: [2, 5, 6, 3], filter: [3, 3], pad: 1, rounding: "floor" },
  { x: [2, 6, 7, 2], filter: [3, 3], strides: 2, pad: 1, rounding: "ceil" },
  { x: [2, 4, 5, 3], filter: [1, 1], pad: "same" },
  { x: [2, 4, 5, 3], filter: [1, 1], strides: 2, pad: "valid" },
  { x: [1, 1, 1, 1], filter: [1, 1], pad: "same", out: 1 },
  { x: [0, 4, 5, 2], filter: [3, 3], pad: "same" },
  { x: [2, 7, 7, 2], filter: [3, 3], pad: "same", dilations: 2 },
  { x: [2, 7, 7, 2], filter: [2, 3], pad: "valid", dilations: [3, 1] },
];

export const convolutionCases: Case[] = [
  ...CONVOLUTIONS.flatMap((options): Case[] => {
    const { x, filter, out = 4, strides = 1, pad, dilations = 1, rounding } = options;
    // TensorFlow.js has no gradients with dilations, and forgets the rounding in those of conv2d.
    const by = dilations === 1 ? {} : { by: [] };
    return [
      {
        name: `conv2d ${label(options)}`,
        inputs: [normals(...x), normals(...filter, x[3], out)],
        fn: (image, weights) =>
          tf.conv2d(image as tf.Tensor4D, weights as tf.Tensor4D, strides, pad, "NHWC", dilations, rounding),
        ...(rounding === "ceil" ? { by: [] } : by),
      },
      {
        name: `depthwiseConv2d ${label(options)}`,
        inputs: [normals(...x), normals(...filter, x[3], 2)],
        fn: (image, weights) =>
          tf.depthwiseConv2d(image as tf.Tensor4D, weights as tf.Tensor4D, strides, pad, "NHWC", dilations, rounding),
        ...by,
      },
    ];
  }),
  ...(["same", "valid"] as const).map(
    (pad): Case => ({
      name: `conv2d with channels first, ${pad}`,
      inputs: [normals(2, 3, 5, 6), normals(3, 3, 3, 4)],
      fn: (x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, pad, "NCHW"),
    }),
  ),
  {
    name: "conv1d",
    inputs: [normals(2, 9, 3), normals(3, 3, 4)],
    fn: (x, f) => tf.conv1d(x as tf.Tensor3D, f as tf.Tensor3D, 2, "same"),
  },
  {
    name: "conv2dTranspose",
    inputs: [normals(2, 3, 4, 5), normals(3, 3, 2, 5)],
    fn: (x, f) => tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, [2, 6, 8, 2], 2, "same"),
  },
  {
    name: "conv2dTranspose valid",
    inputs: [normals(2, 3, 4, 5), normals(2, 3, 2, 5)],
    fn: (x, f) => tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, [2, 4, 6, 2], 1, "valid"),
  },
  {
    name: "separableConv2d",
    inputs: [normals(2, 5, 5, 3), normals(3, 3, 3, 2), normals(1, 1, 6, 4)],
    fn: (x, d, p) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, "same"),
  },
  ...ACTIVATIONS.flatMap((activation): Case[] =>
    (["conv2d", "depthwiseConv2d"] as const).map((op) => ({
      name: `fused ${op} with ${activation}`,
      inputs: [
        normals(2, 5, 6, 3),
        op === "conv2d" ? normals(3, 3, 3, 6) : normals(3, 3, 3, 2),
        normals(6),
        normals(6),
      ],
      fn: (x, filter, bias, preluActivationWeights) => {
        const options = {
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 1,
          pad: "same" as const,
          bias: bias!,
          activation,
          leakyreluAlpha: 0.3,
          ...(activation === "prelu" ? { preluActivationWeights: preluActivationWeights! } : {}),
        };
        return op === "conv2d" ? tf.fused.conv2d(options) : tf.fused.depthwiseConv2d(options);
      },
      by: activation === "prelu" ? [0, 1, 2, 3] : [0, 1, 2],
      // tf.grads runs the plain kernels instead of the fused ones, except for "linear".
    })),
  ),
  ...ACTIVATIONS.flatMap((activation): Case[] =>
    (["FusedConv2D", "FusedDepthwiseConv2D"] as const).map((name) => ({
      name: `${name} with ${activation}`,
      inputs: [
        normals(2, 5, 6, 3),
        name === "FusedConv2D" ? normals(3, 3, 3, 6) : normals(3, 3, 3, 2),
        normals(6),
        normals(6),
      ],
      fn: (x, filter, bias, preluActivationWeights) =>
        kernel(
          name,
          { x: x!, filter: filter!, bias: bias!, preluActivationWeights: preluActivationWeights! },
          { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1], activation, leakyreluAlpha: 0.3 },
        ),
      by: [],
    })),
  ),
  {
    name: "FusedConv2D with channels first",
    inputs: [normals(2, 3, 5, 6), normals(3, 3, 3, 4), normals(4), normals(4)],
    fn: (x, filter, bias, preluActivationWeights) =>
      kernel(
        "FusedConv2D",
        { x: x!, filter: filter!, bias: bias!, preluActivationWeights: preluActivationWeights! },
        { strides: [1, 1], pad: "same", dataFormat: "NCHW", dilations: [1, 1], activation: "prelu" },
      ),
    by: [],
  },
  ...(
    [
      [[1, 4, 5, 4, 2], [2, 3, 3], 1, "same"],
      [[2, 5, 5, 6, 2], [2, 2, 3], 2, "valid"],
      [[2, 4, 4, 4, 3], [3, 3, 3], 2, "same"],
      [[2, 2, 3, 4, 3], [1, 1, 1], 1, "valid"],
    ] as [number[], number[], number, "same" | "valid"][]
  ).map(
    ([x, filter, strides, pad]): Case => ({
      name: `conv3d ${label(x)} ${label(filter)} ${strides} ${pad}`,
      inputs: [normals(...x), normals(...filter, x[4]!, 3)],
      fn: (image, weights) => tf.conv3d(image as tf.Tensor5D, weights as tf.Tensor5D, strides, pad),
    }),
  ),
  {
    name: "conv3dTranspose",
    inputs: [normals(1, 2, 3, 2, 4), normals(3, 3, 3, 2, 4)],
    fn: (x, f) => tf.conv3dTranspose(x as tf.Tensor5D, f as tf.Tensor5D, [1, 4, 6, 4, 2], 2, "same"),
    by: [],
  },
  ...(
    [
      [1, "same", 1],
      [2, "valid", 1],
      [1, "valid", 2],
      [2, "same", 1],
    ] as [number, "same" | "valid", number][]
  ).flatMap(([strides, pad, dilations]): Case[] => [
    {
      name: `dilation2d ${strides} ${pad} ${dilations}`,
      inputs: [normals(2, 5, 6, 3), normals(2, 3, 3)],
      fn: (x, f) => tf.dilation2d(x as tf.Tensor4D, f as tf.Tensor3D, strides, pad, dilations),
    },
  ]),
  {
    name: "dilation2d of equal numbers",
    inputs: [steps(1, 5, 6, 2), steps(2, 2, 2)],
    fn: (x, f) => tf.dilation2d(x as tf.Tensor4D, f as tf.Tensor3D, 1, "same"),
    notDerivative: "corners",
  },
];

interface Pool {
  x: [number, number, number, number];
  size: number | [number, number];
  strides: number | [number, number];
  pad: Pad;
  rounding?: Rounding;
}

const POOLS: readonly Pool[] = [
  { x: [2, 6, 6, 3], size: 2, strides: 2, pad: "valid" },
  { x: [2, 5, 7, 3], size: 2, strides: 2, pad: "valid" },
  { x: [2, 5, 7, 3], size: [3, 2], strides: [1, 2], pad: "same" },
  { x: [1, 6, 5, 2], size: 3, strides: 2, pad: 1, rounding: "floor" },
  { x: [1, 6, 5, 2], size: 3, strides: 2, pad: 1, rounding: "ceil" },
  { x: [1, 3, 4, 2], size: 1, strides: 1, pad: "same" },
  { x: [1, 1, 1, 1], size: 1, strides: 1, pad: "valid" },
  { x: [0, 4, 4, 2], size: 2, strides: 2, pad: "valid" },
];

const COUNTS_PADDING = "TensorFlow.js counts padded places in the gradient only";

export const poolCases: Case[] = [
  ...POOLS.flatMap(({ x, size, strides, pad, rounding }): Case[] => [
    {
      name: `avgPool ${label([x, size, strides, pad, rounding])}`,
      inputs: [normals(...x)],
      fn: (image) => tf.avgPool(image as tf.Tensor4D, size, strides, pad, rounding),
      ...(pad === "valid" ? {} : { notDerivative: COUNTS_PADDING }),
      // TensorFlow.js forgets the rounding in the gradient.
      ...(rounding === "ceil" ? { by: [] } : {}),
    },
    {
      name: `maxPool ${label([x, size, strides, pad, rounding])}`,
      inputs: [distinct(...x)],
      fn: (image) => tf.maxPool(image as tf.Tensor4D, size, strides, pad, rounding),
      ...(rounding === "ceil" ? { by: [] } : {}),
    },
    {
      name: `maxPool gradient of equal numbers ${label([x, size, strides, pad, rounding])}`,
      inputs: [steps(...x)],
      fn: (image) => tf.maxPool(image as tf.Tensor4D, size, strides, pad, rounding),
      notDerivative: "corners",
      ...(rounding === "ceil" ? { by: [] } : {}),
    },
  ]),
  {
    name: "maxPool of integers",
    inputs: [integers(-9, 9)(1, 4, 4, 2)],
    fn: (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"),
  },
  ...[false, true].flatMap((includeBatch): Case[] => [
    {
      name: `maxPoolWithArgmax ${includeBatch}`,
      inputs: [steps(2, 5, 6, 3)],
      fn: (x) => Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, 2, 2, "same", includeBatch)),
      by: [],
    },
  ]),
  ...(
    [
      [2, 2, "valid"],
      [3, 1, "same"],
      [3, 2, "same"],
      [1, 1, "same"],
    ] as [number, number, "same" | "valid"][]
  ).flatMap(([size, strides, pad]): Case[] => [
    {
      name: `avgPool3d ${size} ${strides} ${pad}`,
      inputs: [normals(1, 4, 5, 4, 2)],
      fn: (x) => tf.avgPool3d(x as tf.Tensor5D, size, strides, pad),
      ...(pad === "valid" ? {} : { notDerivative: COUNTS_PADDING }),
    },
    {
      name: `maxPool3d ${size} ${strides} ${pad}`,
      inputs: [distinct(2, 4, 5, 4, 2)],
      fn: (x) => tf.maxPool3d(x as tf.Tensor5D, size, strides, pad),
    },
    {
      name: `maxPool3d of equal numbers ${size} ${strides} ${pad}`,
      inputs: [steps(2, 4, 5, 4, 2)],
      fn: (x) => tf.maxPool3d(x as tf.Tensor5D, size, strides, pad),
      notDerivative: "corners",
    },
  ]),
  {
    name: "pool with dilations",
    inputs: [normals(1, 6, 6, 2)],
    fn: (x) => tf.pool(x as tf.Tensor4D, 2, "max", "valid", 2, 1),
  },
];

const RESIZES: readonly [[number, number, number, number], [number, number]][] = [
  [
    [2, 4, 4, 3],
    [7, 7],
  ],
  [
    [1, 6, 6, 2],
    [3, 3],
  ],
  [
    [1, 5, 5, 1],
    [1, 1],
  ],
  [
    [1, 1, 1, 2],
    [3, 3],
  ],
  [
    [1, 4, 4, 2],
    [4, 4],
  ],
];

export const imageCases: Case[] = [
  ...(["resizeBilinear", "resizeNearestNeighbor"] as const).flatMap((op) =>
    [
      [false, false],
      [true, false],
      [false, true],
    ].flatMap(([alignCorners, halfPixelCenters]) => [
      ...RESIZES.map(
        ([x, size]): Case => ({
          name: `${op} ${label(x)} to ${label(size)}${alignCorners ? " aligned" : ""}${halfPixelCenters ? " half pixels" : ""}`,
          inputs: [normals(...x)],
          fn: (image) =>
            op === "resizeBilinear"
              ? tf.image.resizeBilinear(image as tf.Tensor4D, size, alignCorners, halfPixelCenters)
              : tf.image.resizeNearestNeighbor(image as tf.Tensor4D, size, alignCorners, halfPixelCenters),
          ...(halfPixelCenters ? { notDerivative: "TensorFlow.js leaves the half pixels out" } : {}),
          // The cpu backend's gradient takes the wrong pixels from the second image on.
          ...(x[0] === 2 && op === "resizeNearestNeighbor"
            ? {
                reference: (images: tf.Tensor) =>
                  tf.concat(
                    tf
                      .split(images as tf.Tensor4D, 2)
                      .map((image) =>
                        tf.image.resizeNearestNeighbor(image as tf.Tensor4D, size, alignCorners, halfPixelCenters),
                      ),
                  ),
              }
            : {}),
          // The cpu backend does not come to an end.
          ...(alignCorners && x[1] === 1 && op === "resizeNearestNeighbor" ? { by: [] } : {}),
        }),
      ),
      {
        name: `${op} of an oblong${alignCorners ? " aligned" : ""}${halfPixelCenters ? " half pixels" : ""}`,
        inputs: [normals(2, 3, 5, 2)],
        fn: (image) =>
          op === "resizeBilinear"
            ? tf.image.resizeBilinear(image as tf.Tensor4D, [5, 4], alignCorners, halfPixelCenters)
            : tf.image.resizeNearestNeighbor(image as tf.Tensor4D, [5, 4], alignCorners, halfPixelCenters),
        by: [],
      } as Case,
    ]),
  ),
  {
    name: "resizes of integers",
    inputs: [integers(0, 255)(1, 3, 4, 2)],
    fn: (x) => [
      tf.image.resizeBilinear(x as tf.Tensor4D, [5, 6]),
      tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [5, 6]),
    ],
  },
  ...[0.3, -2].flatMap((radians) => [
    {
      name: `rotateWithOffset ${radians}`,
      inputs: [normals(2, 5, 6, 4)],
      fn: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, radians, [0.1, 0.2, 0.3]),
      by: [],
    } as Case,
    {
      name: `rotateWithOffset ${radians} of integers`,
      inputs: [integers(0, 255)(1, 5, 6, 3)],
      fn: (x) => kernel("RotateWithOffset", { image: x! }, { radians, fillValue: 9, center: [0.2, 0.7] }),
    } as Case,
  ]),
  ...(
    [
      [5, 1, 1, 0.5],
      [2, 1.5, 0.7, 0.75],
      [1, 1, 0.3, 1],
    ] as const
  ).flatMap(([radius, bias, alpha, beta]): Case[] => [
    {
      name: `localResponseNormalization ${radius}`,
      inputs: [normals(2, 3, 2, 6)],
      fn: (x) => tf.localResponseNormalization(x as tf.Tensor4D, radius, bias, alpha, beta),
    },
  ]),
  {
    name: "batchNorm",
    inputs: [normals(2, 3, 3, 4), normals(4), positives(4), normals(4), normals(4)],
    fn: (x, mean, variance, offset, scale) =>
      tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 0.01),
  },
  {
    name: "batchNorm without scale",
    inputs: [normals(2, 3, 3, 4), normals(4), positives(4)],
    fn: (x, mean, variance) => tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D),
    // TensorFlow.js has no gradient without a scale.
    by: [],
  },
  {
    name: "batchNorm of a matrix",
    inputs: [normals(6, 4), normals(4), positives(4), normals(4), normals(4)],
    fn: (x, mean, variance, offset, scale) =>
      tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D),
    by: [],
  },
  {
    name: "batchNorm of the same shape",
    inputs: [normals(2, 2, 2, 3), normals(2, 2, 2, 3), positives(2, 2, 2, 3), normals(2, 2, 2, 3), normals(2, 2, 2, 3)],
    fn: (x, mean, variance, offset, scale) =>
      tf.batchNorm(x!, mean as tf.Tensor4D, variance as tf.Tensor4D, offset as tf.Tensor4D, scale as tf.Tensor4D),
  },
];
