import type { ChatMessage } from "./template.js";

/** Marks around a thought in the texts of most models that think. */
export const THOUGHT_MARKS = { begin: "<think>", end: "</think>" } as const;

/** Fields in which servers and data sets put a thought beside the content. */
const THOUGHT_FIELDS = ["reasoning_content", "reasoning", "thinking"] as const;

/** The thought that a message has beside its content; undefined if there is none. */
export function thoughtBeside(message: ChatMessage): string | undefined {
  const values: unknown[] = THOUGHT_FIELDS.map((field) => message[field]);
  return values.find((value): value is string => typeof value === "string" && value !== "")?.trim();
}

/** The thought of a message and what follows it, both trimmed; the thought may stand in the content or beside it. */
function partsOf(message: ChatMessage): { thought: string | undefined; rest: string } {
  const content = message.content.trim();
  const end = content.indexOf(THOUGHT_MARKS.end);
  if (end >= 0) {
    const thought = content.slice(0, end).replace(THOUGHT_MARKS.begin, "");
    return { thought: thought.trim(), rest: content.slice(end + THOUGHT_MARKS.end.length).trim() };
  }
  return { thought: thoughtBeside(message), rest: content };
}

/**
 * Whether the template writes a turn completely after a prompt: all of the message, its thought before the rest, in one
 * pair of marks. White space around them may differ.
 */
export function isWrittenWhole(message: ChatMessage, prompt: string, turn: string): boolean {
  const { thought, rest } = partsOf(message);
  if (thought === undefined) return turn.includes(rest) && (turn.includes(THOUGHT_MARKS.end) || !OPENED.test(prompt));
  const at = turn.indexOf(thought);
  const isEnded = turn.includes(THOUGHT_MARKS.end) || !message.content.includes(THOUGHT_MARKS.end);
  const begins = (text: string) => text.split(THOUGHT_MARKS.begin).length - 1;
  const isOnce = begins(turn) + (OPENED.test(prompt) ? 1 : 0) <= Math.max(1, begins(message.content));
  return at >= 0 && turn.includes(rest, at + thought.length) && isEnded && isOnce;
}

/** A prompt that begins the thought itself, and white space in it. */
const OPENED = /<think>(\s*)$/;

/**
 * What a model is to write for a message after a prompt: its content, preceded by a thought stored beside it. If the
 * prompt begins the thought, the text continues it; a message without a thought ends it at once, as Qwen3 does.
 */
export function completionOf(message: ChatMessage, prompt: string): string {
  const { begin, end } = THOUGHT_MARKS;
  const { thought, rest } = partsOf(message);
  const isBeside = thought !== undefined && !message.content.includes(end);
  const whole = isBeside ? `${begin}\n${thought}\n${end}\n\n${rest}` : message.content;
  const given = OPENED.exec(prompt)?.[1];
  if (given === undefined) return whole;
  if (thought === undefined) return `\n${end}\n\n${whole}`;
  const begun = whole.trimStart();
  if (!begun.startsWith(begin)) return whole;
  const inside = begun.slice(begin.length);
  // The white space that the prompt has already written.
  return inside.startsWith(given) ? inside.slice(given.length) : inside.trimStart();
}

/** What follows the thought of a message. */
export const restOf = (message: ChatMessage): string => partsOf(message).rest;

/** A message without the fields that hold a thought. */
export const withoutThought = (message: ChatMessage): ChatMessage => ({
  ...message,
  ...Object.fromEntries(THOUGHT_FIELDS.filter((field) => field in message).map((field) => [field, undefined])),
});
