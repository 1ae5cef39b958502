import * as tf from "@tensorflow/tfjs";
import { adamW, compile, muon, spec, type TensorData, toTensor } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { orthogonalised } from "../../lib/dist/tensor/optimizers/muon.js";
import { normal } from "./helpers.js";

/** What five iterations make of a singular value. */
function iterated(value: number): number {
  let x = value;
  for (let i = 0; i < 5; i++) x = 3.4445 * x - 4.775 * x ** 3 + 2.0315 * x ** 5;
  return x;
}

const apart = (a: tf.Tensor, b: tf.Tensor) => a.sub(b).abs().max().dataSync()[0]!;

describe("orthogonalised", () => {
  it("maps singular values by the iteration, and leaves singular vectors", () => {
    const values = [3, 1, 0.2];
    const norm = Math.hypot(...values);
    const diagonal = (entries: number[]) => tf.diag(tf.tensor1d(entries)) as tf.Tensor2D;
    const mapped = values.map((value) => iterated(value / norm));
    for (const value of mapped) expect(Math.abs(value - 0.95)).toBeLessThan(0.3);
    expect(apart(orthogonalised(diagonal(values)), diagonal(mapped))).toBeLessThan(1e-4);
    // Turned on both sides, and with more rows or columns.
    const [left] = tf.linalg.qr(toTensor(normal([5, 3], "left")) as tf.Tensor2D);
    const [right] = tf.linalg.qr(toTensor(normal([3, 3], "right")) as tf.Tensor2D);
    const turn = (middle: tf.Tensor2D) =>
      tf.matMul(tf.matMul(left as tf.Tensor2D, middle), right as tf.Tensor2D) as tf.Tensor2D;
    const tall = turn(diagonal(values));
    expect(apart(orthogonalised(tall), turn(diagonal(mapped)))).toBeLessThan(1e-4);
    expect(apart(orthogonalised(tall.transpose()), turn(diagonal(mapped)).transpose())).toBeLessThan(1e-4);
  });

  it("of zeros is zeros", () => {
    expect(
      orthogonalised(tf.zeros([2, 3]))
        .abs()
        .max()
        .dataSync()[0],
    ).toBe(0);
  });
});

describe("muon", () => {
  const params = { "layers.0.w": normal([4, 6], "w"), "embed.w": normal([3, 4], "e"), "norm.g": normal([4], "g") };
  const gradients = (step: number): Record<string, TensorData> => ({
    "layers.0.w": normal([4, 6], `dw${step}`),
    "embed.w": normal([3, 4], `de${step}`),
    "norm.g": normal([4], `dg${step}`),
  });
  const rate = 0.01;
  const options = { weightDecay: 0.1, momentum: 0.9, hidden: (path: string) => path.startsWith("layers.") };

  it("takes matrices by their orthogonalised momentum and all others as AdamW, compiled and eagerly", async () => {
    const optimizer = muon(options);
    const adam = adamW({ weightDecay: 0.1 });
    const step = (each: typeof optimizer) =>
      compile(
        ({ params, gradients, state }) => each.update({ params, gradients, state: state as never, learningRate: rate }),
        (() => {
          const specs = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, spec(shape)]));
          const state = { firstMoment: specs, secondMoment: specs, step: spec([]) };
          return { params: specs, gradients: specs, state };
        })(),
      );
    const [ours, theirs] = [step(optimizer), step(adam)];
    let [a, b] = [
      { params: params as Record<string, TensorData>, state: optimizer.init(params) },
      { params: params as Record<string, TensorData>, state: adam.init(params) },
    ];
    let weight = toTensor(params["layers.0.w"]) as tf.Tensor2D;
    let sum = tf.zeros([4, 6]);
    for (let i = 0; i < 3; i++) {
      a = (await ours({ ...a, gradients: gradients(i) } as never)) as never;
      b = (await theirs({ ...b, gradients: gradients(i) } as never)) as never;
      const gradient = toTensor(gradients(i)["layers.0.w"]!);
      sum = sum.mul(0.9).add(gradient);
      const direction = orthogonalised(sum.mul(0.9).add(gradient) as tf.Tensor2D);
      weight = weight.mul(1 - 0.1 * rate).sub(direction.mul(0.2 * Math.sqrt(6) * rate));
      expect(apart(toTensor(a.params["layers.0.w"]!), weight)).toBeLessThan(1e-5);
      for (const name of ["embed.w", "norm.g"]) {
        expect(apart(toTensor(a.params[name]!), toTensor(b.params[name]!)), name).toBe(0);
      }
    }
    expect(apart(toTensor(a.params["layers.0.w"]!), toTensor(b.params["layers.0.w"]!))).toBeGreaterThan(1e-3);
  });

  it("refuses a momentum out of range", () => {
    expect(() => muon({ ...options, momentum: 1 })).toThrow("momentum is 1");
  });
});
