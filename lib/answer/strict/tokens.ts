import Fraction from "fraction.js";
import { fail, type Rational, type Result } from "../math/expression.js";
import type { MathFunction } from "../math/math-node.js";

/** A piece of an answer. `digits` is how a number was written, where it is a plain run of digits. */
export type MathToken =
  | { kind: "number"; value: Rational; text: string; digits: string | undefined }
  | { kind: "word" | "text" | "command" | "symbol"; text: string }
  /** `upright`: set in a font for words, as units are: \text{m}. */
  | { kind: "letter"; text: string; upright?: true };

// No answer is longer; model output may be.
const MAX_LENGTH = 2000;
const MAX_EXPONENT = 1000;

const SPACE =
  /(?:\s|~|\$|\\[$,;:! ()[\]]|\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|q?quad|limits|hspace\{[^{}]{0,10}\})(?![a-zA-Z])\.?|[€£¥\u200b])+/y;
const RARE_CURRENCY = /[₹¢]/y;
const PLAIN_MIXED = /(\d+)\s+(\d+)\s*\/\s*(\d+)(?![\d.])/y;
const MIXED = /(\d+)\s+(\d+)\s*[/⁄]\s*(\d+)(?![\d.])/y;
const PLAIN_THOUSANDS = /\d{1,3}(?:(?:\{,\}|,\\!\s?|\\!,?\s?|\\,)\d{3}(?!\d))+/y;
const LATEX_THOUSANDS = /\d{1,3}(?:(?:\{,\}|,\\!\s?|\\!,?\s?|\\[,;: ]|~|['’])\d{3}(?!\d))+/y;
/** Groups of three with one space of some kind before each, as ISO writes them; no other separator follows. */
const SPACED_THOUSANDS =
  /[1-9]\d{0,2}(?:([ \u00a0\u2002-\u200a\u202f])\d{3})(?:\1\d{3})*(?!\d|[, \u00a0\u2002-\u200a\u202f]\d)/y;
/** One character each: ½, ¾, ⅓, …; a whole number before one is added. */
const VULGAR = /\s?([¼-¾⅐-⅞↉])/y;
/** A run of digits and commas; whether the commas separate thousands is decided on the whole run. */
const DIGITS = /\d+(?:,\d+)*/y;
const FRACTION = /\.(\d+)?(?:\\overline\{(\d{1,20})\})?/y;
const EXPONENT = /[eE]([+-]?\d{1,6})(?![\d.])/y;
/** TeX takes single digits as arguments: \frac12 is 1/2, \sqrt2x is √2·x. */
const DIGIT_ARGUMENTS: Record<string, RegExp> = {
  frac: /\s*(\d)(?:\s*(\d))?/y,
  binom: /\s*(\d)(?:\s*(\d))?/y,
  sqrt: /\s*(\d)/y,
};
const COMMAND = /\\([a-zA-Z]+|[{}|\\%&#_])/y;
const LETTERS = /\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)*/uy;
const TEXT_COMMAND =
  /^(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|hbox|mathrm|mathbf|mathit|mathsf|boldsymbol|bm|operatorname)$/;
const UPRIGHT = /^(?:text|textrm|textnormal|mbox|hbox|mathrm)$/;
/** Digits, letters and signs of full width, as Chinese and Japanese text has them. */
const WIDE = /[\uff01-\uff5e]/g;
const DEGREE = /\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degree(?![a-zA-Z])|°|º/y;

/**
 * Rows between slashes; in each the first name is what the names stand for. Maps, as names come from untrusted text.
 */
const synonyms = <T extends string>(table: string): Map<string, T> =>
  new Map(table.split(" / ").flatMap((row) => row.split(" ").map((name, _, [first]) => [name, first as T])));

const COMMAND_SYMBOLS = synonyms(
  "* cdot times ast / ± pm / ∓ mp / ≤ le leq leqslant / ≥ ge geq geqslant / < lt / > gt / ≠ ne neq / " +
    "| lvert rvert vert mid / ∪ cup / ∈ in / ⌊ lfloor / ⌋ rfloor / ⌈ lceil / ⌉ rceil / : colon / [ lbrack / ] rbrack / " +
    "\\{ { lbrace / \\} } rbrace / % / # / & / _ / ÷ div",
);
const CHARACTER_SYMBOLS = synonyms("* × · ⋅ ∗ / - − – ‐ / ÷ ⁄");
const COMMANDS = synonyms(
  "frac dfrac tfrac cfrac / binom dbinom tbinom / infty infinity inf ∞ / emptyset varnothing ∅ / pi π / sqrt √ / tan tg",
);
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The functions by the names that answers give them. */
export const FUNCTIONS = synonyms<MathFunction>(
  "sin / cos / tan / cot / sec / csc / asin arcsin / acos arccos / atan arctan / sinh / cosh / tanh / exp / log ln / " +
    "abs / floor / ceil",
);
const PLAIN_COMMANDS = new Set([...FUNCTIONS.keys(), "sqrt", "pi", "infinity", "inf", "tg"]);

/**
 * Split an answer, LaTeX or plain, into tokens. Spacing, dollar signs and currency are dropped; `\text{…}` and its
 * kin become one token unless they hold digits. A comma between digits separates thousands if the whole run of digits
 * has groups of three and stands outside of brackets: "1,000" is a number, "(1,000)" and "27,540,1" are lists.
 * Errors: too long, braces that do not match, a number too large.
 */
export function tokenizeMath(written: string, plain = false): Result<MathToken[]> {
  const text = plain ? written : written.replace(WIDE, (sign) => sign.normalize("NFKC"));
  if (text.length > MAX_LENGTH) return fail(`longer than ${MAX_LENGTH} characters`);
  const tokens: MathToken[] = [];
  const add = (kind: "letter" | "word" | "text" | "command" | "symbol", content: string) => {
    tokens.push({ kind, text: content });
  };
  // Most answers have none of these signs.
  const beyondAscii = !plain && /[\u0080-\uffff]/.test(text);
  let brackets = 0;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at += match[0].length;
    return match;
  };

  while (at < text.length) {
    if (take(SPACE) || (beyondAscii && take(RARE_CURRENCY))) continue;
    if (take(DEGREE)) {
      add("symbol", "°");
      continue;
    }
    const vulgar = beyondAscii ? take(VULGAR)?.[1] : undefined;
    if (vulgar !== undefined) {
      tokens.push(fractionToken(vulgar));
      continue;
    }
    const number = takeNumber(take, text, () => at, brackets, plain);
    if (number) {
      if (!number.ok) return number;
      tokens.push(...number.value);
      continue;
    }
    const command = take(COMMAND)?.[1];
    if (command !== undefined) {
      const group = TEXT_COMMAND.test(command) || /^(?:begin|end)$/.test(command) ? textGroup(text, at) : undefined;
      if (group) {
        at = group.end;
        if (command === "begin" || command === "end") add("command", `${command}:${group.content}`);
        else {
          const inner = textTokens(command, group.content, plain);
          if (!inner.ok) return inner;
          tokens.push(...inner.value);
        }
      } else {
        const symbol = command === "\\" ? "\\\\" : COMMAND_SYMBOLS.get(command);
        if (symbol === "\\{") brackets++;
        if (symbol === "\\}") brackets--;
        if (symbol !== undefined) add("symbol", symbol);
        else add("command", COMMANDS.get(command) ?? command);
        const digits = take(DIGIT_ARGUMENTS[COMMANDS.get(command) ?? ""] ?? /(?!)/y)?.slice(1) ?? [];
        tokens.push(...digits.filter((digit) => digit !== undefined).map(numberToken));
      }
      continue;
    }
    const letters = take(LETTERS)?.[0];
    if (letters !== undefined) {
      for (const part of letters.split(/(?=π)|(?<=π)/u)) {
        if (part === "π" || PLAIN_COMMANDS.has(part)) add("command", COMMANDS.get(part) ?? part);
        else add(part.length === 1 ? "letter" : "word", part);
      }
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at)!);
    at += character.length;
    if (SUPERSCRIPTS.includes(character)) {
      add("symbol", "^");
      tokens.push(numberToken(String(SUPERSCRIPTS.indexOf(character))));
    } else if (character === "*" && text[at] === "*") {
      at++;
      add("symbol", "^");
    } else if (!plain && (character === "<" || character === ">") && text[at] === "=") {
      at++;
      add("symbol", character === "<" ? "≤" : "≥");
    } else if (COMMANDS.has(character)) {
      add("command", COMMANDS.get(character)!);
    } else {
      if (character === "(" || character === "[") brackets++;
      if (character === ")" || character === "]") brackets--;
      add("symbol", CHARACTER_SYMBOLS.get(character) ?? character);
    }
  }
  return balanced(tokens)
    ? { ok: true, value: plain ? tokens : withMultipliers(tokens) }
    : fail("the braces do not match");
}

const MULTIPLIERS = new Map(
  ["hundred", "thousand", "million", "billion", "trillion"].map((name, at) => [name, at === 0 ? 2 : 3 * at]),
);
const MULTIPLIER = /^(hundred|thousand|million|billion|trillion)s?(?![\p{L}-])\s*/iu;

/** With "5 million" as the number it says; also `5\text{ million dollars}`, "2 hundred thousand". */
function withMultipliers(tokens: MathToken[]): MathToken[] {
  if (!tokens.some(({ kind, text }) => (kind === "word" || kind === "text") && MULTIPLIER.test(text))) return tokens;
  const result: MathToken[] = [];
  for (const token of tokens) {
    let text = token.text;
    const last = result.at(-1);
    // In "10^6 million" the 6 is no number of millions.
    if ((token.kind === "word" || token.kind === "text") && last?.kind === "number" && result.at(-2)?.text !== "^") {
      let value = last.value;
      for (let match = MULTIPLIER.exec(text); match; match = MULTIPLIER.exec(text)) {
        value = value.mul(new Fraction(10n ** BigInt(MULTIPLIERS.get(match[1]!.toLowerCase())!)));
        text = text.slice(match[0].length);
      }
      if (text !== token.text) {
        const scaled = { kind: "number" as const, value, text: `${last.text} ${token.text}`, digits: undefined };
        const over = result.at(-3);
        // Half of a million: "1/2 million".
        if (over?.kind === "number" && result.at(-2)?.text === "/")
          result.splice(-3, 1, { ...scaled, value: over.value.mul(value.div(last.value)) });
        else result[result.length - 1] = scaled;
        if (text === "") continue;
      }
    }
    result.push(text === token.text ? token : { kind: "text", text });
  }
  return result;
}

type NumberToken = MathToken & { kind: "number" };
type Take = (pattern: RegExp) => RegExpExecArray | null;

/** A number at the current place, or several with commas between them; undefined if there is none. */
function takeNumber(
  take: Take,
  text: string,
  at: () => number,
  brackets: number,
  plain: boolean,
): Result<MathToken[]> | undefined {
  const mixed = take(plain ? PLAIN_MIXED : MIXED);
  if (mixed) {
    const [written, whole, over, under] = mixed;
    if (/^0+$/.test(under!)) return fail("division by zero");
    const value = new Fraction(BigInt(over!), BigInt(under!)).add(new Fraction(BigInt(whole!)));
    return { ok: true, value: [{ kind: "number", value, text: written, digits: undefined }] };
  }
  const separated = (plain ? take(PLAIN_THOUSANDS) : (take(LATEX_THOUSANDS) ?? take(SPACED_THOUSANDS)))?.[0];
  const run = separated ?? take(DIGITS)?.[0];
  if (run === undefined && !(text[at()] === "." && /\d/.test(text[at() + 1] ?? ""))) return undefined;
  const thousands = separated !== undefined || (brackets <= 0 && /^[1-9]\d{0,2}(?:,\d{3})+$/.test(run ?? ""));
  const parts = thousands ? [run!.replace(/\D+/g, "")] : (run ?? "").split(",");
  const last = takeFraction(take, parts.pop()!);
  if (!last.ok) return last;
  const vulgar = !plain && last.value.digits !== undefined ? take(VULGAR)?.[1] : undefined;
  if (vulgar !== undefined) last.value = mixedToken(last.value, fractionToken(vulgar));
  const before = parts.flatMap((part): MathToken[] => [numberToken(part), { kind: "symbol", text: "," }]);
  return { ok: true, value: [...before, last.value] };
}

/** The number that starts with these digits: its decimals, repeating decimals and exponent follow. */
function takeFraction(take: Take, whole: string): Result<NumberToken> {
  const [decimals, fixed = "", repeating] = take(FRACTION) ?? [];
  const exponent = Number(take(EXPONENT)?.[1] ?? 0);
  if (Math.abs(exponent) > MAX_EXPONENT) return fail(`an exponent beyond ${MAX_EXPONENT}`);
  let value = new Fraction(BigInt(`${whole}${fixed}` || "0"), 10n ** BigInt(fixed.length));
  if (repeating !== undefined) {
    const ones = 10n ** BigInt(repeating.length) - 1n;
    value = value.add(new Fraction(BigInt(repeating), ones * 10n ** BigInt(fixed.length)));
  }
  if (exponent !== 0) {
    const scale = 10n ** BigInt(Math.abs(exponent));
    value = exponent > 0 ? value.mul(new Fraction(scale)) : value.div(new Fraction(scale));
  }
  const plain = decimals === undefined && exponent === 0;
  return {
    ok: true,
    value: { kind: "number", value, text: whole + (decimals ?? ""), digits: plain ? whole : undefined },
  };
}

/** The number that one character such as ½ stands for; ⅓ is 1⁄3 in compatible form. */
function fractionToken(character: string): NumberToken {
  const [over, under] = character.normalize("NFKC").split("⁄");
  return { kind: "number", value: new Fraction(BigInt(over!), BigInt(under!)), text: character, digits: undefined };
}

const mixedToken = (whole: NumberToken, part: NumberToken): NumberToken => ({
  kind: "number",
  value: whole.value.add(part.value),
  text: whole.text + part.text,
  digits: undefined,
});

const numberToken = (digits: string): NumberToken => ({
  kind: "number",
  value: new Fraction(BigInt(digits)),
  text: digits,
  digits,
});

/** The braces after a text command: what is in them and where they end. They do not nest. */
function textGroup(text: string, from: number): { content: string; end: number } | undefined {
  const start = text.indexOf("{", from);
  if (start < 0 || text.slice(from, start).trim() !== "") return undefined;
  const end = text.indexOf("}", start);
  const content = text.slice(start + 1, end);
  return end < 0 || content.includes("{") ? undefined : { content, end: end + 1 };
}

function textTokens(command: string, content: string, plain: boolean): Result<MathToken[]> {
  const words = content.trim().replace(/\s+/g, " ");
  if (!plain && UPRIGHT.test(command) && /^[a-zA-Z]$/.test(words))
    return { ok: true, value: [{ kind: "letter", text: words, upright: true }] };
  // Mathematics set in a text font: \mathbf{v}, \text{5 cm}, \mathrm{sin}.
  if (/\d|\\/.test(words) || /^\p{L}$/u.test(words) || FUNCTIONS.has(words)) return tokenizeMath(words, plain);
  if (words === "") return { ok: true, value: [] };
  return { ok: true, value: [{ kind: command === "operatorname" ? "command" : "text", text: words }] };
}

function balanced(tokens: readonly MathToken[]): boolean {
  let depth = 0;
  for (const { kind, text } of tokens) {
    if (kind !== "symbol") continue;
    if (text === "{" || text === "\\{") depth++;
    if (text === "}" || text === "\\}") depth--;
    if (depth < 0) return false;
  }
  return depth === 0;
}
