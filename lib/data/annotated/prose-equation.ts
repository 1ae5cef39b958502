import {
  compareStated,
  type Expression,
  evaluate,
  parseArithmetic,
  parseNumber,
  type Rational,
} from "../../answer/index.js";

export interface ProseEquation {
  expression: Expression;
  value: Rational;
}

// A number with its separators and percent sign; a sign or a relation; a word with what hangs on it ("students/class").
const TOKEN =
  /(?<number>\d+ \d{1,2}\/\d+(?![\d.])|(?:\d{1,3}(?:[, ]\d{3})+(?!\d)|\d+)(?:\.\d+)?%?|\.\d+%?)|(?<unit>\/\s?[A-Za-z]+)|(?<symbol>[-+−–*×÷/^()=])|(?<word>[A-Za-z][\w'’]*(?:\/[A-Za-z]+)?)|(?<other>\S)/g;
const SPACE_LIKE = /[$€£¥]/;
const OPERATOR_WORDS: [RegExp, string][] = [
  [/\bplus\b/g, "+"],
  [/\bminus\b/g, "-"],
  [/\b(?:times|multiplied by)\b/g, "*"],
  [/\bdivided by\b/g, "/"],
  [/\bequals\b/g, "="],
];

interface Token {
  kind: "number" | "symbol" | "word" | "other";
  text: string;
}

/**
 * The last equation "expression = number" in a sentence, units between the numbers left out: of "90 days – 30 days =
 * 60 days" it is 90 − 30 = 60. Only an equation that exact arithmetic confirms to the digits written is one.
 */
export function findProseEquation(text: string): ProseEquation | undefined {
  const tokens = tokenize(text);
  for (let at = tokens.length - 1; at > 0; at--) {
    const stated = tokens[at]!.text === "=" ? numberAt(tokens, at + 1) : undefined;
    if (stated === undefined) continue;
    const expression = parseArithmetic(expressionBefore(tokens, at).join(" "));
    const number = parseNumber(stated);
    if (!expression.ok || !number.ok || expression.value.kind !== "binary") continue;
    const value = evaluate(expression.value);
    if (!value.ok) continue;
    const agreement = compareStated(value.value, stated);
    if (agreement.ok && agreement.value !== "different") return { expression: expression.value, value: number.value };
  }
  return undefined;
}

/** The number at the position, with its sign. */
function numberAt(tokens: readonly Token[], at: number): string | undefined {
  const sign = tokens[at]?.text === "-" ? "-" : "";
  const token = tokens[at + sign.length];
  return token?.kind === "number" ? `${sign}${token.text}` : undefined;
}

/** The numbers and operators that end at the position, as far back as they can belong to one expression. */
function expressionBefore(tokens: readonly Token[], end: number): string[] {
  const parts: string[] = [];
  let following: Token | undefined;
  for (let at = end - 1; at >= 0; at--) {
    const token = tokens[at]!;
    if (token.kind === "word") continue;
    if (token.kind === "other" || token.text === "=") break;
    const endsOperand = token.kind === "number" || token.text === ")";
    const beginsOperand = following?.kind === "number";
    if (endsOperand && beginsOperand) break;
    parts.unshift(token.text);
    following = token;
  }
  return parts;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const symbolic = OPERATOR_WORDS.reduce((all, [word, symbol]) => all.replace(word, symbol), text);
  for (const { groups } of symbolic.matchAll(TOKEN)) {
    const { number, symbol, word, unit, other } = groups as Record<string, string | undefined>;
    const before = tokens.at(-1);
    if (number) tokens.push({ kind: "number", text: number.includes("/") ? number : number.replaceAll(" ", "") });
    else if (symbol) tokens.push({ kind: "symbol", text: symbol });
    // "2 x 5": the letter is the sign of multiplication where it follows a number or a unit and a number comes next.
    else if (/^[xX]$/.test(word ?? "") && before && before.text !== "=") tokens.push({ kind: "symbol", text: "×" });
    else if (word || unit) tokens.push({ kind: "word", text: word ?? unit! });
    else if (other && !SPACE_LIKE.test(other)) tokens.push({ kind: "other", text: other });
  }
  return tokens;
}

// "4x", "x = ", "+ y", "(b", "let g be": a letter that stands for a number.
const UNKNOWN =
  /(?:\d|[-+−*/=(]\s*)([A-Za-z])(?![A-Za-z'’])|(?<![A-Za-z'’])([A-Za-z])\s*(?:[-+−*/=)])|\b[Ll]et\s+([A-Za-z])\b/g;
// "2 x 5" is a product.
const TIMES = /(?<=[\d)%]\s*)[xX](?=\s*[\d($.])/g;

/** The letters that a line uses for unknown numbers. */
export function unknownsIn(text: string): Set<string> {
  const letters = [...text.replace(TIMES, "*").matchAll(UNKNOWN)].map((match) => match[1] ?? match[2] ?? match[3]!);
  return new Set(letters);
}

// "x = 25 years" and "20 = A", but neither "2x = 40" nor "x = 121/11 + 3".
const SOLVED = /(?<![\w*/+−-])(?<![*/+−-]\s+)[A-Za-z]\s*=\s*\$?(-?[\d.,/]*\d%?)(?!\s*(?:[-+*/(\d]|[A-Za-z]\b))/g;
const SOLVED_REVERSED = /(?<![-+*/\d.,]\s*)\$?(-?[\d.,]*\d)\s*=\s*[A-Za-z]\s*(?:[.,;]|$)/;

/** The number that a line finds for an unknown, as in "x = 25" or "20 = A". */
export function solvedUnknown(text: string): Rational | undefined {
  const solved = [...text.matchAll(SOLVED)].at(-1)?.[1];
  const reversed = SOLVED_REVERSED.exec(text)?.[1];
  const number = parseNumber(solved ?? reversed ?? "");
  return number.ok ? number.value : undefined;
}

/** The number a sentence states if it has only one, such as 5 in "Lamar finds 5 eggs". */
export function onlyNumber(text: string): Rational | undefined {
  const numbers = new Set(
    [...text.matchAll(/(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?|\.\d+%?/g)].map(([number]) => number),
  );
  if (numbers.size !== 1) return undefined;
  const number = parseNumber([...numbers][0]!);
  return number.ok ? number.value : undefined;
}
