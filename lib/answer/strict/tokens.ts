import Fraction from "fraction.js";
import { fail, type Rational, type Result } from "../math/expression.js";
import type { MathFunction } from "../math/math-node.js";

/** A piece of an answer. `digits` is how a number was written, where it is a plain run of digits. */
export type MathToken =
  | { kind: "number"; value: Rational; text: string; digits: string | undefined }
  | { kind: "letter" | "word" | "text" | "command" | "symbol"; text: string };

// No answer is longer; model output may be.
const MAX_LENGTH = 2000;
const MAX_EXPONENT = 1000;

const SPACE =
  /(?:\s|~|\$|\\[$,;:! ()[\]]|\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|q?quad|limits|hspace\{[^{}]{0,10}\})(?![a-zA-Z])\.?|[€£¥\u200b])+/y;
const MIXED = /(\d+)\s+(\d+)\s*\/\s*(\d+)(?![\d.])/y;
const LATEX_THOUSANDS = /\d{1,3}(?:(?:\{,\}|,\\!\s?|\\!,?\s?|\\,)\d{3}(?!\d))+/y;
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
export function tokenizeMath(text: string): Result<MathToken[]> {
  if (text.length > MAX_LENGTH) return fail(`longer than ${MAX_LENGTH} characters`);
  const tokens: MathToken[] = [];
  const add = (kind: "letter" | "word" | "text" | "command" | "symbol", content: string) => {
    tokens.push({ kind, text: content });
  };
  let brackets = 0;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at += match[0].length;
    return match;
  };

  while (at < text.length) {
    if (take(SPACE)) continue;
    if (take(DEGREE)) {
      add("symbol", "°");
      continue;
    }
    const number = takeNumber(take, text, () => at, brackets);
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
          const inner = textTokens(command, group.content);
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
    } else if (COMMANDS.has(character)) {
      add("command", COMMANDS.get(character)!);
    } else {
      if (character === "(" || character === "[") brackets++;
      if (character === ")" || character === "]") brackets--;
      add("symbol", CHARACTER_SYMBOLS.get(character) ?? character);
    }
  }
  return balanced(tokens) ? { ok: true, value: tokens } : fail("the braces do not match");
}

type Take = (pattern: RegExp) => RegExpExecArray | null;

/** A number at the current place, or several with commas between them; undefined if there is none. */
function takeNumber(take: Take, text: string, at: () => number, brackets: number): Result<MathToken[]> | undefined {
  const mixed = take(MIXED);
  if (mixed) {
    const [written, whole, over, under] = mixed;
    if (/^0+$/.test(under!)) return fail("division by zero");
    const value = new Fraction(BigInt(over!), BigInt(under!)).add(new Fraction(BigInt(whole!)));
    return { ok: true, value: [{ kind: "number", value, text: written, digits: undefined }] };
  }
  const separated = take(LATEX_THOUSANDS)?.[0];
  const run = separated ?? take(DIGITS)?.[0];
  if (run === undefined && !(text[at()] === "." && /\d/.test(text[at() + 1] ?? ""))) return undefined;
  const thousands = separated !== undefined || (brackets <= 0 && /^[1-9]\d{0,2}(?:,\d{3})+$/.test(run ?? ""));
  const parts = thousands ? [run!.replace(/\D+/g, "")] : (run ?? "").split(",");
  const last = takeFraction(take, parts.pop()!);
  if (!last.ok) return last;
  const before = parts.flatMap((part): MathToken[] => [numberToken(part), { kind: "symbol", text: "," }]);
  return { ok: true, value: [...before, last.value] };
}

/** The number that starts with these digits: its decimals, repeating decimals and exponent follow. */
function takeFraction(take: Take, whole: string): Result<MathToken> {
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

const numberToken = (digits: string): MathToken => ({
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

function textTokens(command: string, content: string): Result<MathToken[]> {
  const words = content.trim().replace(/\s+/g, " ");
  // Mathematics set in a text font: \mathbf{v}, \text{5 cm}, \mathrm{sin}.
  if (/\d|\\/.test(words) || /^\p{L}$/u.test(words) || FUNCTIONS.has(words)) return tokenizeMath(words);
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
