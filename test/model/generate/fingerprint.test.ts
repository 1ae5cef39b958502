import { describe, expect, it } from "vitest";
import { fingerprintInTurns, fingerprintOf } from "../../../lib/model/generate/fingerprint.js";
import type { HostModel } from "../../../lib/model/network/host-model.js";

/** A model of which only the numbers count. */
const modelOf = (...arrays: number[][]): HostModel =>
  ({
    weights: Object.fromEntries(
      arrays.map((data, at) => [`w${at}`, { shape: [data.length], dtype: "float32", data: Float32Array.from(data) }]),
    ),
  }) as unknown as HostModel;

const numbers = Array.from({ length: 11 }, (_, i) => Math.sin(i + 1));

describe("the checksum of a model's numbers", () => {
  it("is the same for equal numbers, at once and in turns", async () => {
    const model = modelOf(numbers, [1, 2, 3]);
    expect(fingerprintOf(modelOf(numbers, [1, 2, 3]))).toBe(fingerprintOf(model));
    expect(await fingerprintInTurns(model)).toBe(fingerprintOf(model));
  });

  it("differs when any number, any sign, any two signs or the order of two numbers does", () => {
    const all = new Set([fingerprintOf(modelOf(numbers))]);
    let changes = 0;
    const change = (edit: (data: number[]) => void) => {
      const data = [...numbers];
      edit(data);
      all.add(fingerprintOf(modelOf(data)));
      changes++;
    };
    for (let i = 0; i < numbers.length; i++) {
      change((data) => (data[i]! += 1e-3));
      change((data) => (data[i]! *= -1));
      for (let j = 0; j < i; j++) {
        change((data) => ([data[i], data[j]] = [data[j]!, data[i]!]));
        change((data) => {
          data[i]! *= -1;
          data[j]! *= -1;
        });
      }
    }
    expect(all.size).toBe(changes + 1);
  });
});
