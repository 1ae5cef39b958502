import { ThoughtbookError } from "./errors.js";

/** Position of the walk: the keys from the top and the containers they lead through. */
interface Walk {
  readonly sorted: boolean;
  readonly keys: (string | number)[];
  readonly parents: object[];
}

/**
 * JSON text of `value` with its keys in the order given. Unlike JSON.stringify it never loses data silently; only
 * properties that are undefined are left out.
 *
 * @throws bad-input for anything JSON cannot hold (NaN, infinities, functions, Maps, typed arrays, cycles), with its path
 */
export function strictJson(value: unknown): string {
  return print(value, { sorted: false, keys: [], parents: [] });
}

/**
 * JSON text of `value` with sorted keys: equal values give equal text, so it serves for hashes and comparisons.
 *
 * @throws bad-input as {@link strictJson} does
 */
export function canonicalJson(value: unknown): string {
  return print(value, { sorted: true, keys: [], parents: [] });
}

/** Whether `value` is an object written as `{…}`; also for objects from another realm, such as a notebook cell's. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function print(value: unknown, walk: Walk): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      return Number.isFinite(value) ? JSON.stringify(value) : reject(String(value), walk);
    case "object":
      return value === null ? "null" : printContainer(value, walk);
    default:
      return reject(value === undefined ? "undefined" : `a ${typeof value}`, walk);
  }
}

function printContainer(value: object, walk: Walk): string {
  if (walk.parents.includes(value)) return reject("an object that contains itself", walk);
  walk.parents.push(value);
  let text: string;
  if (Array.isArray(value)) {
    text = `[${Array.from(value, (item: unknown, index) => printAt(index, item, walk)).join(",")}]`;
  } else if (isPlainObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    if (walk.sorted) keys.sort();
    text = `{${keys.map((key) => `${JSON.stringify(key)}:${printAt(key, value[key], walk)}`).join(",")}}`;
  } else {
    text = reject(`a ${value.constructor?.name ?? "special object"}`, walk);
  }
  walk.parents.pop();
  return text;
}

function printAt(key: string | number, value: unknown, walk: Walk): string {
  walk.keys.push(key);
  const text = print(value, walk);
  walk.keys.pop();
  return text;
}

function reject(what: string, { keys }: Walk): never {
  const place = keys.length > 0 ? `${keys.join(".")} is ${what}` : `it is ${what}`;
  throw new ThoughtbookError("bad-input", `cannot write a value as JSON: ${place}`, {
    hint: "Use finite numbers, strings, booleans, null, arrays and plain objects.",
  });
}
