import * as tf from "@tensorflow/tfjs";
import { compile, spec, type TensorData, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { expectClose, normal, toTensor } from "./helpers.js";

const inputs = { x: normal([6, 6], 1), y: normal([6, 6], 2) };
type Two = { x: tf.Tensor2D; y: tf.Tensor2D };

/** Nodes by operator of a compiled function, none of them ONNX Runtime's doing, after checking its value. */
async function nodesOf(fn: (inputs: Two) => tf.Tensor): Promise<Record<string, number>> {
  const f = compile(fn, { x: spec([6, 6]), y: spec([6, 6]) }, { optimization: "disabled" });
  const expected = tf.tidy(() => fn({ x: toTensor(inputs.x) as tf.Tensor2D, y: toTensor(inputs.y) as tf.Tensor2D }));
  expectClose((await f(inputs)) as TensorData, expected, "the value");
  const rows = await f.profile(inputs, { runs: 1 });
  await f.dispose();
  return Object.fromEntries(
    rows.filter(({ operator }) => operator !== "SequenceEmpty").map(({ operator, nodes }) => [operator, nodes]),
  );
}

describe("graph clean-up", () => {
  it.each<{ name: string; fn: (inputs: Two) => tf.Tensor; nodes: Record<string, number> }>([
    { name: "numbers in a row are one product", fn: ({ x }) => x.mul(2).mul(3).div(4).neg(), nodes: { Mul: 1 } },
    { name: "numbers that cancel are none", fn: ({ x }) => x.mul(2).mul(0.5).exp(), nodes: { Exp: 1 } },
    { name: "two sign changes are none", fn: ({ x }) => x.neg().neg().exp(), nodes: { Exp: 1 } },
    { name: "a number before a matrix product", fn: ({ x, y }) => tf.matMul(x.mul(2), y), nodes: { FusedMatMul: 1 } },
    {
      name: "a number after a matrix product",
      fn: ({ x, y }) => tf.matMul(x, y).mul(0.125).exp(),
      nodes: { FusedMatMul: 1, Exp: 1 },
    },
    {
      name: "numbers all around a matrix product",
      fn: ({ x, y }) => tf.matMul(x.neg(), y.div(3), false, true).mul(2),
      nodes: { FusedMatMul: 1 },
    },
    {
      name: "a product used twice keeps its number outside",
      fn: ({ x, y }) => {
        const z = tf.matMul(x, y);
        return z.mul(2).add(z);
      },
      nodes: { FusedMatMul: 1, Mul: 1, Add: 1 },
    },
    {
      name: "a number past a transposition and a sum",
      fn: ({ x }) => x.mul(3).transpose().sum(0),
      nodes: { Transpose: 1, ReduceSum: 1, Mul: 1 },
    },
    { name: "plus a negative is minus", fn: ({ x, y }) => x.add(y.neg()), nodes: { Sub: 1 } },
    { name: "a negative plus is minus", fn: ({ x, y }) => x.neg().add(y), nodes: { Sub: 1 } },
    { name: "minus a negative is plus", fn: ({ x, y }) => x.sub(y.neg()), nodes: { Add: 1 } },
    {
      name: "a common factor of a sum",
      fn: ({ x, y }) => x.mul(2).add(y.mul(2)).exp(),
      nodes: { Add: 1, Mul: 1, Exp: 1 },
    },
    { name: "neutral numbers are none", fn: ({ x }) => x.mul(1).add(0).sub(0).div(1).exp(), nodes: { Exp: 1 } },
    {
      name: "constants are folded",
      fn: ({ x }) => x.add(tf.range(0, 6).square().reshape([1, 6]).add(1)),
      nodes: { Add: 1 },
    },
    {
      name: "equal nodes are one",
      fn: ({ x }) => x.exp().add(x.exp().sin().mul(x.exp().sin())),
      nodes: { Exp: 1, Sin: 1, Mul: 1, Add: 1 },
    },
    {
      name: "dead nodes are dropped",
      fn: ({ x, y }) => {
        tf.matMul(x, y).exp();
        return x.exp();
      },
      nodes: { Exp: 1 },
    },
    {
      name: "reshapes in a row are one",
      fn: ({ x }) => x.reshape([36]).reshape([3, 12]).reshape([2, 18]).exp(),
      nodes: { Reshape: 1, Exp: 1 },
    },
    {
      name: "a reshape there and back is none",
      fn: ({ x }) => x.reshape([36]).reshape([6, 6]).exp(),
      nodes: { Exp: 1 },
    },
    {
      name: "moving a dimension of size 1 moves nothing",
      fn: ({ x }) => x.reshape([6, 1, 6]).transpose([1, 0, 2]).exp(),
      nodes: { Reshape: 1, Exp: 1 },
    },
  ])("$name", async ({ fn, nodes }) => {
    expect(await nodesOf(fn)).toEqual(nodes);
  });

  it("does not merge numbers whose product leaves the range of floats", async () => {
    const f = compile(({ x }: { x: tf.Tensor }) => x.mul(1e-20).mul(1e-20).mul(1e20).mul(1e20), { x: spec([1]) });
    const reference = tf.tensor1d([1e15]).mul(1e-20).mul(1e-20).mul(1e20).mul(1e20).dataSync()[0]!;
    const { data } = (await f({ x: tensorData([1e15]) })) as TensorData;
    expect(data[0]! / 1e15).toBeCloseTo(1, 4);
    expect(reference / 1e15).toBeCloseTo(1, 4);
  });

  it("never stores a constant that is one number everywhere at full size", async () => {
    const size = [300, 1024, 256];
    const f = compile(
      ({ x }: { x: tf.Tensor }) =>
        [tf.zerosLike(x), tf.onesLike(x).mul(2), tf.fill(size, 3)].map((y) => y.add(x).slice([0, 0, 0], [1, 1, 1])),
      { x: spec(size) },
      { optimization: "disabled" },
    );
    // 300 MB that are never touched; as constants of the program they would be refused.
    const x = { shape: size, dtype: "float32" as const, data: new Float32Array(300 * 1024 * 256) };
    expect(await f.prepare({ x })).toBeLessThan(1000);
    await f.dispose();
  });
});
