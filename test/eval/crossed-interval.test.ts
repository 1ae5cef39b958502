import { createRandom } from "thoughtbook/core";
import { crossedEstimate, proportion } from "thoughtbook/eval";
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

  it("with three seeds that differ is Student's, of 2 degrees of freedom", () => {
    const rows = [0.2, 0.5, 0.8].map((share) => Array.from({ length: 100 }, () => share));
    const half = (4.302653 * 0.3) / Math.sqrt(3);
    const { interval } = crossedEstimate([rows], (mean) => mean);
    expect(interval![0]).toBeCloseTo(0.5 - half, 5);
    expect(interval![1]).toBeCloseTo(0.5 + half, 5);
  });

  it("of a share stays between 0 and 1, and is Wilson's where all or none is right", () => {
    const { value, interval } = crossedEstimate([[[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]], (mean) => mean, { scale: "logit" });
    expect(value).toBeCloseTo(0.1, 12);
    expect(interval![0]).toBeGreaterThan(0);
    expect(interval![1]).toBeGreaterThan(0.3);
    const none = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    expect(crossedEstimate([none], (mean) => mean, { scale: "logit" }).interval).toEqual(proportion(0, 4).interval);
  });

  // 400 studies whose seeds have an effect as large as all else, or none; of shares, and of ratios of shares in pairs.
  it.each([
    { seeds: 3, effect: 0.05 },
    { seeds: 3, effect: 0 },
    { seeds: 5, effect: 0.05 },
    { seeds: 1, effect: 0 },
  ])("holds the truth as often as it says: $seeds seeds, effect $effect", ({ seeds, effect }) => {
    let [shares, ratios] = [0, 0];
    for (let study = 0; study < 400; study++) {
      const random = createRandom(`study ${study}`);
      const problems = Array.from({ length: 200 }, () => 0.1 * random.normal());
      const measured = (chance: number) =>
        Array.from({ length: seeds }, () => {
          const own = effect * random.normal();
          return problems.map((problem) => Number(random.uniform() < chance + own + problem));
        });
      const [many, few] = [measured(0.6), measured(0.4)];
      const share = crossedEstimate([many], (mean) => mean, { scale: "logit" }).interval!;
      const ratio = crossedEstimate([many, few], (a, b) => a / b, { scale: "log" }).interval!;
      shares += Number(share[0] <= 0.6 && 0.6 <= share[1]);
      ratios += Number(ratio[0] <= 1.5 && 1.5 <= ratio[1]);
    }
    for (const held of [shares, ratios]) expect(held / 400).toBeGreaterThan(0.925);
  });

  it("draws pairs together: a difference of what is equal is exactly 0", () => {
    const rows = [[1, 0, 0, 1, 1]];
    const { value, interval } = crossedEstimate([rows, rows], (a, b) => a - b);
    expect(value).toBe(0);
    for (const end of interval!) expect(end).toBeCloseTo(0, 9);
  });

  it("has no interval where an end is not finite, or of one number", () => {
    const nothing = [[0, 0, 0]];
    expect(crossedEstimate([[[1, 1, 1]], nothing], (a, b) => a / b, { scale: "log" }).interval).toBeUndefined();
    expect(crossedEstimate([[[1]]], (mean) => mean).interval).toBeUndefined();
  });

  it.each([[[]], [[[]]], [[[[]]]], [[[[1, 2]], [[1]]]], [[[[1], [2]], [[1]]]], [[[[1, 2], [1]]]]])(
    "refuses %j",
    (quantities) => {
      expect(() => crossedEstimate(quantities as number[][][], () => 0)).toThrow(RangeError);
    },
  );
});
