import { badInput } from "../../core/index.js";
import { THOUGHT_TAGS as RELEASED_TAGS, THOUGHT_BEGIN, THOUGHT_END } from "../../operations/index.js";

/** Tags around thought and solution in a training text. */
export interface ThoughtTags {
  thoughtBegin: string;
  thoughtEnd: string;
  solutionBegin: string;
  solutionEnd: string;
}

/** The tags of the released data. */
export const THOUGHT_TAGS: ThoughtTags = RELEASED_TAGS;

/** @throws bad-input for an empty tag: a text could not be read back */
export function checkTags(tags: ThoughtTags): void {
  const empty = Object.entries(tags).find(([, tag]) => tag.trim() === "");
  if (empty === undefined) return;
  throw badInput(`the tag ${empty[0]} is empty`, "Give four tags of some text each.");
}

/** Write an assistant's turn: thought and solution between their tags, separated by blank lines. */
export function writeTagged({ thought, solution }: { thought: string; solution: string }, tags: ThoughtTags): string {
  const { thoughtBegin, thoughtEnd, solutionBegin, solutionEnd } = tags;
  return [thoughtBegin, thought, thoughtEnd, solutionBegin, solution, solutionEnd].join("\n\n");
}

/** Thought and solution of an assistant's turn, trimmed: each from its first begin tag to the first end tag after it. */
export function readTagged(
  text: string,
  tags: ThoughtTags,
): { thought: string; solution: string } | { missing: string } {
  const thought = between(text, tags.thoughtBegin, tags.thoughtEnd);
  if (typeof thought !== "string") return thought;
  const solution = between(text, tags.solutionBegin, tags.solutionEnd);
  return typeof solution === "string" ? { thought, solution } : solution;
}

/** Thought and solution of a text in the manner of DeepSeek-R1, trimmed: before and after the first `</think>`. */
export function readThinking(text: string): { thought: string; solution: string } | undefined {
  const end = text.indexOf(THOUGHT_END);
  if (end < 0) return undefined;
  const thought = text.slice(0, end).trim();
  return {
    thought: (thought.startsWith(THOUGHT_BEGIN) ? thought.slice(THOUGHT_BEGIN.length) : thought).trim(),
    solution: text.slice(end + THOUGHT_END.length).trim(),
  };
}

function between(text: string, begin: string, end: string): string | { missing: string } {
  const start = text.indexOf(begin);
  if (start < 0) return { missing: begin };
  const stop = text.indexOf(end, start + begin.length);
  return stop < 0 ? { missing: end } : text.slice(start + begin.length, stop).trim();
}
