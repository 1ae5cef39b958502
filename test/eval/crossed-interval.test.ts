import { createRandom } from "thoughtbook/core";
import { crossedEstimate } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";

describe("crossedEstimate", () => {
  it("is the statistic of the means, with an interval that holds it", () => {
    const { value, interval, count } = crossedEstimate([[[1, 0, 1, 1]], [[2, 2, 2, 4]]], (a, b) => a / b);
    expect(value).toBe(0.75 / 2.5);
    expect(interval![0]).toBeLessThan(value);
    expect(interval![1]).toBeGreaterThan(value);
    expect(count).toBe(4);
  });

  it("of one seed is the usual bootstrap over problems", () => {
    const random = createRandom(1);
    const row = Array.from({ length: 400 }, () => Number(random.uniform() < 0.3));
    const { value, interval } = crossedEstimate([[row]], (mean) => mean);
    const half = 1.96 * Math.sqrt((value * (1 - value)) / 400);
    expect(interval![0]).toBeCloseTo(value - half, 1);
    expect(interval![1]).toBeCloseTo(value + half, 1);
    expect(interval![1] - interval![0]).toBeGreaterThan(1.7 * half);
    expect(interval![1] - interval![0]).toBeLessThan(2.3 * half);
  });

  it("is wider where seeds differ, though the problems do not", () => {
    const rows = [0.2, 0.5, 0.8].map((share) => Array.from({ length: 100 }, () => share));
    const { value, interval } = crossedEstimate([rows], (mean) => mean);
    expect(value).toBeCloseTo(0.5, 12);
    expect(interval![0]).toBeLessThan(0.35);
    expect(interval![1]).toBeGreaterThan(0.65);
  });

  // Of 200 studies of 5 seeds and 60 problems with effects of both: the interval holds the truth in 95 % or more.
  it("holds the truth as often as it says", () => {
    let held = 0;
    for (let study = 0; study < 200; study++) {
      const random = createRandom(`study ${study}`);
      const seeds = Array.from({ length: 5 }, () => 0.1 * random.normal());
      const problems = Array.from({ length: 60 }, () => random.normal());
      const values = seeds.map((seed) => problems.map((problem) => seed + problem + 0.5 * random.normal()));
      const [low, high] = crossedEstimate([values], (mean) => mean, { resamples: 200 }).interval!;
      held += Number(low <= 0 && 0 <= high);
    }
    expect(held).toBeGreaterThanOrEqual(184);
  });

  it("draws pairs together: a difference of what is equal is exactly 0", () => {
    const rows = [[1, 0, 0, 1, 1]];
    expect(crossedEstimate([rows, rows], (a, b) => a - b)).toMatchObject({ value: 0, interval: [0, 0] });
  });

  it("has no interval where an end is not finite, and repeats exactly", () => {
    const rare = [[0, 0, 0, 0, 0, 1]];
    expect(crossedEstimate([[[1, 1, 1, 1, 1, 1]], rare], (a, b) => a / b).interval).toBeUndefined();
    const twice = () => crossedEstimate([rare], (mean) => mean, { seed: 4 });
    expect(twice()).toEqual(twice());
  });

  it.each([[[]], [[[]]], [[[[]]]], [[[[1, 2]], [[1]]]], [[[[1], [2]], [[1]]]], [[[[1, 2], [1]]]]])(
    "refuses %j",
    (quantities) => {
      expect(() => crossedEstimate(quantities as number[][][], () => 0)).toThrow(RangeError);
    },
  );
});
