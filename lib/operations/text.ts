import { type ZodType, z } from "zod";
import { extractAnswer, fail, type Result } from "../answer/index.js";
import { THOUGHT_TAGS } from "./system-prompts.js";

export const THOUGHT_BEGIN = "<think>";
export const THOUGHT_END = "</think>";

/** How thoughts are marked: as DeepSeek-R1 does it, and as Sky-T1 does. */
const THOUGHTS = [
  { begin: THOUGHT_BEGIN, end: THOUGHT_END },
  { begin: THOUGHT_TAGS.thoughtBegin, end: THOUGHT_TAGS.thoughtEnd },
] as const;

/**
 * What comes after the last thought, without the tags of a solution; the whole text if there is no thought; undefined if
 * one begins and does not end.
 */
export function afterThought(text: string): string | undefined {
  const start = Math.max(...THOUGHTS.map(({ end }) => text.lastIndexOf(end) + (text.includes(end) ? end.length : 0)));
  if (start < 0 && THOUGHTS.some(({ begin }) => text.trimStart().startsWith(begin))) return undefined;
  return text
    .slice(Math.max(0, start))
    .replaceAll(THOUGHT_TAGS.solutionBegin, "")
    .replaceAll(THOUGHT_TAGS.solutionEnd, "");
}

/** Without the last line, of which nobody knows whether it is whole. */
export const withoutLastLine = (text: string): string => text.slice(0, Math.max(0, text.lastIndexOf("\n")));

/**
 * The answer of a solution: after `####`, in `\boxed{}` or after "the answer is"; never a guess at a last number, nor a
 * bare answer, as that is no solution.
 */
export const answerIn = (text: string, complete: boolean): Result<string> =>
  extractAnswer(complete ? text : withoutLastLine(text), "strict", { cutOff: true });

export interface Fence {
  language: string;
  content: string;
  /** Whether the closing fence is there. */
  closed: boolean;
}

/** The blocks between lines of three backticks or tildes, in their order. */
export function fences(text: string): Fence[] {
  const found: Fence[] = [];
  let lines: string[] | undefined;
  let language = "";
  for (const line of text.split("\n")) {
    const mark = /^\s{0,8}(?:```|~~~)`{0,4}\s{0,4}([\w+#.-]{0,20})\s*$/.exec(line);
    if (!mark) lines?.push(line);
    else if (lines === undefined) [lines, language] = [[], mark[1]!.toLowerCase()];
    else {
      found.push({ language, content: lines.join("\n"), closed: true });
      lines = undefined;
    }
  }
  if (lines) found.push({ language, content: lines.join("\n"), closed: false });
  return found;
}

/** An item of a list with what it is numbered. */
export interface Item {
  number: number;
  text: string;
}

const NUMBERED =
  /^[\s>#*_-]{0,12}(?:(?:step|sub-?question|question|sub-?problem|q|solution|answer)\s{0,3}#?)?(\d{1,3})[*_]{0,2}\s{0,3}[.):\]–-][*_]{0,2}(?:\s+(\S.*))?$/i;
const BULLET = /^\s{0,12}[-*•]\s{1,4}(\S.*)$/;

/**
 * The items of the first list of a text: lines numbered from 1 on ("1.", "2)", "Step 3:", "**Q4:**"), or else its
 * bullets. A line without a number belongs to the item above it; an empty line ends the last item.
 */
export function listItems(text: string): Item[] {
  const lines = text.split("\n");
  const numbered = collect(lines, (line, count) => {
    const match = NUMBERED.exec(line);
    return match && Number(match[1]) === count + 1 ? (match[2] ?? "") : undefined;
  });
  if (numbered.length > 0) return numbered;
  return collect(lines, (line) => BULLET.exec(line)?.[1]);
}

function collect(lines: readonly string[], begins: (line: string, count: number) => string | undefined): Item[] {
  const items: string[][] = [];
  let open = false;
  for (const line of lines) {
    const start = begins(line, items.length);
    if (start !== undefined) {
      items.push([start]);
      open = true;
    } else if (line.trim() === "") {
      // "1." alone on its line continues after an empty one.
      open = open && items.at(-1)!.every((part) => part === "");
    } else if (open && NUMBERED.exec(line)?.[1] === "1") {
      break; // Another list begins.
    } else if (open) items.at(-1)!.push(line.trim());
  }
  return items
    .map((parts, index) => ({ number: index + 1, text: withoutMarks(parts.join(" ")) }))
    .filter(({ text }) => text !== "");
}

/** Without emphasis, quotes and space around it. */
export function withoutMarks(text: string): string {
  const marks = /[\s*_"“”`]/;
  let [start, end] = [0, text.length];
  while (start < end && marks.test(text[start]!)) start++;
  while (end > start && marks.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** The text between the last `<name>` and the `</name>` after it. */
export function inTag(text: string, name: string): string | undefined {
  const end = text.lastIndexOf(`</${name}>`);
  const start = end < 0 ? -1 : text.lastIndexOf(`<${name}>`, end);
  return start < 0 ? undefined : text.slice(start + name.length + 2, end).trim();
}

/** Lines of a solution that are steps: not empty, not the answer. */
export const solutionSteps = (solution: string): string[] =>
  solution
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("####"));

/** "1. …", one a line. */
export const numberedLines = (items: readonly string[]): string =>
  items.map((item, index) => `${index + 1}. ${item}`).join("\n");

/** A whole number, also as text ("2", "Step 2", "#2"). */
export const wholeNumber = z.union([
  z.int(),
  z
    .string()
    .max(40)
    .transform((text, context) => {
      const digits = /^\D{0,20}(\d{1,6})\D{0,10}$/.exec(text.trim())?.[1];
      if (digits !== undefined) return Number(digits);
      context.addIssue({ code: "custom", message: "expected a whole number" });
      return z.NEVER;
    }),
]);

/** What a schema makes of a value, as a result. */
export function checked<T>(schema: ZodType<T>, value: unknown): Result<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const { path, message } = parsed.error.issues[0]!;
  return fail(`${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`);
}
