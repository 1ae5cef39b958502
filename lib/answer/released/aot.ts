import { evaluate, fail, type Result } from "../math/expression.js";
import { parseArithmetic } from "../math/parse-arithmetic.js";

/**
 * The answer that the released Atom of Thoughts reads (spec §3.2, §3.4): the content of the last `<answer>…</answer>`,
 * where the dot does not match a newline, so that a tag over several lines is not seen. Without a tag, what its loader
 * takes from reference solutions: the first `\boxed{`, up to the first closing brace (`\boxed{\frac{1}{2}}` gives
 * `\frac{1`).
 */
export function extractAot(text: string): Result<string> {
  const tagged = lastTag(text);
  if (tagged !== undefined) return { ok: true, value: tagged };
  const start = text.indexOf("\\boxed{");
  const end = start < 0 ? -1 : text.indexOf("}", start);
  return end < 0 ? fail("no <answer> tag on one line, no \\boxed{}") : { ok: true, value: text.slice(start + 7, end) };
}

/** What stands in the last tag that opens and closes on one line; a million open tags must not take quadratic time. */
function lastTag(text: string): string | undefined {
  let content: string | undefined;
  for (let from = 0; ; ) {
    const start = text.indexOf("<answer>", from);
    const end = start < 0 ? -1 : text.indexOf("</answer>", start);
    if (end < 0) return content;
    const newline = text.lastIndexOf("\n", end);
    if (newline < start) content = text.slice(start + 8, end).trim();
    from = newline < start ? end + 9 : newline;
  }
}

/**
 * Equality of the released Atom of Thoughts for mathematics (spec §3.3, §3.4): both texts, commas removed, are
 * evaluated as Python expressions in floating point and must be the same number. What cannot be evaluated counts as 0,
 * so that any two unparseable answers are equal, and equal to 0. Here nothing is evaluated by the host: our own parser
 * reads + − * / ** and parentheses; the rest of Python (`^`, `//`, calls) counts as unparseable.
 */
export function equalAot(a: string, b: string): boolean {
  return valueOrZero(a) === valueOrZero(b);
}

function valueOrZero(text: string): number {
  const expression = text.replaceAll(",", "").trim();
  // What our parser allows but Python does not: juxtaposition, percent, x for times, other signs.
  if (!/^[\d.+\-*/()\s]*$/.test(expression) || /[\d.)]\s*\(|\)\s*[\d.]|[\d.]\s+[\d.]/.test(expression)) return 0;
  const parsed = parseArithmetic(expression);
  const value = parsed.ok ? evaluate(parsed.value) : parsed;
  return value.ok ? value.value.valueOf() : 0;
}
