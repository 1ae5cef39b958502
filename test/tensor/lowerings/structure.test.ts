import * as tf from "@tensorflow/tfjs";
import { compile, embedding, spec, type TensorData, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { describeCases } from "./helpers.js";
import { gatherCases, reductionCases, scatterCases, shapeCases } from "./structure.cases.js";

describeCases("shapes", shapeCases);
describeCases("reductions and scans", reductionCases);
describeCases("gather", gatherCases);
describeCases("scatter", scatterCases);

describe("sums at indices that repeat", () => {
  // Whole numbers, whose sums are exact in any order: what differs was lost.
  const [rows, width, count] = [64, 96, 4096];
  const places = tensorData(
    Int32Array.from({ length: count }, (_, i) => (i * i) % rows),
    [count],
  );
  const slices = tensorData(
    Float32Array.from({ length: count * width }, (_, i) => i % 7),
    [count, width],
  );
  const expected = new Float32Array(rows * width);
  for (const [i, place] of places.data.entries()) {
    for (let j = 0; j < width; j++) expected[place * width + j]! += slices.data[i * width + j]!;
  }
  const inputs = { places: spec([count], "int32"), slices: spec([count, width]) };
  const sums: Record<string, (inputs: { places: tf.Tensor; slices: tf.Tensor }) => tf.Tensor> = {
    unsortedSegmentSum: ({ places, slices }) => tf.unsortedSegmentSum(slices, places as tf.Tensor1D, rows),
    "scatterND of depth 2": ({ places, slices }) => {
      const halves = tf.stack([places.floorDiv(tf.scalar(8, "int32")), places.mod(tf.scalar(8, "int32"))], 1);
      return tf.scatterND(halves, slices, [rows / 8, 8, width]).reshape([rows, width]);
    },
    "the gradient of embedding": ({ places, slices }) =>
      tf.grad((table) => embedding(table, places).mul(slices).sum())(tf.zeros([rows, width])),
  };

  it.each(Object.keys(sums))("%s loses none, whichever thread adds first", async (name) => {
    const program = compile(sums[name]!, inputs);
    for (let run = 0; run < 20; run++) {
      expect(((await program({ places, slices })) as TensorData).data).toEqual(expected);
    }
    await program.dispose();
  });
});
