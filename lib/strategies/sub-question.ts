import type { ProblemKind } from "../tasks/index.js";

/** A sub-question with its answer. */
export interface KnownAnswer {
  question: string;
  answer: string;
}

/**
 * Write a sub-question as a question that stands by itself: what the question tells, the answers it depends on as known
 * facts, then the sub-question in place of what the question asks (AoT §3.2: a node sees its dependencies, no others).
 *
 * @param kind the options of a question, such as a multiple-choice one, are left out: a sub-question is not about them
 */
export function subQuestionText(
  question: string,
  subQuestion: string,
  known: readonly KnownAnswer[],
  kind: ProblemKind,
): string {
  const stem = question.replace(OPTIONS_LIST, "").trimEnd();
  const passages = kind === "words" ? beforeBlankLine(stem) : undefined;
  const told = passages ?? withoutAsking(kind === "choice" ? withoutOptions(stem) : stem);
  const facts = known.map(({ question: asked, answer }) => `${asked.trim()} ${answer.trim()}`);
  const asked = [...facts.map(asSentence), subQuestion.trim()].join(" ");
  const between = passages === undefined ? (/\n+/.exec(stem.trim())?.[0] ?? " ") : "\n\n";
  return told === "" ? asked : `${told}${between}${asked}`;
}

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The passages that a question comes after, with an empty line between; undefined if there are none. */
function beforeBlankLine(text: string): string | undefined {
  const at = text.trimEnd().lastIndexOf("\n\n");
  return at < 0 ? undefined : text.slice(0, at).trim();
}

/** The list of answers to choose from at the end of a question, as BIG-Bench Hard writes it. */
export const OPTIONS_LIST: RegExp = /^Options:[ \t]*\n[\s\S]*$/m;

/** An option of a multiple-choice question on a line of its own. */
const OPTION = /^\s*(?:\([A-Z]\)|[A-Z][.):])\s/;

const withoutOptions = (question: string): string =>
  question
    .split("\n")
    .filter((line) => !OPTION.test(line))
    .join("\n")
    .trim();

/** Without the last sentence if it asks something; "If …, how many …?" keeps its condition. */
function withoutAsking(question: string): string {
  const text = question.trim();
  if (!text.endsWith("?")) return text;
  const start = Math.max(...[". ", "! ", "? ", "\n"].map((mark) => lastBefore(text, mark)));
  const asking = text.slice(start);
  const condition = /^((?:if|when|given|suppose)\b.*),\s*(?:how|what|which|who|where|when|find)\b/is.exec(asking)?.[1];
  const told = text.slice(0, start).trim();
  return condition === undefined ? told : `${told} ${condition}.`.trim();
}

/** Where the text after the last mark begins; 0 without one. */
function lastBefore(text: string, mark: string): number {
  const at = text.lastIndexOf(mark, text.length - 2);
  return at < 0 ? 0 : at + mark.length;
}
