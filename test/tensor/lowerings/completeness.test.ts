import * as tf from "@tensorflow/tfjs";
import { createRandom } from "thoughtbook/core";
import { compile, spec, type TensorData, type TensorSpec, tensorData } from "thoughtbook/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lowering } from "../../../lib/dist/tensor/lowerings/lowering.js";
import { LOWERINGS } from "../../../lib/dist/tensor/lowerings/lowerings.js";
import { arithmeticCases, comparisonCases, unaryTable } from "./elementwise.cases.js";
import { type Case, differentiate } from "./helpers.js";
import { convolutionCases, imageCases, matMulCases, poolCases } from "./products.cases.js";
import { gatherCases, reductionCases, scatterCases, shapeCases } from "./structure.cases.js";

const ALL: readonly Case[] = [
  ...arithmeticCases,
  ...comparisonCases,
  ...unaryTable,
  ...shapeCases,
  ...reductionCases,
  ...gatherCases,
  ...scatterCases,
  ...matMulCases,
  ...convolutionCases,
  ...poolCases,
  ...imageCases,
];

describe("the table of lowerings", () => {
  const lowered = new Set<string>();
  const originals = { ...LOWERINGS };
  const table = LOWERINGS as Record<string, Lowering>;

  beforeAll(() => {
    for (const [name, lowering] of Object.entries(originals))
      table[name] = (...call) => {
        lowered.add(name);
        return lowering(...call);
      };
  });
  afterAll(() => {
    Object.assign(table, originals);
  });

  it("has a case for every kernel", async () => {
    await tf.setBackend("cpu");
    // Traced only, in one program that is never run: the cases themselves run in the other files.
    const inputs = ALL.map((test) => test.inputs.map((make, i) => make(createRandom(`${test.name} ${i}`))));
    const stop = new Error("traced");
    const traced = compile(
      ({ x }: { x: tf.Tensor[][] }) => {
        for (const [i, test] of ALL.entries()) {
          tf.tidy(() => {
            test.fn(...x[i]!);
            differentiate(test, x[i]!);
          });
        }
        throw stop;
      },
      { x: inputs.map((list) => list.map(({ shape, dtype }) => spec(shape, dtype))) } as { x: TensorSpec[][] },
    );
    await expect(traced({ x: inputs })).rejects.toBe(stop);
    expect(Object.keys(originals).filter((name) => !lowered.has(name))).toEqual([]);
  });

  it("covers every kernel of the cpu backend but those that its documentation names", () => {
    const kernels = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName);
    expect(kernels.filter((name) => !(name in originals)).sort()).toEqual(
      [
        // Constants while tracing.
        "Fill",
        "LinSpace",
        "OnesLike",
        "Range",
        "ZerosLike",
        // Complex numbers.
        "Complex",
        "ComplexAbs",
        "FFT",
        "IFFT",
        "Imag",
        "Real",
        // Strings.
        "StaticRegexReplace",
        "StringNGrams",
        "StringSplit",
        "StringToHashBucketFast",
        // Shapes that depend on values.
        "NonMaxSuppressionV3",
        "NonMaxSuppressionV4",
        "NonMaxSuppressionV5",
        "RaggedGather",
        "RaggedRange",
        "RaggedTensorToTensor",
        "SparseFillEmptyRows",
        "SparseReshape",
        "SparseSegmentMean",
        "SparseSegmentSum",
        "Unique",
        // Random numbers, pixels chosen by values, canvases.
        "CropAndResize",
        "Draw",
        "Multinomial",
        "Transform",
      ].sort(),
    );
  });
});

describe("kernels without a lowering", () => {
  const compileAndRun = (fn: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], x: TensorData) =>
    compile(({ x }: { x: tf.Tensor }) => fn(x), { x: spec(x.shape, x.dtype) })({ x });

  it.each<[string, (x: tf.Tensor) => tf.Tensor | tf.Tensor[], TensorData]>([
    ["Multinomial", (x) => tf.multinomial(x as tf.Tensor1D, 2), tensorData([1, 2, 3])],
    ["Unique", (x) => tf.unique(x).values, tensorData([1, 2, 2])],
    [
      "Transform",
      (x) => tf.image.transform(tf.ones([1, 3, 3, 1]), x as tf.Tensor2D),
      tensorData(new Float32Array(8), [1, 8]),
    ],
    [
      "CropAndResize",
      (x) => tf.image.cropAndResize(tf.ones([1, 3, 3, 1]), x as tf.Tensor2D, tf.tensor1d([0], "int32"), [2, 2]),
      tensorData([0, 0, 1, 1], [1, 4]),
    ],
    [
      "SparseSegmentSum",
      (x) => tf.sparse.sparseSegmentSum(x as tf.Tensor2D, tf.tensor1d([0], "int32"), tf.tensor1d([0], "int32")),
      tensorData([0, 1], [1, 2]),
    ],
  ])("%s: an error with its name and a way out", async (name, fn, x) => {
    await expect(compileAndRun(fn, x)).rejects.toMatchObject({
      message: `TensorFlow.js's kernel ${name} has no ONNX lowering, so a function that uses it cannot be compiled`,
      hint: expect.stringContaining("outside the compiled function"),
    });
  });

  it("do not matter for constants, nor do kernels without inputs", async () => {
    const { data } = (await compileAndRun(
      (x) =>
        x
          .add(tf.unique(tf.tensor1d([5, 5, 7])).values)
          .add(tf.linspace(0, 1, 2))
          .add(tf.range(0, 2))
          .add(tf.fill([2], 3))
          .add(tf.onesLike(x))
          .add(tf.zerosLike(x)),
      tensorData([1, 2]),
    )) as TensorData;
    expect(Array.from(data)).toEqual([10, 15]);
  });
});
