import { mcnemar } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";

/** Lists of outcomes with these numbers of problems that both, the first, the second and neither got right. */
const pairs = (both: number, first: number, second: number, neither: number): [boolean[], boolean[]] => [
  [...Array(both).fill(true), ...Array(first).fill(true), ...Array(second).fill(false), ...Array(neither).fill(false)],
  [...Array(both).fill(true), ...Array(first).fill(false), ...Array(second).fill(true), ...Array(neither).fill(false)],
];

describe("mcnemar", () => {
  it("counts pairs, and gives the exact two-sided p value", () => {
    expect(mcnemar(...pairs(5, 3, 1, 2))).toMatchObject({ both: 5, onlyFirst: 3, onlySecond: 1, neither: 2, p: 0.625 });
    // Of 8 coins 8 on one side: 2 / 2^8. R's binom.test(1, 10): 0.02148438.
    expect(mcnemar(...pairs(0, 8, 0, 0)).p).toBeCloseTo(2 / 256, 12);
    expect(mcnemar(...pairs(0, 1, 9, 0)).p).toBeCloseTo(0.02148438, 7);
    expect(mcnemar(...pairs(0, 4, 4, 0)).p).toBe(1);
    expect(mcnemar(...pairs(4, 0, 0, 4)).p).toBe(1);
    // Far beyond where a factorial is finite.
    expect(mcnemar(...pairs(0, 2000, 1900, 0)).p).toBeCloseTo(0.1129, 3);
  });

  it("gives the difference with its interval", () => {
    const { difference, interval } = mcnemar(...pairs(50, 20, 10, 20));
    expect(difference).toBeCloseTo(0.1, 12);
    // Wald for paired shares: 0.1 ± 1.96 · sqrt((0.3 − 0.01) / 100).
    expect(interval[0]).toBeCloseTo(0.1 - 1.959964 * Math.sqrt(0.0029), 6);
    expect(interval[1]).toBeCloseTo(0.1 + 1.959964 * Math.sqrt(0.0029), 6);
  });

  it("refuses lists that are no pairs", async () => {
    expect(await failure(() => mcnemar([true], []))).toMatchObject({ code: "bad-input" });
    expect(await failure(() => mcnemar([], []))).toMatchObject({ code: "bad-input" });
  });
});
