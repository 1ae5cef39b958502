import { acu, acuByParameters, passAtK, proportion } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";
import { clusteredProportion } from "../../lib/dist/eval/intervals.js";
import { majorityIsCorrect, passSizes } from "../../lib/dist/eval/metrics.js";

describe("ACU", () => {
  // Rows of A*-Thought's tables.
  it.each([
    [12.325, 512, 2.41],
    [29.4, 490.51, 5.99],
  ])("of %f %% at %f tokens is %f", (percent, tokens, expected) => {
    expect(acu(percent / 100, tokens)).toBeCloseTo(expected, 2);
  });

  it("is divided by the parameters in billions", () => {
    expect(acuByParameters(0.5, 100, 32e9)).toBeCloseTo(50 / 32, 10);
    expect(acuByParameters(0.5, 100, 2.5e6)).toBeCloseTo(20_000, 8);
  });

  it("of texts without tokens is not defined", () => {
    expect(acu(0.5, 0)).toBeUndefined();
    expect(acuByParameters(0.5, 0, 1e9)).toBeUndefined();
  });
});

describe("pass@k", () => {
  // Made with the released evaluation of A*-Thought.
  it.each([
    [8, 2, 1, 0.25],
    [8, 2, 2, 0.464286],
    [8, 2, 4, 0.785714],
    [8, 2, 8, 1],
    [3, 1, 2, 0.666667],
    [3, 0, 3, 0],
    [5, 5, 1, 1],
  ])("of %i samples with %i correct, k = %i, is %f", (samples, correct, k, expected) => {
    expect(passAtK(samples, correct, k)).toBeCloseTo(expected, 6);
  });

  it.each([
    [3, 4, 1],
    [3, 1, 0],
    [3, 1, 4],
    [3, 0.5, 1],
  ])("refuses %f, %f, %f", (samples, correct, k) => {
    expect(() => passAtK(samples, correct, k)).toThrow(RangeError);
  });

  it("is told for powers of two and n", () => {
    expect([passSizes(1), passSizes(6), passSizes(8)]).toEqual([[1], [1, 2, 4, 6], [1, 2, 4, 8]]);
  });
});

describe("a majority", () => {
  const same = (a: string, b: string) => Number(a) === Number(b);
  const vote = (answer: string | undefined, correct = false) => ({ answer, correct });

  it("is of answers that say the same, however they are written", () => {
    expect(majorityIsCorrect([vote("7"), vote("5", true), vote("5.0", true)], same)).toBe(true);
  });
  it("does not count samples without an answer", () => {
    expect(majorityIsCorrect([vote(undefined), vote(undefined), vote("5", true)], same)).toBe(true);
    expect(majorityIsCorrect([vote(undefined)], same)).toBe(false);
  });
  it("is the answer that came first where several have as many votes", () => {
    expect(majorityIsCorrect([vote("7"), vote("5", true)], same)).toBe(false);
    expect(majorityIsCorrect([vote("5", true), vote("7")], same)).toBe(true);
  });
});

describe("a share over problems", () => {
  it("with one trial each is a proportion", () => {
    expect(clusteredProportion([1, 0, 1, 1])).toEqual(proportion(3, 4));
  });
  it("with more trials has the interval of the number of problems", () => {
    const { value, interval } = clusteredProportion([1, 0.5, 0, 0.5]);
    expect(value).toBe(0.5);
    expect(interval).toEqual(proportion(2, 4).interval);
  });
});
