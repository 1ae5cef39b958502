import { badInput } from "../core/index.js";
import type { Language } from "./types.js";
import type { Encoded } from "./worker/messages.js";

/*
 * Values that cross between us and a program are JSON, where what JSON does not know has a tag. Decoded, a list or tuple
 * of Python is an array, a dictionary an object (a Map unless its keys are all texts), a set a Set, a whole number that
 * a double cannot hold a bigint.
 */

/** What stands for an object of the program that is no data: a function, an instance of a class of its own. */
export interface NoData {
  noData: string;
}

const NO_DATA = Symbol("no data");
export const isNoData = (value: unknown): boolean => typeof value === "object" && value !== null && NO_DATA in value;

/** @throws bad-input for a function, a symbol or a circle */
export function encodeValue(value: unknown, language: Language, depth = 0): Encoded {
  const inner = (each: unknown) => encodeValue(each, language, depth + 1);
  if (depth > 200) throw badInput("an argument is nested too deeply, or in a circle", "Give plain data.");
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value;
    const text = Object.is(value, -0) ? "-0" : String(value);
    if (language === "javascript") return Number.isFinite(value) && value !== 0 ? value : { f: text };
    return { f: text.replace("Infinity", "inf").replace("NaN", "nan") };
  }
  if (value === undefined) return language === "javascript" ? { u: 0 } : null;
  if (typeof value === "bigint") return { i: String(value) };
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Map) return { d: [...value].map(([key, each]) => [inner(key), inner(each)]) };
  if (value instanceof Set) return { s: [...value].map(inner) };
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, each]) => [key, inner(each)]);
    return language === "javascript" ? { o: entries } : { d: entries };
  }
  throw badInput(`an argument is a ${typeof value}, expected data`, "Give texts, numbers, booleans, lists or objects.");
}

/** Untrusted: anything that is not as the interpreter writes it becomes no data. */
export function decodeValue(data: Encoded, language: Language, depth = 0): unknown {
  const inner = (each: Encoded) => decodeValue(each, language, depth + 1);
  if (depth > 400) return noData("too deep");
  if (data === null || typeof data !== "object") return data;
  if (Array.isArray(data)) return data.map(inner);
  const entries = Object.entries(data);
  const [tag, content] = entries[0] ?? ["", undefined];
  const list = Array.isArray(content) ? (content as Encoded[]) : undefined;
  switch (tag) {
    case "u":
      return undefined;
    case "i":
      return decodeInteger(String(content));
    case "f":
      return Number(String(content).replace("inf", "Infinity").replace("nan", "NaN"));
    case "p":
    case "n":
    case "q":
      return list ? list.map(inner) : noData(tag);
    case "s":
    case "z":
      return list ? new Set(list.map(inner)) : noData(tag);
    case "r":
      return list ? decodeRange(list) : noData(tag);
    case "t":
      return language === "javascript" ? new Date(Number(content)) : list ? String(list[1]) : noData(tag);
    case "D":
      return Number(content);
    case "F":
      return list ? Number(BigInt(String(list[0]))) / Number(BigInt(String(list[1]))) : noData(tag);
    case "d":
    case "o": {
      if (!list?.every((pair): pair is [Encoded, Encoded] => Array.isArray(pair) && pair.length === 2))
        return noData(tag);
      const pairs = list.map(([key, each]) => [inner(key), inner(each)] as const);
      if ((tag === "d" && language === "javascript") || pairs.some(([key]) => typeof key !== "string")) {
        return new Map(pairs);
      }
      return Object.fromEntries(pairs);
    }
    default:
      return noData(String((data as { x?: unknown }).x ?? tag));
  }
}

const noData = (name: string) => Object.defineProperty({ noData: name } satisfies NoData, NO_DATA, { value: true });

function decodeInteger(text: string): number | bigint | NoData {
  const match = /^(-?)(0x[\da-f]+|\d+)$/.exec(text);
  if (!match) return noData("integer");
  const size = BigInt(match[2]!);
  return match[1] ? -size : size;
}

function decodeRange([start, stop, step]: readonly Encoded[]): unknown {
  if (typeof start !== "number" || typeof stop !== "number" || typeof step !== "number" || step === 0)
    return noData("range");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > 1_000_000) return noData("range");
  return Array.from({ length }, (_, at) => start + at * step);
}

/**
 * Whether two values say the same. Numbers are equal as numbers (not a number equals itself, 0 equals -0); within a
 * tolerance, where one is given, relative to the larger and absolute below 1. What is no data equals nothing.
 */
export function equalValues(a: unknown, b: unknown, tolerance = 0): boolean {
  if (isNoData(a) || isNoData(b)) return false;
  const isNumber = (value: unknown) => typeof value === "number" || typeof value === "bigint";
  if (isNumber(a) && isNumber(b)) {
    // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of the same size are equal.
    if (a == b || (Number.isNaN(a) && Number.isNaN(b))) return true;
    const [x, y] = [Number(a), Number(b)];
    return tolerance > 0 && Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x), Math.abs(y));
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const same = (x: unknown, y: unknown) => equalValues(x, y, tolerance);
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, at) => same(each, b[at]));
  }
  if (a instanceof Set || b instanceof Set) {
    if (!(a instanceof Set && b instanceof Set) || a.size !== b.size) return false;
    return [...a].every((each) => b.has(each) || [...b].some((other) => same(each, other)));
  }
  if (a instanceof Map || b instanceof Map) {
    if (!(a instanceof Map && b instanceof Map) || a.size !== b.size) return false;
    return [...a].every(([key, each]) =>
      b.has(key) ? same(each, b.get(key)) : [...b].some(([other, value]) => same(key, other) && same(each, value)),
    );
  }
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) => Object.hasOwn(b, key) && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}
