import {
  type Expression,
  evaluate,
  formatExpression,
  formatRational,
  leaves,
  mapExpression,
  parseArithmetic,
} from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

function parse(text: string): Expression {
  const parsed = parseArithmetic(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

const exactly = (expression: Expression) => {
  const value = evaluate(expression);
  if (!value.ok) throw new Error(value.reason);
  return value.value;
};

describe("formatExpression", () => {
  it.each([
    ["1-(2-3)", "1 − (2 − 3)"],
    ["(1-2)-3", "1 − 2 − 3"],
    ["2*(3+4)", "2 × (3 + 4)"],
    ["8/(4/2)", "8 ÷ (4 ÷ 2)"],
    ["(2^3)^2", "(2^3)^2"],
    ["2^(3^2)", "2^3^2"],
    ["-(1+2)", "−(1 + 2)"],
    ["-2^2", "−2^2"],
    ["(-2)^2", "(−2)^2"],
    ["(1+2)%", "(1 + 2)%"],
  ])("writes %s as %s", (text, expected) => {
    expect(formatExpression(parse(text))).toBe(expected);
  });

  it("keeps the value of 300 random expressions when parsed again", () => {
    let state = 7;
    const random = (bound: number) => {
      state = (state * 48271) % 2147483647;
      return state % bound;
    };
    const build = (depth: number): string => {
      if (depth === 0 || random(4) === 0) return String(random(20) + 1);
      if (random(6) === 0) return `-${build(depth - 1)}`;
      return `(${build(depth - 1)}${"+-*/"[random(4)]}${build(depth - 1)})`;
    };
    for (let round = 0; round < 300; round++) {
      const expression = parse(build(4));
      const value = evaluate(expression);
      const again = evaluate(parse(formatExpression(expression)));
      expect(again.ok).toBe(value.ok);
      if (value.ok && again.ok) expect(again.value.equals(value.value)).toBe(true);
    }
  });
});

describe("references", () => {
  const doubled: Expression = {
    kind: "binary",
    operator: "*",
    left: { kind: "reference", index: 1 },
    right: parse("2"),
  };

  it("stand for the values of other steps", () => {
    const known = evaluate(doubled, (index) => (index === 1 ? exactly(parse("7/2")) : undefined));
    expect(known.ok && formatRational(known.value)).toBe("7");
    expect(evaluate(doubled)).toEqual({ ok: false, reason: "the value of step 2 is not known" });
    expect(formatExpression(doubled)).toBe("[2] × 2");
    expect(formatExpression(doubled, () => "eggs")).toBe("eggs × 2");
  });

  it("are leaves, and can be replaced", () => {
    expect(leaves(doubled).map(({ kind }) => kind)).toEqual(["reference", "number"]);
    const replaced = mapExpression(doubled, (part) => (part.kind === "reference" ? parse("1+2") : undefined));
    expect(formatExpression(replaced)).toBe("(1 + 2) × 2");
  });
});

describe("formatRational", () => {
  it.each([
    ["1/8", "0.125"],
    ["1/7", "1/7"],
    ["0-1/3", "-1/3"],
    ["1/2^20", "1/1048576"],
  ])("writes %s as %s", (text, expected) => {
    expect(formatRational(exactly(parse(text)))).toBe(expected);
  });
});
