import Fraction from "fraction.js";
import { fail, type Rational, type Result } from "../math/expression.js";
import { parseNumber } from "../math/parse-arithmetic.js";

/** How an exact value relates to the number somebody wrote for it. */
export type Agreement = "equal" | "rounded" | "truncated" | "different";

/**
 * Compare an exact value with the number stated for it, to the digits that are written: 10/3 stated as 3.33 is
 * "rounded", 2/3 stated as 0.66 is "truncated".
 */
export function compareStated(value: Rational, stated: string): Result<Agreement> {
  const number = parseNumber(stated);
  if (!number.ok) return number;
  if (number.value.equals(value)) return { ok: true, value: "equal" };
  const digits = /\.(\d*)/.exec(stated)?.[1]?.length ?? 0;
  const unit = new Fraction(1n, 10n ** BigInt(digits));
  if (value.sub(number.value).abs().compare(unit.div(2)) <= 0) return { ok: true, value: "rounded" };
  const truncated = value.abs().div(unit).floor().mul(unit).mul(value.s);
  return { ok: true, value: truncated.equals(number.value) ? "truncated" : "different" };
}

/** The number after the last `####`, the convention of GSM8K. */
export function finalAnswer(solution: string): Result<Rational> {
  const at = solution.lastIndexOf("####");
  return at < 0 ? fail('no "####" line') : parseNumber(solution.slice(at + 4));
}
