import { FUNCTIONS, type MathToken } from "./tokens.js";

/** Units and abbreviations that do not look like words. Single letters may be variables, so "5 m" keeps its m. */
const SHORT_UNITS = new Set(
  (
    "mm cm dm km nm ft yd mi kg mg lb lbs oz ml mL cl dl kL hr hrs min mins sec secs ms mph kph kmh rpm Hz kHz " +
    "MHz kW kWh MB GB TB KB kB bits sq cu deg rad rads USD EUR GBP pts units"
  ).split(" "),
);
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
 * The tokens of a value without the unit after it: percent, degrees, `\text{ cm}^2`, "square inches", "km/h".
 * Unchanged where nothing would be left, or where the words change the meaning ("5 or more", "5 million").
 */
export function withoutUnit(tokens: readonly MathToken[]): readonly MathToken[] {
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
    if (isSymbol(at, "}") && isSymbol(at - 2, "{") && tokens[at - 1]!.kind === "number" && isSymbol(at - 3, "^"))
      at -= 4;
    else if (tokens[at]?.kind === "number" && isSymbol(at - 1, "^")) at -= 2;
    if (isSymbol(at - 1, "/") && tokens[at]?.kind === "letter" && isUnit(tokens[at - 2])) at -= 2;
    if (!isUnit(tokens[at])) break;
    words++;
    end = isSymbol(at - 1, "/") && words > 0 && !isSymbol(at - 2, ")") ? at - 1 : at;
  }
  const unit = tokens.slice(end).filter(({ kind }) => kind === "word" || kind === "text");
  const text = unit.map((token) => token.text).join(" ");
  if (words > MAX_UNIT_WORDS || MEANINGFUL.test(text) || text.split(" ").length > MAX_UNIT_WORDS) return tokens;
  const left = tokens.slice(0, end);
  return left.some(({ kind }) => kind !== "symbol" && kind !== "text" && kind !== "word") ? left : tokens;
}

function isUnit(token: MathToken | undefined): boolean {
  if (token?.kind === "text") return !/^\(?[a-z]\)?$/i.test(token.text);
  if (token?.kind === "command") return token.text === "sec";
  return token?.kind === "word" && (SHORT_UNITS.has(token.text) || isPlainWord(token.text));
}

/** Words rather than products of variables: these have no vowel, or their letters stand in alphabetical order. */
export function isPlainWord(word: string): boolean {
  if (word.length < 3 || !/[aeiou]/i.test(word)) return false;
  return [...word.toLowerCase()].some((letter, index, letters) => index > 0 && letters[index - 1]! >= letter);
}
