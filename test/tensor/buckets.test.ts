import { createRandom } from "thoughtbook/core";
import { bucketBatches, bucketOf, bucketSizes, padRows } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";

describe("bucketSizes", () => {
  it("doubles, or takes every multiple", () => {
    expect(bucketSizes({ longest: 100 })).toEqual([8, 16, 32, 64, 100]);
    expect(bucketSizes({ longest: 32, growth: 1 })).toEqual([8, 16, 24, 32]);
    expect(bucketSizes({ longest: 5 })).toEqual([5]);
    expect(bucketSizes({ longest: 4, multipleOf: 1, growth: 1 })).toEqual([1, 2, 3, 4]);
    expect(bucketSizes({ longest: 64, shortest: 20 })).toEqual([24, 48, 64]);
  });

  it("bounds the padding by growth, beyond the steps of a multiple", () => {
    for (const growth of [1.1, 1.25, 1.5, 2, 3]) {
      const sizes = bucketSizes({ longest: 1000, growth, multipleOf: 4 });
      for (const [i, size] of sizes.slice(1).entries()) {
        expect(size).toBeGreaterThan(sizes[i]!);
        expect(size).toBeLessThanOrEqual(Math.max(sizes[i]! * growth, sizes[i]! + 4));
      }
    }
  });

  it("refuses sizes that are none", () => {
    expect(() => bucketSizes({ longest: 0 })).toThrow("longest is 0");
    expect(() => bucketSizes({ longest: 10, growth: 0.5 })).toThrow("growth is 0.5");
    expect(() => bucketSizes({ longest: 10, shortest: 12 })).toThrow("shortest is 12, above longest, 10");
    expect(() => bucketSizes({ longest: 10, multipleOf: 1.5 })).toThrow("multipleOf is 1.5");
  });
});

describe("bucketOf", () => {
  it("is the smallest that holds a length", () => {
    expect([0, 1, 8, 9, 16].map((length) => bucketOf(length, [8, 16]))).toEqual([8, 8, 8, 16, 16]);
    expect(() => bucketOf(17, [8, 16])).toThrow("a length of 17 is above the largest bucket, 16");
  });
});

describe("padRows", () => {
  it("pads on the right, and whole rows", () => {
    const padded = padRows([[1, 2], Int32Array.of(3)], { length: 3, rows: 3, value: -100 });
    expect(padded).toMatchObject({ shape: [3, 3], dtype: "int32" });
    expect([...padded.data]).toEqual([1, 2, -100, 3, -100, -100, -100, -100, -100]);
  });

  it("says what is too long", () => {
    expect(() => padRows([[1], [1, 2, 3]], { length: 2, value: 0 })).toThrow(
      "sequence 1 has 3 values, more than the 2",
    );
    expect(() => padRows([[1], [1]], { length: 2, rows: 1, value: 0 })).toThrow("there are 2 sequences for 1 rows");
  });
});

describe("bucketBatches", () => {
  const random = createRandom("lengths");
  const lengths = Array.from({ length: 500 }, () => 1 + random.integer(120));
  const sizes = bucketSizes({ longest: 120, growth: 1.25 });
  const options = { sizes, batchSize: 16, rowSizes: [4, 16] };

  it("takes every example once, in the smallest bucket that holds it", () => {
    const batches = bucketBatches(lengths, { ...options, random: createRandom(1) });
    expect(batches.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    for (const { indices, length, rows } of batches) {
      expect([4, 16]).toContain(rows);
      expect(rows).toBe(indices.length <= 4 ? 4 : 16);
      for (const index of indices) expect(bucketOf(lengths[index]!, sizes)).toBe(length);
    }
  });

  it("is the same for the same seed only, and keeps the order without one", () => {
    const of = (seed: number) => bucketBatches(lengths, { ...options, random: createRandom(seed) });
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(bucketBatches([3, 9, 4, 5], { sizes: [8, 16], batchSize: 2 })).toEqual([
      { indices: [0, 2], length: 8, rows: 2 },
      { indices: [3], length: 8, rows: 2 },
      { indices: [1], length: 16, rows: 2 },
    ]);
  });

  it("pads less with finer buckets", () => {
    const places = (growth: number) =>
      bucketBatches(lengths, { ...options, sizes: bucketSizes({ longest: 120, growth }) })
        .map(({ rows, length }) => rows * length)
        .reduce((sum, each) => sum + each);
    expect(places(1.25)).toBeLessThan(places(2));
  });

  it("refuses an example longer than all buckets", () => {
    expect(() => bucketBatches([200], options)).toThrow("a length of 200 is above the largest bucket, 120");
    expect(() => bucketBatches([1], { ...options, batchSize: 0 })).toThrow("batchSize is 0");
  });
});
