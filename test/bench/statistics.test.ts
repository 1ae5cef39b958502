import { describe, expect, it } from "vitest";
import { formatNumber, formatSpread, formatTable } from "../../bench/shared/report.js";
import { curveDifference, ratioByRound, spreadOf } from "../../bench/shared/statistics.js";
import { failure } from "../core/helpers.js";

describe("a spread", () => {
  it("is the median with the range, of odd and even counts", () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, count: 3 });
    expect(spreadOf([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10, count: 4 });
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7, count: 1 });
  });

  it("of nothing, or of something not finite, is an error", async () => {
    expect((await failure(() => spreadOf([]))).code).toBe("bad-input");
    expect((await failure(() => spreadOf([1, Number.NaN]))).message).toContain("1, NaN");
  });

  it("leaves its values in their order", () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("ratios by round", () => {
  it("do not see what the machine does to a whole round", () => {
    // The ratio of the medians, 25 / 10, is no ratio that occurred.
    expect(ratioByRound([100, 20, 25], [50, 10, 12.5])).toEqual({ median: 2, min: 2, max: 2, count: 3 });
  });

  it("leave out rounds in which one had no turn", () => {
    expect(ratioByRound([10, null, 30, 40], [5, 5, null, 10])).toEqual({ median: 3, min: 2, max: 4, count: 2 });
    expect(ratioByRound([null, 1], [1, null])).toBeNull();
    expect(ratioByRound([1, 2], [])).toBeNull();
  });
});

describe("the difference of two curves", () => {
  it("is the largest one of the steps both have, up to a number", () => {
    expect(curveDifference([6, 5, 4], [6, 5.5, 1, 0], 2)).toEqual({ steps: 2, difference: 0.5 / 5.5 });
    expect(curveDifference([6, 5], [6, 5, 4], 10)).toEqual({ steps: 2, difference: 0 });
    expect(curveDifference([0.2], [0.1], 10)?.difference).toBeCloseTo(0.1, 12);
    expect(curveDifference([], [1], 10)).toBeNull();
  });

  it("of a curve that is no number is none either", () => {
    expect(curveDifference([6, Number.NaN], [6, 5], 10)?.difference).toBeNaN();
  });
});

it("prints tables with columns of equal width", () => {
  expect(
    formatTable(
      ["peer", "speed"],
      [
        ["engine", "1,230"],
        ["a", "–"],
      ],
    ),
  ).toBe(["peer    speed", "engine  1,230", "a           –"].join("\n"));
  expect(formatNumber(12345)).toBe("12,300");
  expect(formatSpread({ median: 1.2345, min: 1, max: 12.7, count: 3 })).toBe("1.23 (1–12.7)");
  expect(formatSpread(null)).toBe("–");
});
