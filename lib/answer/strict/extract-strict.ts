import { fail, type Result } from "../math/expression.js";
import type { AnswerKind } from "./answer-kind.js";
import { leavesChoiceOpen, leavesYesNoOpen, statedChoice, statedYesNo } from "./stated-choice.js";
import { type HashLine, isHeading, isWholeAnswer, withoutMarks } from "./whole-answer.js";

/** What is known of a completion before its answer is read. */
export interface Reading {
  /** What kind of answer is wanted. Default: "math". */
  kind?: AnswerKind | undefined;
  /** Whether the completion is known to be incomplete: then it is no answer as a whole. */
  cutOff?: boolean | undefined;
}

/**
 * The final answer of a completion under the strict policy: what stands in the last balanced `\boxed{…}` (or `\fbox`,
 * or `\boxed 5`), else on the line after the last `####` that is no heading, else after the last "answer is", "answer:"
 * or heading "Answer" up to the end of the sentence, else the whole of a completion that is nothing but an answer
 * ("C", "Yes", "18"). Where a choice or yes or no is wanted, the first of these that states one counts. There is no
 * fallback to the last number: a completion cut off before any of these has no answer.
 */
export function extractStrict(completion: string, { kind = "math", cutOff = false }: Reading = {}): Result<string> {
  const answer =
    kind === "choice" || kind === "yes-no"
      ? statedAnswer(completion, kind, cutOff)
      : (lastBox(completion) ?? markedAnswer(completion, kind) ?? wholeAnswer(completion, kind, cutOff));
  if (answer === undefined) return fail("no \\boxed{}, no #### and no “answer is”");
  return answer.trim() === "" ? fail("the answer is empty") : { ok: true, value: answer.trim() };
}

/** After `####` where that is no heading, else after "answer is"; a heading alone is better than nothing. */
function markedAnswer(text: string, kind: AnswerKind): string | undefined {
  let heading: string | undefined;
  for (const line of hashLines(text)) {
    const said = behindLabel(line.answer, kind);
    if (said !== undefined && isWholeAnswer(said, kind)) return said;
    if (!isHeading(line)) return line.answer;
    heading ??= line.answer;
  }
  const place = answerPlaces(text, ANSWER_IS).at(-1) ?? answerPlaces(text, LESS_PLAINLY).at(-1);
  if (place !== undefined) return statement(text, place);
  return underHeading(text, kind) ?? (heading === "" ? undefined : heading);
}

const LABEL =
  /^(?!(?:step|case|part|phase|question|problem|section|example|method|check|verification|given)\b)(?:\p{L}[\p{L} ]{0,40}(?::|(?:,| is| are| =)(?= ))[\s*_]{0,8})+/iu;

/** An answer in words may look like a label with an answer itself: "Bath, Maine", "Star Trek: Nemesis", "Life is Beautiful". */
const LABEL_OF_WORDS =
  /^(?:(?:so|thus|therefore|hence|finally|consequently|in conclusion),? )?(?:the |my )?(?:(?:final|correct|right|best) )?answer(?: is:?|:| =)[\s*_]{1,8}|^(?:so|thus|therefore|hence|finally|consequently|in conclusion), /i;

/** What a line says after words that announce it: "Total: 18", "So, 18", "Therefore, the answer is 18". */
function behindLabel(line: string, kind: AnswerKind): string | undefined {
  const label = (kind === "words" ? LABEL_OF_WORDS : LABEL).exec(line)?.[0];
  return label === undefined ? undefined : withoutMarks(withoutDollars(line.slice(label.length)));
}

const wholeAnswer = (text: string, kind: AnswerKind, cutOff: boolean): string | undefined =>
  !cutOff && isWholeAnswer(text, kind) ? withoutMarks(text) : undefined;

/** The first candidate that states a choice, or yes or no; else the first one, which then is wrong. */
function statedAnswer(text: string, kind: "choice" | "yes-no", cutOff: boolean): string | undefined {
  const [states, leavesOpen] = kind === "choice" ? [statedChoice, leavesChoiceOpen] : [statedYesNo, leavesYesNoOpen];
  let first: string | undefined;
  for (const candidate of candidates(text, kind, cutOff)) {
    if (states(candidate) !== undefined) return candidate;
    first ??= candidate;
    if (leavesOpen(candidate)) break; // What was said before does not hold any more.
  }
  return first;
}

