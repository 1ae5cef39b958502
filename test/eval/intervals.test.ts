import { mean, meansBy, proportion, shares } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";

describe("proportion", () => {
  // Agresti & Coull 1998 and R's prop.test(correct = FALSE).
  it.each([
    [0, 10, 0, 0.2775],
    [5, 10, 0.2366, 0.7634],
    [81, 263, 0.2553, 0.3662],
    [10, 10, 0.7225, 1],
  ])("%i of %i lies in [%f, %f]", (successes, trials, low, high) => {
    const { value, interval, count } = proportion(successes, trials);
    expect([value, count]).toEqual([successes / trials, trials]);
    expect(interval![0]).toBeCloseTo(low, 4);
    expect(interval![1]).toBeCloseTo(high, 4);
  });

  it("of nothing is no number", () => {
    expect(proportion(0, 0)).toEqual({ value: Number.NaN, interval: undefined, count: 0 });
  });

  it.each([
    [3, 2],
    [-1, 2],
    [0.5, 2],
  ])("of %f in %f is an error", (successes, trials) => {
    expect(() => proportion(successes, trials)).toThrow(/0 ≤ successes ≤ trials/);
  });
});

describe("mean", () => {
  it("has the normal interval of its standard error", () => {
    const { value, interval } = mean([1, 2, 3, 4]);
    expect(value).toBe(2.5);
    expect(interval![1] - 2.5).toBeCloseTo(1.959964 * Math.sqrt(5 / 3 / 4), 5);
  });

  it("has no interval for a single value", () => {
    expect(mean([3])).toEqual({ value: 3, interval: undefined, count: 1 });
  });
});

describe("shares", () => {
  it("are percentages with Wilson intervals", () => {
    const { x, y, intervals } = shares([0, 5, 5]);
    expect([x, y]).toEqual([
      [0, 1, 2],
      [0, 50, 50],
    ]);
    expect(intervals[0]![1]).toBeCloseTo(27.75, 2);
    expect(intervals[1]![0]).toBeCloseTo(23.66, 2);
  });
});

describe("meansBy", () => {
  it("leaves out groups that are too small and sorts the others by key", () => {
    const items = [10, 2, 2, 10, 10, 3].map((key, index) => ({ key, value: index }));
    const { x, y, intervals } = meansBy(
      items,
      ({ key }) => key,
      ({ value }) => value,
      2,
    );
    expect([x, y]).toEqual([
      [2, 10],
      [1.5, 7 / 3],
    ]);
    expect(intervals[0]).toEqual(mean([1, 2]).interval);
  });
});
