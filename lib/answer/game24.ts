import { evaluate, fail, leaves, type Rational, type Result } from "./math/expression.js";
import { parseArithmetic } from "./math/parse-arithmetic.js";

const TARGET = 24;

/**
 * Check an answer to the game of 24: the expression uses each given number once, no other number, and its exact value
 * is 24. A trailing "= 24" is allowed. The failure says what is wrong.
 */
export function checkGame24(given: readonly number[], expression: string): Result<Rational> {
  const parsed = parseArithmetic(leftSide(expression));
  if (!parsed.ok) return parsed;
  const used = leaves(parsed.value).map((leaf) => (leaf.kind === "number" ? leaf.value.toFraction() : "a reference"));
  const [wanted, found] = [given.map(String), used].map((numbers) => numbers.sort().join(" "));
  if (wanted !== found) return fail(`uses ${found} instead of ${wanted}`);
  const value = evaluate(parsed.value);
  if (!value.ok) return value;
  return value.value.equals(TARGET) ? value : fail(`is ${value.value.toFraction()}, not ${TARGET}`);
}

/**
 * The released DOTS check of the game of 24 (spec §2.6), for comparison: each given number occurs in the text as a
 * substring and the value is 24. So numbers may be reused, left out, or be parts of others.
 */
export function checkGame24Dots(given: readonly number[], expression: string): boolean {
  const parsed = parseArithmetic(leftSide(expression));
  const value = parsed.ok ? evaluate(parsed.value) : parsed;
  return value.ok && value.value.equals(TARGET) && given.every((number) => expression.includes(String(number)));
}

const leftSide = (expression: string): string => /^([^=]*)=\s*24\s*$/.exec(expression)?.[1] ?? expression;
