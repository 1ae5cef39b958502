import { FUNCTIONS, type MathToken } from "./tokens.js";
import { isUnitWord, readUnit, type Unit } from "./unit-sizes.js";

/** Abbreviations dropped after a value; they are all treated alike. */
const SHORT_UNITS = new Set("lbs hrs mins secs bits deg rads pts units sq cu".split(" "));
/** Words that make what stands before them more than a value with a unit. */
const MEANINGFUL = new RegExp(
  `\\b(?:${(
    "and or not no if when never none impossible undefined infinite infinitely than more less fewer for any all except " +
      "unless where with hundred thousand million billion trillion dozen half halves third thirds squared cubed factorial"
  ).replaceAll(" ", "|")})\\b`,
  "i",
);
const MAX_UNIT_WORDS = 4;

/**
 * The tokens of a value and the unit after it: percent, degrees, `\text{ cm}^2`, "square inches", "km/h". All tokens are
 * the value where nothing would be left, or where the words change the meaning ("5 or more", "5 thirds").
 */
export function splitUnit(tokens: readonly MathToken[]): { value: readonly MathToken[]; unit?: Unit | undefined } {
  let end = tokens.length;
  const isSymbol = (at: number, text: string) => tokens[at]?.kind === "symbol" && tokens[at].text === text;
  // Inside of a sine the degrees matter.
  const inDegrees = tokens.some(({ kind, text }) => kind === "command" && FUNCTIONS.has(text));
  let words = 0;
  for (;;) {
    let at = end - 1;
    if (isSymbol(at, "%") || (isSymbol(at, "°") && !inDegrees) || (isSymbol(at, ".") && at > 0)) {
      end = at;
      continue;
    }
    // 20 °C
    if (/^[CF]$/.test(tokens[at]?.text ?? "") && isSymbol(at - 1, "°") && !inDegrees) {
      end = at - 1;
      continue;
    }
    if (isSymbol(at, "}") && tokens[at - 1]!.kind === "number") {
      const open = isSymbol(at - 2, "-") ? at - 3 : at - 2;
      if (isSymbol(open, "{") && isSymbol(open - 1, "^")) at = open - 2;
    } else if (tokens[at]?.kind === "number" && isSymbol(at - 1, "^")) at -= 2;
    if (isSymbol(at - 1, "/") && tokens[at]?.kind === "letter" && isUnit(tokens[at - 2])) at -= 2;
    if (!isUnit(tokens[at])) break;
    words++;
    end = isSymbol(at - 1, "/") && words > 0 && !isSymbol(at - 2, ")") ? at - 1 : at;
  }
  if (end === tokens.length) return { value: tokens };
  const unit = tokens.slice(end).filter(({ kind }) => kind === "word" || kind === "text");
  // "5 cm squared" is an area, "5 squared" is 25.
  const text = unit
    .map((token) => token.text)
    .join(" ")
    .replace(/(\p{L}+) (?:squared|cubed)\b/u, (all, word: string) => (isUnitWord(word) ? word : all));
  if (words > MAX_UNIT_WORDS || MEANINGFUL.test(text) || text.split(" ").length > MAX_UNIT_WORDS)
    return { value: tokens };
  const left = tokens.slice(0, end);
  // In `\pi r^2\text{h}` the h is a variable.
  if (tokens.slice(end).some(isUpright) && left.some(({ kind }) => kind === "letter")) return { value: tokens };
  if (!left.some(({ kind }) => kind !== "symbol" && kind !== "text" && kind !== "word")) return { value: tokens };
  return { value: left, unit: unitOf(tokens.slice(end)) };
}

const unitOf = (tokens: readonly MathToken[]): Unit | undefined =>
  readUnit(
    tokens
      .map(({ text }) => text.replace(/^[{}]$/, ""))
      .join(" ")
      .replace(/\^\s+/g, "^")
      .replace(/- /g, "-"),
  );

/**
 * The value and the unit of "5 m", whose m may as well be a variable: a number and single letters that name units, as m,
 * m^2 and m/s; undefined for anything else.
 */
export function asQuantity(
  tokens: readonly MathToken[],
): { value: MathToken & { kind: "number" }; unit: Unit } | undefined {
  const [value, ...rest] = tokens;
  if (value?.kind !== "number" || rest[0]?.kind !== "letter" || rest.length > 6) return undefined;
  const known = rest.every(({ kind, text }) =>
    kind === "letter" || kind === "word" ? isUnitWord(text, true) : kind === "number" || /^[/^{}]$/.test(text),
  );
  const unit = known ? unitOf(rest) : undefined;
  return unit && { value, unit };
}

const isUpright = (token: MathToken | undefined): boolean => token?.kind === "letter" && token.upright === true;

function isUnit(token: MathToken | undefined): boolean {
  if (isUpright(token)) return isUnitWord(token!.text, true);
  if (token?.kind === "text") return !/^\(?[a-z]\)?$/i.test(token.text) || isUnitWord(token.text, true);
  if (token?.kind === "command") return token.text === "sec";
  return token?.kind === "word" && (SHORT_UNITS.has(token.text) || isUnitWord(token.text) || isPlainWord(token.text));
}

/** Words rather than products of variables: these have no vowel, or their letters stand in alphabetical order. */
export function isPlainWord(word: string): boolean {
  if (word.length < 3 || !/[aeiou]/i.test(word)) return false;
  return [...word.toLowerCase()].some((letter, index, letters) => index > 0 && letters[index - 1]! >= letter);
}
