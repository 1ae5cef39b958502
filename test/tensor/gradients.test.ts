import * as tf from "@tensorflow/tfjs";
import { compile, spec, tensorData, valueAndGradients } from "thoughtbook/tensor";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend("cpu");
});

const numbers = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

describe("valueAndGradients", () => {
  it("keeps the shape of the tree, gives zeros where nothing depends, and hands other outputs on", () => {
    const params = { layers: [{ w: tf.tensor1d([1, 2]) }, { w: tf.tensor1d([3]) }], unused: tf.tensor2d([[5, 6]]) };
    const before = tf.memory().numTensors;
    const { value, gradients } = valueAndGradients(({ layers }: typeof params) => {
      const squares = layers[0]!.w.square();
      return { loss: squares.sum().mul(layers[1]!.w.sum()).asScalar(), others: { squares, same: layers[1]!.w } };
    })(params);
    expect(numbers(value.loss)).toEqual([15]);
    expect(numbers(value.others.squares)).toEqual([1, 4]);
    expect(numbers(value.others.same)).toEqual([3]);
    expect(gradients.layers.map(({ w }) => numbers(w))).toEqual([[6, 12], [5]]);
    expect(numbers(gradients.unused)).toEqual([0, 0]);
    expect(gradients.unused.shape).toEqual([1, 2]);
    // Three outputs and three gradients; nothing else stays, and the parameters are still there.
    expect(tf.memory().numTensors).toBe(before + 6);
    tf.dispose([value, gradients]);
    expect(numbers(params.layers[0]!.w)).toEqual([1, 2]);
    tf.dispose(params);
  });

  it("gives a tensor that stands in two places two gradients", () => {
    tf.tidy(() => {
      const x = tf.scalar(3);
      const { value, gradients } = valueAndGradients(({ a, b }: { a: tf.Scalar; b: tf.Scalar }) =>
        a.square().add(b.mul(5)),
      )({
        a: x,
        b: x,
      });
      expect(numbers(value)).toEqual([24]);
      expect([numbers(gradients.a), numbers(gradients.b)]).toEqual([[6], [5]]);
    });
  });

  it("handles a loss that is a parameter, and one that depends on none", () => {
    tf.tidy(() => {
      const params = { x: tf.scalar(2) };
      const itself = valueAndGradients(({ x }: typeof params) => x)(params);
      expect([numbers(itself.value), numbers(itself.gradients.x)]).toEqual([[2], [1]]);
      const none = valueAndGradients((_: typeof params) => tf.scalar(7))(params);
      expect([numbers(none.value), numbers(none.gradients.x)]).toEqual([[7], [0]]);
    });
  });

  it("differentiates twice", () => {
    tf.tidy(() => {
      const slope = (x: tf.Tensor) => valueAndGradients((x: tf.Tensor) => x.pow(3).sum())(x).gradients;
      const { gradients } = valueAndGradients((x: tf.Tensor) => slope(x).sum())(tf.tensor1d([1, 2]));
      expect(numbers(gradients)).toEqual([6, 12]);
    });
  });

  it("gives the same while compiling, twice differentiated and with frozen weights by closure", async () => {
    const params = { w: tensorData([1, -2], [2]), unused: tensorData([1, 1, 1], [3]) };
    const frozen = tensorData([2, 3], [2]);
    const fn = (w: tf.Tensor, frozen: tf.Tensor) => w.square().mul(frozen).sum();
    const compiled = compile(
      ({ params, frozen }) => {
        const { value, gradients } = valueAndGradients(({ w }: typeof params) => ({
          loss: fn(w, frozen),
          aux: w.add(frozen),
        }))(params);
        const slope = (w: tf.Tensor) =>
          valueAndGradients((w: tf.Tensor) => fn(w, frozen))(w)
            .gradients.square()
            .sum();
        return { value, gradients, second: valueAndGradients(slope)(params.w).gradients };
      },
      { params: { w: spec([2]), unused: spec([3]) }, frozen: spec([2]) },
      { threads: 1 },
    );
    const { value, gradients, second } = await compiled({ params, frozen });
    expect([...value.loss.data]).toEqual([14]);
    expect([...value.aux.data]).toEqual([3, 1]);
    expect([...gradients.w.data]).toEqual([4, -12]);
    expect([...gradients.unused.data]).toEqual([0, 0, 0]);
    expect([...second.data]).toEqual([32, -144]);
    await compiled.dispose();
  });

  it("says what is wrong with parameters and loss", () => {
    tf.tidy(() => {
      const of = (fn: (params: never) => tf.Tensor | { loss: tf.Tensor }, params: unknown) => () =>
        valueAndGradients(fn as (params: unknown) => tf.Tensor)(params);
      const x = tf.tensor1d([1, 2]);
      expect(of(() => tf.scalar(1), {})).toThrow("there are no parameters");
      expect(of(() => tf.scalar(1), { a: { step: tf.scalar(1, "int32") } })).toThrow("parameter a.step is int32");
      expect(of((x: tf.Tensor) => x.mul(2), x)).toThrow("the loss is float32 [2], expected a float32 scalar");
      expect(of(() => ({}) as { loss: tf.Tensor }, x)).toThrow("the loss is missing");
      expect(of(() => tf.scalar(1, "int32"), x)).toThrow("the loss is int32 []");
      expect(of(() => ({ loss: tf.scalar(1), name: "x" }) as { loss: tf.Tensor }, x)).toThrow("name is a string");
    });
  });
});
