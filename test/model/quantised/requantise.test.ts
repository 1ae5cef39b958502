import type { QuantisedMatrix } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { joinBlocks, toByteBlocks } from "../../../lib/dist/model/quantised/requantise.js";
import { dequantise } from "../../../lib/dist/model/weights/quantised-matrix.js";
import { type Kind, randomMatrix } from "./models.js";

const weightsOf = (matrix: QuantisedMatrix): Float32Array => {
  const { quants, scales } = toByteBlocks(matrix);
  return dequantise({ shape: matrix.shape, bits: 8, blockSize: matrix.blockSize, zero: 128, quants, scales });
};
const largestError = (matrix: QuantisedMatrix) => {
  const wanted = dequantise(matrix);
  return Math.max(...weightsOf(matrix).map((weight, i) => Math.abs(weight - wanted[i]!)));
};

describe("blocks of 8 bits", () => {
  it.each<Kind>(["Q8_0", "Q6_K", "Q4_0"])("keep the numbers of %s", (kind) => {
    const matrix = randomMatrix(kind, 8, 64, 1);
    expect([...weightsOf(matrix)]).toEqual([...dequantise(matrix)]);
  });

  it.each<Kind>(["Q4_1", "Q5_1"])("hold %s to a twelfth of a step", (kind) => {
    const matrix = randomMatrix(kind, 64, 64, 2);
    expect(largestError(matrix)).toBeLessThan(0.083 * Math.max(...matrix.scales));
  });

  it("hold blocks that are far from 0, that are one number, and that are 0", () => {
    const matrix = {
      ...randomMatrix("Q4_1", 3, 32, 3),
      scales: Float32Array.of(0.001, 0, 0),
      offsets: Float32Array.of(7, -2, 0),
    };
    const wanted = dequantise(matrix);
    for (const [i, weight] of weightsOf(matrix).entries()) {
      expect(Math.abs(weight - wanted[i]!)).toBeLessThanOrEqual(Math.abs(wanted[i]!) / 200);
    }
  });

  it("become larger ones, each number to half of a step of the new block", () => {
    const matrix = randomMatrix("Q8_0", 4, 128, 4);
    const { quants, scales } = joinBlocks(toByteBlocks(matrix), 32, 2);
    const joined = dequantise({ shape: matrix.shape, bits: 8, blockSize: 64 as never, zero: 128, quants, scales });
    const wanted = dequantise(matrix);
    for (const [i, weight] of joined.entries()) {
      expect(Math.abs(weight - wanted[i]!)).toBeLessThanOrEqual(0.5001 * scales[Math.floor(i / 64)]!);
    }
    const largest = Math.max(...wanted.subarray(0, 64).map(Math.abs));
    expect(Math.max(...joined.subarray(0, 64).map(Math.abs))).toBeCloseTo(largest, 5);
    const zeros = { quants: new Uint8Array(64).fill(128), scales: new Float32Array(2) };
    expect(joinBlocks(zeros, 32, 2)).toEqual({ quants: zeros.quants, scales: new Float32Array(1) });
  });
});
