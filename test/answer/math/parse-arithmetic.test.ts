import { evaluate, formatRational, parseArithmetic, parseNumber } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";

const value = (text: string): string => {
  const parsed = parseArithmetic(text);
  const result = parsed.ok ? evaluate(parsed.value) : parsed;
  return result.ok ? formatRational(result.value) : `unparseable: ${result.reason}`;
};

describe("parseArithmetic", () => {
  it.each([
    ["48/2", "24"],
    ["100-50-30-15", "5"],
    ["2+3*4", "14"],
    ["(2+3)*4", "20"],
    ["2^3^2", "512"],
    ["2**10", "1024"],
    ["-2^2", "-4"],
    ["(-2)^2", "4"],
    ["2^-2", "0.25"],
    ["3--2", "5"],
    ["1/3+1/6", "0.5"],
    ["10/3", "10/3"],
    [".5*.4", "0.2"],
    ["0.1+0.2", "0.3"],
    ["1,080 + 1", "1081"],
    ["$3 × 4", "12"],
    ["12 ÷ 4 − 1", "2"],
    ["3 x 4", "12"],
    ["27(1/3)", "9"],
    ["(1+1)(2+2)", "8"],
    ["1 1/2 + 1/2", "2"],
    ["50%", "0.5"],
    ["50%*8", "4"],
    ["5.", "5"],
    ["123456789012345678901234567890*10", "1234567890123456789012345678900"],
  ])("%s is %s", (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it.each([
    ["", "empty"],
    ["1/0", "division by zero"],
    ["0^-1", "division by zero"],
    ["560//10", 'unexpected "/"'],
    ["2+", "ends too early"],
    ["(2+3", "a parenthesis is not closed"],
    ["2)", 'unexpected ")"'],
    ["two", 'unexpected "t"'],
    ["process.exit(1)", 'unexpected "p"'],
    ["2^0.5", "a power with a fraction as exponent is not exact"],
    ["9^9^9", "an exponent beyond 1000"],
    ["99999999^999", "a power with more than 5000 digits"],
    ["1 2", 'unexpected "2"'],
    ["1.2.3", 'unexpected ".3"'],
  ])("%j has no value: %s", (text, reason) => {
    expect(value(text)).toBe(`unparseable: ${reason}`);
  });

  it("bounds the length and the nesting of untrusted text", () => {
    expect(value("1+".repeat(2000))).toBe("unparseable: longer than 2000 characters");
    expect(value(`${"(".repeat(500)}1`)).toBe("unparseable: nested deeper than 100");
    expect(value(`${"-".repeat(500)}1`)).toBe("unparseable: nested deeper than 100");
    expect(value(`${"1+".repeat(900)}1`)).toBe("901");
  });
});

describe("parseNumber", () => {
  it.each([
    ["1,234.50", "1234.5"],
    ["-3", "-3"],
    ["$ 7", "7"],
    ["3/4", "0.75"],
    ["1 1/2", "1.5"],
    ["25%", "0.25"],
  ])("%s is %s", (text, expected) => {
    const number = parseNumber(text);
    expect(number.ok && formatRational(number.value)).toBe(expected);
  });

  it.each(["1+1", "", "abc", "3/0", "2^2"])("%j is no number", (text) => {
    expect(parseNumber(text).ok).toBe(false);
  });
});
