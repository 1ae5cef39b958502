import { fail, type Rational, type Result } from "../math/expression.js";
import { evaluateFactorials, hasFactorials } from "../math/factorials.js";
import { everyNode, type MathNode, variablesOf } from "../math/math-node.js";
import { isKnownCommand, parseMath } from "../math/parse-math.js";
import { evaluateExactly } from "../math/sample.js";
import { ALL_REALS, allBut, boundedBy, joinedIntervals } from "./intervals.js";
import { type MathToken, tokenizeMath } from "./tokens.js";
import { currencyOf, isCounted, type Unit } from "./unit-sizes.js";
import { asQuantity, splitUnit } from "./units.js";
import type { AnswerValue, Relation } from "./value.js";

const RELATIONS: Record<string, Relation | ">" | "≥"> = {
  "=": "=",
  "≠": "≠",
  "<": "<",
  "≤": "≤",
  ">": ">",
  "≥": "≥",
  "≡": "≡",
  "≈": "≈",
};
const OPENING = new Set(["(", "[", "{", "\\{"]);
const CLOSING = new Set([")", "]", "}", "\\}"]);
/** A name with letters as "a" and numbers as "1": a_1, a(a), aa, (a,a). */
const NAME = /^(?:a(?:_(?:a|1|\{[a1,]+\}))?'*){1,5}(?:\(a\))?$|^\(a(?:_[a1])?(?:,a(?:_[a1])?)+\)$/;
const MAX_DEPTH = 20;
const MAX_ITEMS = 100;

/**
 * What an answer says, LaTeX or plain text. Units, currency, percent and degree signs stand beside the value; a constant
 * expression of rational value is a number; `x = 5`, `{5}` and `(5)` are 5; `a \pm b` is two solutions. Inequalities that
 * bound one variable are intervals: `0 < x \le 5` is (0,5].
 * Errors (the answer is unparseable): empty, longer than 2,000 characters, braces that do not match, or neither
 * mathematics nor words.
 */
export const parseAnswer = (text: string): Result<AnswerValue> => parse(text, false);

/**
 * The older reading on which A*-Thought's stand-in for SymPy rests: units are dropped, inequalities are no intervals, "½"
 * and "5 million" are no numbers. Errors as {@link parseAnswer}.
 */
export const parsePlainAnswer = (text: string): Result<AnswerValue> => parse(text, true);

/** 5:00 pm, `5 \\text{ p.m.}`, 5 PM; "5pm" may be a product. */
const TIME_OF_DAY =
  /^([^a-z]{0,20}\d:\d\d|[^a-z]{0,20}\d(?=\s|\\[a-z ,;~]|~|[AP]M|[ap]\.))(?:\s|\\[ ,;]|~)*(?:\\(?:text|mathrm|mbox|textrm)\s?\{)?(?:\s|\\[ ,;]|~)*([ap])\.?\s?m\.?\s*\}?[\s$.]*$/i;

function parse(text: string, plain: boolean): Result<AnswerValue> {
  const [, time, half] = (plain ? undefined : TIME_OF_DAY.exec(text)) ?? [];
  if (time !== undefined) {
    const value = parse(time, plain);
    const unit: Unit = { factors: [{ names: [half!.toLowerCase() === "a" ? "before noon" : "after noon"], power: 1 }] };
    if (value.ok && (value.value.kind === "number" || value.value.kind === "sequence"))
      return { ok: true, value: { ...value.value, unit } };
  }
  const tokens = tokenizeMath(plain ? text : text.replace(/^\s*US(?=\\?\$)/, ""), plain);
  if (!tokens.ok) return tokens;
  const trimmed = trim(plain ? tokens.value : withTurnedBrackets(tokens.value));
  if (trimmed.length === 0) return fail("empty");
  const value = parseValue(trimmed, { depth: 0, plain });
  if (value === undefined) return words(trimmed);
  const currency = !plain && /[$€£¥₹¢]/.test(text) ? currencyOf(text) : undefined;
  return { ok: true, value: currency ? withCurrency(value, currency) : value };
}

/** Open ends as the French write them: `]0,1[` is (0,1), `[2,5[` is [2,5). */
function withTurnedBrackets(tokens: MathToken[]): MathToken[] {
  const turned = tokens.map((token, index): MathToken => {
    const [before, after] = [tokens[index - 1], tokens[index + 1]];
    const opens = before === undefined || isSymbol(before, "∪") || isSymbol(before, "∈");
    if (isSymbol(token, "]") && opens) return { kind: "symbol", text: "(" };
    return isSymbol(token, "[") && (after === undefined || isSymbol(after, "∪"))
      ? { kind: "symbol", text: ")" }
      : token;
  });
  return turned.some((token, index) => token !== tokens[index]) ? turned : tokens;
}

/** A currency sign says more than a noun: "$5 tickets". */
const withCurrency = (value: AnswerValue, currency: Unit): AnswerValue =>
  (value.kind === "number" || value.kind === "expression") && (value.unit === undefined || isCounted(value.unit))
    ? { ...value, unit: currency }
    : value;

/** Where a part stands, and how it is read. */
interface Place {
  depth: number;
  plain: boolean;
}
const deeper = ({ depth, plain }: Place): Place => ({ depth: depth + 1, plain });

type Parsed = AnswerValue | undefined;
type Tokens = readonly MathToken[];

/** The value that tokens spell; undefined if they are no mathematics. */
function parseValue(untrimmed: Tokens, place: Place): Parsed {
  if (place.depth > MAX_DEPTH) return undefined;
  const tokens = trim(untrimmed);
  if (tokens.length === 0) return undefined;
  if (!place.plain && isReals(tokens)) return ALL_REALS;
  const simple = singleToken(tokens);
  if (simple) return simple;

  const [reals, excluded] = splitAt(tokens, ({ kind, text }) => kind === "command" && text === "setminus");
  if (!place.plain && excluded && isReals(reals!)) {
    const number = parseValue(excluded, deeper(place));
    return number?.kind === "number" || number?.kind === "expression" ? allBut(number) : undefined;
  }
  const membership = splitAt(tokens, (token) => isSymbol(token, "∈"));
  if (membership.length === 2 && isName(membership[0]!)) return parseValue(membership[1]!, deeper(place));
  const union = splitAt(tokens, (token) => isSymbol(token, "∪"));
  if (union.length > 1) return many("union", union, place);
  const list = splitAt(tokens, (token) => isSeparator(token, place.plain)).filter((part) => part.length > 0);
  if (list.length > 1) {
    const alternatives = splitAt(tokens, isAlternative).length > 1;
    const listed = many("set", list, place);
    return listed?.kind === "set" && !place.plain ? (joinedIntervals(listed.items, alternatives) ?? listed) : listed;
  }

  const related = parseRelation(tokens, place);
  if (related !== "none") return related;
  return parseBracketed(tokens, place) ?? parseMatrix(tokens, place) ?? parseScalar(tokens, place);
}

/** `\mathbb{R}`, ℝ, "all real numbers". */
function isReals(tokens: Tokens): boolean {
  const words = tokens.map(({ text }) => text).join(" ");
  return words.length < 30 && /^(?:mathbb \{ R \}|mathbb R|ℝ|all (?:real numbers|reals))$/i.test(words);
}

/** Choices, words and the empty set. */
function singleToken(tokens: Tokens): Parsed {
  const [first, second, third] = tokens;
  if (tokens.length === 1 && first!.kind === "text") return { kind: "text", text: plainWords(first!.text) };
  if (tokens.length === 1 && first!.kind === "word") return { kind: "text", text: plainWords(first!.text) };
  if (tokens.length === 1 && first!.kind === "command" && first!.text === "emptyset") return { kind: "set", items: [] };
  if (tokens.length === 2 && isSymbol(first, "\\{") && isSymbol(second, "\\}")) return { kind: "set", items: [] };
  // "(A)" and "A)" are choices, "(x)" and "x" too: a lone letter compares without case.
  if (second?.kind === "letter" && isSymbol(first, "(") && isSymbol(third, ")") && tokens.length === 3)
    return letter(second);
  if (first!.kind === "letter" && isSymbol(second, ")") && tokens.length === 2) return letter(first!);
  return undefined;
}

const letter = ({ text }: MathToken): AnswerValue => ({ kind: "text", text: text.toLowerCase() });

function many(kind: "union" | "set", parts: Tokens[], place: Place): Parsed {
  if (parts.length > MAX_ITEMS) return undefined;
  const items = parts.map((part) => parseValue(part, deeper(place)));
  if (items.some((item) => item === undefined)) return undefined;
  const values = withNames(items as AnswerValue[], parts, place);
  if (kind === "union") return { kind, items: values };
  // Both solutions of "1 ± 2" belong to the list itself.
  const flat = values.flatMap((item, index) => (item.kind === "set" && hasSign(parts[index]!) ? item.items : [item]));
  return flat.length === 1 ? flat[0] : { kind, items: flat };
}

/** In "x = 1, y = 2" the names matter, since there is more than one; in "x = 1, x = 2" they do not. */
function withNames(values: AnswerValue[], parts: readonly Tokens[], place: Place): AnswerValue[] {
  const names = parts
    .map((part) => splitAt(part, (token) => isSymbol(token, "=")))
    .map(([left, right]) => right && left!);
  const different = new Set(names.map((name) => (name && isName(name) ? nameOf(name) : undefined)));
  if (different.has(undefined) || different.size < 2) return values;
  return values.map((right, index): AnswerValue => {
    if (right.kind === "relation") return right;
    const left = parseSide(names[index]!, place)!;
    return { kind: "relation", relation: "=", left, right, name: nameOf(names[index]!) };
  });
}

function parseRelation(tokens: Tokens, place: Place): Parsed | "none" {
  const parts = splitAt(tokens, (token) => token.kind === "symbol" && Object.hasOwn(RELATIONS, token.text));
  if (parts.length === 1) return "none";
  if (parts.length === 3 && !place.plain) return parseChain(tokens, parts, place);
  if (parts.length > 2 || parts[1]!.length === 0) return undefined;
  const written = RELATIONS[tokens[parts[0]!.length]!.text]!;
  const [left, right] = parts as [Tokens, Tokens];
  if (left.length === 0) return written === "=" ? parseValue(right, deeper(place)) : undefined;
  const [a, b] = [parseSide(left, place), parseSide(right, place)];
  if (!a || !b) return undefined;
  if (written === "=") {
    if (isName(left) && isConstant(b)) return b;
    if (isName(right) && isConstant(a)) return a;
    const named = isName(left) && !occursIn(left[0]!.text, b);
    return { kind: "relation", relation: "=", left: a, right: b, name: named ? nameOf(left) : undefined };
  }
  const turned = written === ">" || written === "≥";
  const relation = written === ">" ? "<" : written === "≥" ? "≤" : written;
  if (!place.plain && relation === "≠" && isBound(left, b, right))
    return { kind: "relation", relation, left: a, right: b, name: undefined, rays: allBut(b) };
  if (!place.plain && (relation === "<" || relation === "≤")) {
    const closed = relation === "≤";
    // The name is on one side only, and bounded by the other.
    if (isBound(left, b, right))
      return boundedBy(nameOf(left), turned ? { low: b, lowClosed: closed } : { high: b, highClosed: closed });
    if (isBound(right, a, left))
      return boundedBy(nameOf(right), turned ? { high: a, highClosed: closed } : { low: a, lowClosed: closed });
  }
  return { kind: "relation", relation, left: turned ? b : a, right: turned ? a : b, name: undefined };
}

/** Whether the side `name` is one letter or name that the value of the other side bounds. */
const isBound = (name: Tokens, value: AnswerValue, other: Tokens): boolean =>
  isName(name) &&
  !isName(other) &&
  (value.kind === "number" || value.kind === "expression") &&
  !occursIn(name[0]!.text, value);

/** `0 < x \le 5` and `5 \ge x > 0`. */
function parseChain(tokens: Tokens, [first, name, second]: Tokens[], place: Place): Parsed {
  const written = [tokens[first!.length]!.text, tokens[first!.length + 1 + name!.length]!.text].map(
    (sign) => RELATIONS[sign]!,
  );
  const [low, high] = [parseValue(first!, deeper(place)), parseValue(second!, deeper(place))];
  if (!low || !high || !isBound(name!, low, first!) || !isBound(name!, high, second!)) return undefined;
  const [lowClosed, highClosed] = written.map((sign) => sign === "≤" || sign === "≥") as [boolean, boolean];
  if (written.every((sign) => sign === "<" || sign === "≤"))
    return boundedBy(nameOf(name!), { low, lowClosed, high, highClosed });
  if (written.every((sign) => sign === ">" || sign === "≥"))
    return boundedBy(nameOf(name!), { low: high, lowClosed: highClosed, high: low, highClosed: lowClosed });
  return undefined;
}

function parseSide(tokens: Tokens, place: Place): Parsed {
  const value = parseValue(tokens, deeper(place));
  // The left side may be a name that is no mathematics: "AB = 9", "\angle A = 90".
  return value ?? (isName(tokens) ? { kind: "text", text: nameOf(tokens) } : undefined);
}

/** Whether tokens only name something: x, x_1, f(x), AB, \angle ABC, (x, y). */
function isName(tokens: Tokens): boolean {
  const spelled = tokens.map(({ kind, text }) => (kind === "symbol" ? text : kind === "number" ? "1" : "a")).join("");
  const first = tokens[0];
  if (first === undefined) return false;
  if (first.kind === "letter" && (first.text === "e" || first.text === "i") && tokens.length === 1) return false;
  return (
    NAME.test(spelled) &&
    tokens.every(({ kind, text }) => kind !== "command" || !["pi", "infty", "frac", "sqrt"].includes(text))
  );
}

const nameOf = (tokens: Tokens): string => tokens.map(({ text }) => text).join("");

function isConstant(value: AnswerValue): boolean {
  switch (value.kind) {
    case "expression":
      return variablesOf(value.node).length === 0;
    case "sequence":
    case "set":
    case "union":
      return value.items.every(isConstant);
    case "matrix":
      return value.rows.flat().every(isConstant);
    case "relation":
      return false;
    default:
      return true;
  }
}

const occursIn = (name: string, value: AnswerValue): boolean =>
  value.kind === "expression" && variablesOf(value.node).some((variable) => variable.split("_")[0] === name);

/** A tuple, interval, set or ratio; also a value in parentheses or in `{5}`. */
function parseBracketed(tokens: Tokens, place: Place): Parsed {
  const described = place.plain ? undefined : parseSetBuilder(tokens, place);
  if (described) return described;
  const ratio = splitAt(tokens, (token) => isSymbol(token, ":"));
  if (ratio.length > 1) return sequence(":", ":", ratio, place);
  const [open, close] = [tokens[0]!.text, tokens.at(-1)!.text];
  if (tokens.length < 3 || tokens[0]!.kind !== "symbol" || matching(tokens) !== tokens.length - 1) return undefined;
  const inside = tokens.slice(1, -1);
  const parts = splitAt(inside, (token) => isSymbol(token, ",") || isSymbol(token, ";"));
  if (open === "\\{" || (open === "{" && parts.length > 1)) return many("set", parts, place);
  if (parts.length > 1) return sequence(open, close, parts, place);
  if (open === "[" && close === "]") return sequence(open, close, parts, place);
  return (open === "(" && close === ")") || open === "{" ? parseValue(inside, deeper(place)) : undefined;
}

/** `\{x : 0 < x < 5\}`, `\{x \in \mathbb{R} \mid x > 3\}`: what follows the colon or the bar. */
function parseSetBuilder(tokens: Tokens, place: Place): Parsed {
  if (!isSymbol(tokens[0], "\\{") && !isSymbol(tokens[0], "{")) return undefined;
  if (tokens.length < 6 || matching(tokens) !== tokens.length - 1) return undefined;
  const at = tokens.findIndex((token) => isSymbol(token, ":") || isSymbol(token, "|"));
  const [name] = splitAt(tokens.slice(1, at), (token) => isSymbol(token, "∈"));
  if (at < 0 || !name || !isName(name)) return undefined;
  const value = parseValue(tokens.slice(at + 1, -1), deeper(place));
  return value &&
    (value.kind === "union" ||
      (value.kind === "sequence" && value.of !== undefined) ||
      (value.kind === "relation" && value.relation === "≠"))
    ? value
    : undefined;
}

function sequence(open: string, close: string, parts: Tokens[], place: Place): Parsed {
  const items = parts.length > MAX_ITEMS ? [undefined] : parts.map((part) => parseValue(part, deeper(place)));
  return items.some((item) => item === undefined)
    ? undefined
    : { kind: "sequence", open, close, items: items as AnswerValue[] };
}

function parseMatrix(tokens: Tokens, place: Place): Parsed {
  const environment = /^begin:([pbB]?matrix|array)$/.exec(tokens[0]!.kind === "command" ? tokens[0]!.text : "")?.[1];
  const last = tokens.at(-1)!;
  if (environment === undefined || last.kind !== "command" || last.text !== `end:${environment}`) return undefined;
  const inside = tokens.slice(1, -1);
  const rows = splitAt(inside, (token) => isSymbol(token, "\\\\")).filter((row) => row.length > 0);
  const cells = rows.map((row) =>
    splitAt(row, (token) => isSymbol(token, "&")).map((cell) => parseValue(cell, deeper(place))),
  );
  if (cells.length > MAX_ITEMS || cells.flat().some((cell) => cell === undefined)) return undefined;
  return { kind: "matrix", rows: cells as AnswerValue[][] };
}

/** A number or an expression beside its unit; with ± both values. */
function parseScalar(tokens: Tokens, place: Place): Parsed {
  const { value: bare, unit } = splitUnit(tokens, place.plain);
  if (bare.length < tokens.length) {
    const value = parseValue(bare, deeper(place));
    return unit && value && (value.kind === "number" || value.kind === "expression") ? { ...value, unit } : value;
  }
  const based = parseBased(tokens);
  if (based) return based;
  if (hasSign(tokens)) {
    const [plus, minus] = ["±∓", "∓±"].map((signs) => parseValue(withSigns(tokens, signs), deeper(place)));
    return plus && minus ? { kind: "set", items: [plus, minus] } : undefined;
  }
  const node = parseMath(tokens, place.plain);
  const value = node.ok ? scalar(node.value, place.plain) : undefined;
  const quantity = value?.kind === "expression" && !place.plain ? asQuantity(tokens) : undefined;
  return quantity && value?.kind === "expression"
    ? { ...value, quantity: { kind: "number", value: quantity.value.value, unit: quantity.unit } }
    : value;
}

function scalar(node: MathNode, plain: boolean): Parsed {
  const value: Rational | undefined = evaluateExactly(node) ?? (plain ? undefined : evaluateFactorials(node));
  if (value) return { kind: "number", value };
  const divisors = [...everyNode(node)].map((part) => part.kind === "binary" && part.operator === "/" && part.right);
  const undefinedThere = divisors.some((divisor) => divisor && evaluateExactly(divisor)?.equals(0));
  if (undefinedThere) return undefined;
  return plain ? { kind: "expression", node } : { kind: "expression", node, factorials: hasFactorials(node) };
}

/** `52_8` and `52_{8}`; base ten is the plain number. */
function parseBased(tokens: Tokens): Parsed {
  const [number, mark, ...rest] = tokens;
  if (number?.kind !== "number" || number.digits === undefined || !isSymbol(mark, "_")) return undefined;
  const index = rest.length === 3 && isSymbol(rest[0], "{") ? rest[1] : rest.length === 1 ? rest[0] : undefined;
  if (index === undefined || index.kind === "symbol") return undefined;
  if (index.text === "10") return { kind: "number", value: number.value };
  return { kind: "based", digits: number.digits.replace(/^0+(?=\d)/, ""), base: index.text.toLowerCase() };
}

const hasSign = (tokens: Tokens): boolean => tokens.some((token) => isSymbol(token, "±") || isSymbol(token, "∓"));

/** The signs ± and ∓ decided: the first of `signs` becomes +, the second −. */
function withSigns(tokens: Tokens, signs: string): MathToken[] {
  return tokens.map((token) =>
    token.kind === "symbol" && signs.includes(token.text)
      ? { kind: "symbol", text: "+-"[signs.indexOf(token.text)]! }
      : token,
  );
}

/** Text that compares as it is: words, or LaTeX with a word or a command that is no mathematics known here. */
function words(tokens: Tokens): Result<AnswerValue> {
  const spelled = plainWords(tokens.map(({ kind, text }) => (kind === "command" ? `\\${text}` : text)).join(" "));
  const meaningful = tokens.some(
    ({ kind, text }) =>
      kind === "word" || (kind === "command" && !isKnownCommand(text)) || (kind === "text" && /\p{L}/u.test(text)),
  );
  return meaningful ? { ok: true, value: { kind: "text", text: spelled } } : fail("neither mathematics nor words");
}

const plainWords = (text: string): string => {
  const lower = text.toLowerCase().replace(/\s+/g, " ").trim();
  return /^\(?([a-z])[).]?$/.exec(lower)?.[1] ?? lower.replace(/[.,;!]+$/, "");
};

function isSymbol(token: MathToken | undefined, text: string): boolean {
  return token?.kind === "symbol" && token.text === text;
}

function isSeparator(token: MathToken, plain: boolean): boolean {
  return (
    isSymbol(token, ",") ||
    isSymbol(token, ";") ||
    (!plain && token.kind === "command" && /^(?:lor|vee|land|wedge)$/.test(token.text)) ||
    (token.kind !== "symbol" && /^(?:and|or|,? ?(?:and|or))$/i.test(token.text))
  );
}

const isAlternative = ({ kind, text }: MathToken): boolean =>
  kind === "command" ? text === "lor" || text === "vee" : kind !== "symbol" && /^(?:,? ?or)$/i.test(text);

/** Without punctuation around it. */
function trim(tokens: Tokens): Tokens {
  let [start, end] = [0, tokens.length];
  const empty = (at: number) => ["*", ",", ";", ".", ":"].some((mark) => isSymbol(tokens[at], mark));
  while (start < end && empty(start)) start++;
  while (end > start && empty(end - 1)) end--;
  return start === 0 && end === tokens.length ? tokens : tokens.slice(start, end);
}

/** The parts between the tokens that separate, outside of brackets and environments. */
function splitAt(tokens: Tokens, separates: (token: MathToken) => boolean): Tokens[] {
  const parts: Tokens[] = [];
  let [start, depth] = [0, 0];
  tokens.forEach((token, index) => {
    depth += nesting(token);
    if (depth > 0 || !separates(token)) return;
    parts.push(tokens.slice(start, index));
    start = index + 1;
  });
  return [...parts, tokens.slice(start)];
}

/**
 * The index of the bracket that closes the first token; -1 if there is none. A bracket may close one of another kind.
 */
function matching(tokens: Tokens): number {
  let depth = 0;
  return tokens.findIndex((token) => {
    depth += nesting(token);
    return depth === 0;
  });
}

function nesting({ kind, text }: MathToken): number {
  if (kind === "symbol") return OPENING.has(text) ? 1 : CLOSING.has(text) ? -1 : 0;
  return kind === "command" && text.startsWith("begin:") ? 1 : kind === "command" && text.startsWith("end:") ? -1 : 0;
}
