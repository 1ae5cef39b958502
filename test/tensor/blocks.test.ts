import tf = require("@tensorflow/tfjs");

import { blockLinear, blockRows, blockWeights, compile, spec, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";

const [OUT, IN, SIZE] = [6, 32, 16];
const quants = tensorData(
  Int8Array.from({ length: OUT * IN }, (_, i) => ((i * 37) % 255) - 127),
  [OUT, IN],
);
const perBlock = (of: (i: number) => number) =>
  tensorData(
    Float32Array.from({ length: (OUT * IN) / SIZE }, (_, i) => of(i)),
    [OUT, IN / SIZE],
  );
const matrix = { quants, scales: perBlock((i) => 0.01 * (1 + i)), offsets: perBlock((i) => Math.sin(i)) };
const specs = {
  quants: spec([OUT, IN], "int8"),
  scales: spec([OUT, IN / SIZE]),
  offsets: spec([OUT, IN / SIZE]),
};
const weight = (row: number, column: number) => {
  const block = row * (IN / SIZE) + Math.floor(column / SIZE);
  return quants.data[row * IN + column]! * matrix.scales.data[block]! + matrix.offsets.data[block]!;
};
const x = tensorData(
  Float32Array.from({ length: 3 * IN }, (_, i) => Math.cos(i)),
  [3, IN],
);

describe("a matrix in blocks", () => {
  it.each([undefined, 2 * IN])(
    "is multiplied, with the gradient of the other factor, in pieces too",
    async (weightsAtATime) => {
      const run = compile(
        ({ x, matrix }) => {
          const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
            blockLinear(x, matrix, weightsAtATime ? { weightsAtATime } : {})
              .square()
              .sum(),
          )(x);
          return { value, gradient: grad };
        },
        { x: spec([3, IN]), matrix: specs },
      );
      const { value, gradient: gradients } = await run({ x, matrix });
      const products = Array.from({ length: 3 }, (_, row) =>
        Array.from({ length: OUT }, (_, out) => {
          let sum = 0;
          for (let i = 0; i < IN; i++) sum += x.data[row * IN + i]! * weight(out, i);
          return sum;
        }),
      );
      expect(value.data[0]).toBeCloseTo(
        products.flat().reduce((sum, each) => sum + each ** 2, 0),
        2,
      );
      for (const [i, gradient] of gradients.data.entries()) {
        const wanted = products[Math.floor(i / IN)]!.reduce(
          (sum, each, out) => sum + 2 * each * weight(out, i % IN),
          0,
        );
        expect(gradient / wanted).toBeCloseTo(1, 4);
      }
      await run.dispose();
    },
  );

  it("gives rows, and all weights, as it does outside of compiled functions", async () => {
    const run = compile(({ ids, matrix }) => ({ rows: blockRows(matrix, ids), all: blockWeights(matrix) }), {
      ids: spec([2, 2], "int32"),
      matrix: specs,
    });
    const ids = tensorData(Int32Array.of(5, 0, 3, 3), [2, 2]);
    const { rows, all } = await run({ ids, matrix });
    expect(rows.shape).toEqual([2, 2, IN]);
    for (const [i, id] of ids.data.entries()) {
      for (let column = 0; column < IN; column++) expect(rows.data[i * IN + column]).toBeCloseTo(weight(id, column), 5);
    }
    const plain = tf.tidy(() =>
      blockWeights({
        quants: tf.tensor(Int32Array.from(quants.data), [OUT, IN], "int32"),
        scales: tf.tensor(matrix.scales.data, [OUT, IN / SIZE]),
        offsets: tf.tensor(matrix.offsets.data, [OUT, IN / SIZE]),
      }).dataSync(),
    );
    expect([...all.data]).toEqual([...plain]);
    await run.dispose();
  });
});
