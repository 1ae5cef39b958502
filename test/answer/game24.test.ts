import { checkGame24, checkGame24Dots } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

describe("checkGame24", () => {
  it.each([
    [[4, 4, 6, 8], "(4 + 8) * (6 - 4)", true],
    [[4, 4, 6, 8], "(4 + 8) × (6 − 4) = 24", true],
    [[3, 3, 8, 8], "8 / (3 - 8/3)", true],
    [[1, 1, 4, 6], "4*6*1", "uses 1 4 6 instead of 1 1 4 6"],
    [[1, 1, 4, 6], "14+10-6+6", "uses 10 14 6 6 instead of 1 1 4 6"],
    [[1, 1, 4, 6], "(1+1)*(4+6)", "is 20, not 24"],
    [[2, 4, 6, 6], "24", "uses 24 instead of 2 4 6 6"],
    [[0, 4, 6, 1], "4*6/(1-1)+0", "uses 0 1 1 4 6 instead of 0 1 4 6"],
    [[0, 0, 4, 6], "4*6/(0*0)", "division by zero"],
    [[1, 1, 4, 6], "import os", 'unexpected "i"'],
  ])("%j, %j: %j", (given, expression, expected) => {
    const checked = checkGame24(given, expression);
    expect(checked.ok || checked.reason).toBe(expected);
  });
});

describe("checkGame24Dots, the released check", () => {
  it.each([
    ["4*6*1", true],
    ["14+10-6+6", true],
    ["4*6", false],
    ["(1+1)*(4+6)", false],
    ["nonsense 1 4 6", false],
  ])("%j for 1 1 4 6: %j", (expression, expected) => {
    expect(checkGame24Dots([1, 1, 4, 6], expression)).toBe(expected);
  });
});