function* candidates(text: string, kind: "choice" | "yes-no", cutOff: boolean): Generator<string, void, undefined> {
  const box = lastBox(text);
  if (box !== undefined) yield box;
  for (const { answer } of hashLines(text)) if (answer !== "") yield answer;
  const places = answerPlaces(text, kind === "choice" ? CHOICE_IS : ANSWER_IS);
  for (const place of places.reverse()) yield statement(text, place);
  const below = underHeading(text, kind);
  if (below !== undefined) yield below;
  for (const place of answerPlaces(text, kind === "choice" ? CHOSEN : LESS_PLAINLY).reverse())
    yield statement(text, place);
  const alone = loneLine(text, kind, cutOff);
  if (alone !== undefined) yield alone;
  const whole = wholeAnswer(text, kind, cutOff);
  if (whole !== undefined) yield whole;
}

/** A last line, or else a first one, with nothing on it but a choice, or yes or no. */
function loneLine(text: string, kind: "choice" | "yes-no", cutOff: boolean): string | undefined {
  const alone = kind === "choice" ? /^(?:\([A-Z]\)|[A-Z])$/ : /^(?:yes|no|true|false)$/i;
  const trimmed = text.trim();
  const lines = [
    cutOff ? "" : trimmed.slice(trimmed.lastIndexOf("\n") + 1),
    trimmed.slice(0, trimmed.indexOf("\n") + 1),
  ];
  return lines.map((line) => (line.length < 40 ? withoutMarks(line) : "")).find((line) => alone.test(line));
}

