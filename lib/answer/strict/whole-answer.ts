import type { AnswerKind } from "./answer-kind.js";
import { parseAnswer } from "./parse.js";
import { statedChoice, statedYesNo } from "./stated-choice.js";
import type { AnswerValue } from "./value.js";

const MAX_LENGTH = 200;
const MAX_UNIT_WORDS = 2;
const MAX_WORDS = 10;

/** What follows a `####` on its line. */
export interface HashLine {
  answer: string;
  /** Whether nothing comes after the line. */
  ends: boolean;
}

const NUMBERED = /^(?:\d{1,2}|[IVX]{1,4}|[A-H])(?:[.)]|:(?=\s))[\s*_]{1,5}[^\d\s]*\p{L}{2}/u;
const HEADING_WORD =
  /^(?:(?:the |my )?(?:final |correct )?(?:step|case|part|phase|question|problem|section|example|method|solution|answer|final|conclusion|summary|explanation|calculation|verification|check|given|analysis|approach|result)s?\b)|:$/i;

/**
 * Whether the text after `####` is a heading rather than an answer: it holds no value ("Step 1: add"), or one that
 * numbers it ("1. Add"). Words are an answer only where they end the completion.
 */
export function isHeading({ answer, ends }: HashLine): boolean {
  if (!/\p{L}/u.test(answer)) return answer === "";
  if (NUMBERED.test(answer)) return true;
  const value = parseAnswer(answer);
  if (!value.ok) return true;
  if (value.value.kind !== "text" || value.value.text.length === 1) return false;
  return !ends || HEADING_WORD.test(answer);
}

/**
 * Whether a completion is nothing but an answer of the wanted kind: one short line with a value ("18", "$18", `x = 5`,
 * "18 apples"), a choice ("C", "(C) 42"), yes or no, or for words up to ten of them.
 */
export function isWholeAnswer(completion: string, kind: AnswerKind): boolean {
  if (completion.length > MAX_LENGTH) return false;
  const text = withoutMarks(completion.replace(/^\s*(?:\$\$|\\\[)\s*|\s*(?:\$\$|\\\])\s*$/g, ""));
  if (text === "" || text.includes("\n")) return false;
  switch (kind) {
    case "choice":
      return statedChoice(text) !== undefined;
    case "yes-no":
      return statedYesNo(text) !== undefined;
    case "words":
      return text.split(/\s+/).length <= MAX_WORDS && !/[.!?:]\s/.test(text);
    default:
      return isValueAlone(text);
  }
}

function isValueAlone(text: string): boolean {
  if (statedYesNo(text) !== undefined && /^\W*\w+\W*$/.test(text)) return true;
  if (/^\(?[A-Z][).]?$/.test(text)) return true;
  const value = parseAnswer(text);
  if (!value.ok || /^-?\d+[.)]?\s+\d/.test(text)) return false;
  // Words are a sentence that was cut off rather than an answer.
  const words = text.replace(/\\[a-zA-Z]+(?:\{[a-zA-Z ]*\})?/g, " ").match(/\p{L}{2,}/gu) ?? [];
  return words.length === 0 || (words.length <= MAX_UNIT_WORDS && /^[^\p{L}]/u.test(text))
    ? isValue(value.value)
    : false;
}

const isValue = (value: AnswerValue): boolean =>
  value.kind !== "text" && (value.kind !== "relation" || value.relation !== "=" || value.name !== undefined);

/** Without the marks around it: bold, quotes, a period at the end. */
export function withoutMarks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && /[\s*_"“”`]/.test(text[start]!)) start++;
  while (end > start && /[\s*_"“”`.,;]/.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}
