import type { ZodType, z } from "zod";
import { badInput, type ThoughtbookError } from "./errors.js";

/** A value of {@link parseKeyValues}. Python's None is null. */
export type KeyValue = string | number | boolean | null;

const LONGEST = 10_000;
const NAME = /[A-Za-z_][\w.-]*/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const QUOTED = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const BARE = /[^\s,}'"{[(][^\s,}]*/y;
const WORDS: Readonly<Record<string, KeyValue>> = {
  True: true,
  true: true,
  False: false,
  false: false,
  None: null,
  none: null,
  null: null,
};

/**
 * Settings in one argument, as evaluation commands of Python programs take them: `temperature=0.6,top_p=0.95`, or a dict
 * literal, `{"temperature": 0.6, 'top_p': 0.95}`. It is read, never evaluated: a value is a number, a quoted text, True,
 * False or None, and without a dict also a text without quotes, up to the next comma.
 *
 * @param source name of the source in error messages, such as "--sampling-params"
 * @throws bad-input for anything else, and for a key given twice
 */
export function parseKeyValues(text: string, source: string): Map<string, KeyValue> {
  if (text.length > LONGEST) throw unreadable(source, `it has more than ${LONGEST} characters`);
  const reader = createReader(text, source);
  reader.skipSpace();
  const pairs = reader.takes("{") ? readDict(reader) : readPairs(reader);
  if (!reader.atEnd()) reader.fail("nothing more");
  return pairs;
}

/** Rule for a key's value, and its description. */
export interface KeyRule {
  schema: ZodType;
  /** "a number from 0" */
  expected: string;
}

/**
 * Check the values of keys by their rules; None is treated as if the key were missing.
 *
 * @throws bad-input for a key without a rule, or a value that breaks its rule
 */
export function checkKeyValues<Rules extends Readonly<Record<string, KeyRule>>>(
  pairs: ReadonlyMap<string, KeyValue>,
  rules: Rules,
  source: string,
): { [Key in keyof Rules]?: z.infer<Rules[Key]["schema"]> } {
  const checked: Record<string, unknown> = {};
  for (const [key, value] of pairs) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) {
      throw badInput(`${source} takes no ${JSON.stringify(key)}`, `It takes ${Object.keys(rules).join(", ")}.`);
    }
    if (value === null) continue;
    const parsed = rule.schema.safeParse(value);
    if (!parsed.success) {
      throw badInput(`${key} of ${source} is ${JSON.stringify(value)}`, `Give ${rule.expected}.`);
    }
    checked[key] = parsed.data;
  }
  return checked as { [Key in keyof Rules]?: z.infer<Rules[Key]["schema"]> };
}

/**
 * A text with its escapes decoded: `\n`, `\t`, `\r`, `\\`, `\'`, `\"`, `\xHH`, `\uHHHH` and `\UHHHHHHHH`. Others stay as
 * they are, so that `\boxed` and `\frac` need no second backslash; `\\text` and `\\neq` do.
 */
export const decodeEscapes = (text: string): string =>
  text.replace(ESCAPE, (_, short?: string, x?: string, u?: string, U?: string) =>
    short === undefined ? String.fromCodePoint(Number.parseInt((x ?? u ?? U)!, 16)) : (SHORT[short] ?? short),
  );

const ESCAPE = /\\(?:([ntr\\'"])|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U(00(?:10|0[\da-fA-F])[\da-fA-F]{4}))/g;
const SHORT: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

interface Reader {
  skipSpace(): void;
  atEnd(): boolean;
  /** Whether this character is next; consumes it and the space after it. */
  takes(character: string): boolean;
  /** Matches the sticky expression here; consumes it and the space after it. */
  match(expression: RegExp): string | undefined;
  fail(expected: string): never;
}

function createReader(text: string, source: string): Reader {
  let at = 0;
  const skipSpace = () => {
    while (at < text.length && /\s/.test(text[at]!)) at++;
  };
  const advance = (length: number) => {
    at += length;
    skipSpace();
  };
  return {
    skipSpace,
    atEnd: () => at === text.length,
    takes(character) {
      if (text[at] !== character) return false;
      advance(1);
      return true;
    },
    match(expression) {
      expression.lastIndex = at;
      const found = expression.exec(text)?.[0];
      if (found !== undefined) advance(found.length);
      return found;
    },
    fail(expected) {
      const rest = text.slice(at, at + 20);
      const found = rest === "" ? "its end" : JSON.stringify(rest);
      throw unreadable(source, `expected ${expected} at character ${at + 1}, found ${found}`);
    },
  };
}

function readPairs(reader: Reader): Map<string, KeyValue> {
  const pairs = new Map<string, KeyValue>();
  while (!reader.atEnd()) {
    const key = reader.match(NAME) ?? reader.fail("a key, as in key=value");
    if (!reader.takes("=")) reader.fail(`= after ${key}`);
    const quoted = reader.match(QUOTED);
    const value = quoted === undefined ? plainValue(reader.match(/[^,]+/y)?.trim()) : unquoted(quoted);
    if (value === undefined) reader.fail(`a value of ${key}`);
    add(pairs, key, value, reader);
    if (!reader.takes(",") && !reader.atEnd()) reader.fail("a comma");
  }
  return pairs;
}

function readDict(reader: Reader): Map<string, KeyValue> {
  const pairs = new Map<string, KeyValue>();
  while (!reader.takes("}")) {
    const key = unquoted(reader.match(QUOTED) ?? reader.fail("a key in quotes, or }"));
    if (!reader.takes(":")) reader.fail(`: after ${JSON.stringify(key)}`);
    const quoted = reader.match(QUOTED);
    const value = quoted === undefined ? literal(reader.match(BARE)) : unquoted(quoted);
    if (value === undefined) reader.fail("a number, a text in quotes, True, False or None before that");
    add(pairs, key, value, reader);
    if (reader.takes(",")) continue;
    if (!reader.takes("}")) reader.fail("a comma or }");
    break;
  }
  return pairs;
}

function add(pairs: Map<string, KeyValue>, key: string, value: KeyValue, reader: Reader): void {
  if (pairs.has(key)) reader.fail(`${key} once only, before that,`);
  pairs.set(key, value);
}

const unquoted = (text: string): string => decodeEscapes(text.slice(1, -1));

/** A number, a truth value or None; undefined for other words. */
function literal(word: string | undefined): KeyValue | undefined {
  if (word === undefined) return undefined;
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  return NUMBER.test(word) && Number.isFinite(Number(word)) ? Number(word) : undefined;
}

function plainValue(word: string | undefined): KeyValue | undefined {
  const value = literal(word);
  return value === undefined && word !== "" ? word : value;
}

const unreadable = (source: string, reason: string): ThoughtbookError =>
  badInput(
    `${source} cannot be read: ${reason}`,
    `Write it as key=value,key=value or as {"key": value, "key": "text"}.`,
  );