/** Braces, boxes and escaped braces, in one pass: text with a million boxes must not take quadratic time. */
const BRACES = /\\(?:boxed|fbox)\s{0,20}(\{)?|\\[\\{}]|[{}]/g;

/** The content of the last `\boxed{…}` or `\fbox{…}` whose braces balance, or of a last `\boxed 5`. */
export function lastBox(text: string): string | undefined {
  if (!text.includes("box")) return undefined;
  const open: (number | undefined)[] = []; // Where the content of each open brace begins, if it is a box.
  let [from, to] = [-1, -1];
  for (const match of text.matchAll(BRACES)) {
    const [found] = match;
    const end = match.index + found.length;
    if (found === "{") open.push(undefined);
    else if (found === "}") {
      const start = open.pop();
      if (start !== undefined && start > from) [from, to] = [start, match.index];
    } else if (match[1] !== undefined) open.push(end);
    else if (/^\\f?box/.test(found)) {
      const bare = /[^\s${}]{1,100}/y;
      bare.lastIndex = end;
      const content = bare.exec(text);
      if (content && end > from) [from, to] = [end, bare.lastIndex];
    }
  }
  if (from < 0) return undefined;
  return text[to] === "}" ? text.slice(from, to) : withoutMarks(text.slice(from, to));
}

const MAX_LINES = 50;
const MAX_LINE = 2000;

/** The lines after `####`, from the last one backwards; where a line only announces the answer, the line below it. */
function* hashLines(text: string): Generator<HashLine, void, undefined> {
  let at = text.lastIndexOf("####");
  for (let count = 0; at >= 0 && count < MAX_LINES; count++) {
    const start = at + 4;
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const answer = withoutMarks(text.slice(start, Math.min(end, start + MAX_LINE)).replace(/\s+#{1,8}\s*$/, ""));
    const below = ANNOUNCES.test(answer) ? nextLine(text, end) : undefined;
    yield below ?? { answer, ends: text.slice(end, end + MAX_LINE).trim() === "" };
    while (text[at - 1] === "#") at--;
    at = at === 0 ? -1 : text.lastIndexOf("####", at - 1);
  }
}

const ANNOUNCES =
  /^(?:step \d{1,3}[:.)]\s)?(?:(?:the |my )?(?:(?:final|correct) )?(?:answer|result|solution)(?: is)?)?[\s:*_]{0,10}$/i;

/** The next line that is not empty, without marks around it. */
function nextLine(text: string, from: number): HashLine | undefined {
  const line = /\s{0,100}(?:(?:\\\[|\$\$)\s{1,20})?([^\n]{0,2000})/y;
  line.lastIndex = from;
  const found = line.exec(text)![1]!.replace(/^(?:>|[-•*])[ \t]{1,8}(?=\S)/, "");
  const answer = withoutMarks(withoutDollars(found));
  const ends = /^(?:\\\]|[\s$])*$/.test(text.slice(line.lastIndex, line.lastIndex + MAX_LINE));
  return answer === "" || answer.startsWith("#") ? undefined : { answer, ends };
}

/** The line below a heading "Answer" of any level, or in bold alone on its line, if it is nothing but an answer. */
function underHeading(text: string, kind: AnswerKind): string | undefined {
  const heading =
    /^[ \t]{0,8}(?:#{1,6}[ \t]{1,4}[*_]{0,3}|[*_]{2,3})(?:the )?(?:final |correct )?answer[:*_]{0,6}[ \t]{0,8}$/gim;
  const found = [...text.matchAll(heading)].at(-1);
  const below = found && nextLine(text, found.index + found[0].length);
  return below && isWholeAnswer(below.answer, kind) ? below.answer : undefined;
}

const ANSWER_IS = /\banswer[\s*_]{0,20}(?:is\b[\s*_]{0,20}:?|:)[\s*_]{0,20}/gi;
const CHOICE_IS =
  /\b(?:answer|(?:correct|right|best)[\s*_]{1,20}(?:option|choice))[\s*_]{0,20}(?:is\b[\s*_]{0,20}:?|:)[\s*_]{0,20}/gi;
/** What counts where nothing is marked more plainly; `<answer>` is what models trained with rewards for a format write. */
const LESS_PLAINLY =
  /\banswer[\s*_]{0,20}(?:must|would|should|has to|will|can only)[\s*_]{1,20}be\b(?! to\b)[\s*_]{0,20}:?[\s*_]{0,20}|\bans\.?[ \t]{0,4}[:=][\s*_]{0,20}|<answer>\s{0,20}/gi;
const CHOSEN =
  /\b(?:answer|option|choice)[\s*_]{0,20}(?:must|would|should|has to|will|can only)[\s*_]{1,20}be\b(?! to\b)[\s*_]{0,20}:?[\s*_]{0,20}|\bans\.?[ \t]{0,4}[:=][\s*_]{0,20}|<answer>\s{0,20}|\bI(?: would|'d|’d|'ll|’ll| will)? (?:choose|pick|select|go with)[\s*_]{1,20}|\b(?:which|this|that|it) is[\s*_]{1,20}(?=(?:option|choice)\b)|\b(?:corresponds to|matches|agrees with)[\s*_]{1,20}(?:the )?(?=(?:option|choice|answer)\b)|(?<=^|[.\n]\s{0,4}|\b(?:so|thus|hence|therefore),? )[*_]{0,3}(?=(?:(?:option|choice) )?[*_(]{0,3}[A-Z][)*_]{0,3} is (?:therefore |thus |clearly )?(?:the )?(?:correct|right|best)\b)/gi;
const MATHEMATICS = /^(?:\$\$([^$]+)\$\$|\$([^$]+)\$|\\\(([\s\S]*?)\\\)|\\\[([\s\S]*?)\\\])/;

/** Where what follows each "answer is" or "answer:" begins, of the last ones. */
function answerPlaces(text: string, pattern: RegExp): number[] {
  const ends: number[] = [];
  for (const match of text.matchAll(pattern)) {
    ends.push(match.index + match[0].length);
    if (ends.length > MAX_LINES) ends.shift();
  }
  return ends;
}

/** What is said to be the answer at a place. */
function statement(text: string, at: number): string {
  const rest = text.slice(at, at + MAX_LINE);
  const [whole, ...contents] = MATHEMATICS.exec(rest) ?? [];
  const content = contents.find((each) => each !== undefined);
  // "$5 and not $6" has dollars, not mathematics.
  if (whole !== undefined && content !== undefined && !/(?<![\\a-z])[a-z]{3,}\s/i.test(content)) {
    const after = /^[^\n.,;!]{0,100}/.exec(rest.slice(whole.length))![0];
    return withoutMarks(
      /^\s*(?:,|and|or)?\s*[$\\]/.test(after) ? sentence(rest) : content + (/^\s*\w+\s*$/.test(after) ? after : ""),
    );
  }
  return sentence(rest);
}

/** Up to the first sentence end; a closing bold mark may stand inside: "**5** apples". */
const sentence = (text: string): string =>
  withoutMarks(text.replace(/\*\*(?=[\s.,;!]|$)/g, "").split(/\n|<\/answer>|[.!?](?=[\s*$)"”]|$)/, 1)[0]!);

const withoutDollars = (text: string): string => /^\s*\$\$?([^$]+)\$\$?[.\s]*$/.exec(text)?.[1] ?? text;
