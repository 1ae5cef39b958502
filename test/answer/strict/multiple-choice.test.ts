import { describe, expect, it } from "vitest";
import { equalChoice, equalYesNo } from "../../../lib/dist/answer/strict/multiple-choice.js";

describe("equalChoice", () => {
  it.each(["(A)", "A", "a", "A)", " A. "])("%j is A", (text) => {
    expect(equalChoice(text, "A")).toBe(true);
    expect(equalChoice("(a)", text)).toBe(true);
    expect(equalChoice(text, "B")).toBe(false);
  });

  it.each(["", "AB", "answer A", "1"])("%j is no choice and equals nothing", (text) => {
    expect(equalChoice(text, text)).toBe(false);
  });
});

describe("equalYesNo", () => {
  it.each([
    ["Yes.", "yes", true],
    ["true", "yes", true],
    ["**No**", "false", true],
    ["yes", "no", false],
    ["maybe", "maybe", false],
  ])("%j, %j: %j", (a, b, equal) => {
    expect(equalYesNo(a, b)).toBe(equal);
  });
});
