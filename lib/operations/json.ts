import { jsonrepair } from "jsonrepair";
import type { ZodType } from "zod";
import { fail, type Result } from "../answer/index.js";
import { checked, fences } from "./text.js";

/** Maximum candidates tried in one text; each takes the time to parse it. */
const MOST_CANDIDATES = 20;
/** Repairing takes a hundred times as long as reading. */
const MOST_REPAIRED = 50_000;

/** Whether the text holds anything that could be JSON. */
export const mayHoldJson = (text: string): boolean => /[{[]/.test(text);

/**
 * Find the JSON object or array in a text that a schema accepts; the last one if there are several. Tolerates fences,
 * prose around it, trailing commas, comments, other quotes or none. A text that ends within its JSON has none.
 */
export function readJson<T>(text: string, schema: ZodType<T>): Result<T> {
  let reason = "no JSON";
  for (const candidate of candidates(text)) {
    const value = parseTolerantly(candidate);
    if (!value.ok) {
      reason = value.reason;
      continue;
    }
    const result = checked(schema, value.value);
    if (result.ok) return result;
    reason = result.reason;
  }
  return fail(reason);
}

function candidates(text: string): string[] {
  const fenced = fences(text).flatMap(({ content, closed }) => (closed ? [content] : []));
  const spans = [...fenced.reverse(), text].flatMap((part) => {
    const whole = outermost(part);
    return [...balanced(part).reverse(), ...(whole === undefined ? [] : [whole])];
  });
  return [...new Set(spans)].slice(0, MOST_CANDIDATES);
}

/**
 * From the first opening bracket to the last closing one of its kind, if as many close as open: where a quote within a
 * string confuses the count of strings. Not where the JSON was cut off, which a repair would complete by guessing.
 */
function outermost(text: string): string | undefined {
  const start = text.search(/[{[]/);
  const end = start < 0 ? -1 : text.lastIndexOf(text[start] === "{" ? "}" : "]");
  if (end <= start) return undefined;
  const whole = text.slice(start, end + 1);
  return whole.match(/[{[]/g)!.length === whole.match(/[}\]]/g)!.length ? whole : undefined;
}

/** The parts of a text from an opening bracket at the top level to the one that closes it; brackets in strings do not count. */
function balanced(text: string): string[] {
  const found: string[] = [];
  const open: number[] = [];
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = open.length > 0;
    else if (character === "{" || character === "[") open.push(at);
    else if (character === "}" || character === "]") {
      const start = open.pop();
      if (start !== undefined && open.length === 0) found.push(text.slice(start, at + 1));
    }
  }
  return found;
}

function parseTolerantly(text: string): Result<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    if (text.length > MOST_REPAIRED) return fail("JSON with errors, too long to repair");
  }
  try {
    return { ok: true, value: JSON.parse(jsonrepair(text)) };
  } catch {
    return fail("JSON that cannot be read");
  }
}
