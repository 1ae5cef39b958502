import { didYouMean, nearNames } from "thoughtbook/core";
import { expect, it } from "vitest";

const MODELS = ["mini", "mini-base", "mini-scorer"];

it.each([
  ["minni", ["mini"]],
  ["mnii", ["mini"]],
  ["MINI", ["mini"]],
  ["minibase", ["mini-base"]],
  ["mini-scorr", ["mini-scorer"]],
  ["min", ["mini", "mini-base", "mini-scorer"]],
  ["gpt2", []],
  ["", []],
])("%s is near %j", (name, near) => {
  expect(nearNames(name, MODELS)).toEqual(near);
});

it("tells three names at most, the nearest first, each once", () => {
  expect(nearNames("abcdef", ["abcdxx", "abcdex", "abcdef", "abcde", "abcdef", "abcdeg"])).toEqual([
    "abcdef",
    "abcde",
    "abcdeg",
  ]);
});

it("writes them as a question, or nothing", () => {
  expect(didYouMean("minni", MODELS)).toBe("Did you mean mini? ");
  expect(didYouMean("gsm9k", ["gsm8k", "math"])).toBe("Did you mean gsm8k? ");
  expect(didYouMean("other", MODELS)).toBe("");
});
