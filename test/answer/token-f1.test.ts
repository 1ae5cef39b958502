import { equalWords, tokenF1 } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

describe("tokenF1", () => {
  it("counts common words as the HotpotQA evaluation does", () => {
    const { precision, recall, f1 } = tokenF1("the cat sat", "cat sat down");
    expect([precision, recall, f1]).toEqual([1, 2 / 3, expect.closeTo(0.8, 12)]);
    expect(tokenF1("a b b", "b b b").f1).toBeCloseTo(0.8, 12);
    expect(tokenF1("", "").f1).toBe(0);
  });

  it.each([
    ["yes", "no", 0],
    ["yes it is", "yes", 0],
    ["no", "noanswer", 0],
    ["Yes.", "yes", 1],
    ["The Eiffel Tower!", "eiffel tower", 1],
    ["constructor", "toString", 0],
  ])("%j against %j is %j", (prediction, reference, f1) => {
    expect(tokenF1(prediction, reference).f1).toBe(f1);
  });

  it("takes the best of several references", () => {
    expect(tokenF1("Seoul", ["Seoul, South Korea", "seoul"]).f1).toBe(1);
    expect(tokenF1("Seoul", []).f1).toBe(0);
  });
});

describe("equalWords", () => {
  it.each([
    ["The Beatles", "beatles", true],
    ["A.B.C.", "abc", true],
    ["Paris", "London", false],
    ["the", "a", false],
  ])("%j, %j: %j", (a, b, equal) => {
    expect(equalWords(a, b)).toBe(equal);
  });
});
