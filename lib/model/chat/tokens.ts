import { ThoughtbookError } from "../../core/index.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type AssistantSpans, assistantSpans, type Span, trainingTexts } from "./spans.js";
import { type ChatMessage, type ChatTemplate, type RenderOptions, renderChat } from "./template.js";
import { THOUGHT_MARKS } from "./thought.js";

export interface EncodeChatOptions extends RenderOptions {
  /**
   * Whether names of special tokens within messages are plain characters, so that a message cannot end its turn and
   * begin another's. Default: true. Roles and the template's variables are taken to be the program's own.
   */
  specialTokensAsText?: boolean;
}

/** A conversation to train on. */
export interface EncodedConversation {
  ids: number[];
  /** For each id whether the assistant wrote it: only those count in the loss. */
  assistant: boolean[];
}

interface Part {
  text: string;
  assistant: boolean;
}

/**
 * The token ids of a conversation, written by the template; with `addGenerationPrompt` the prompt for the assistant's
 * next turn.
 *
 * @throws bad-input as `renderChat`, or for characters that the vocabulary cannot express
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: EncodeChatOptions = {},
): number[] {
  const { guarded, mark } = guard(tokenizer, messages, options);
  return encodeParts(tokenizer, cut(renderChat(template, guarded, options), [], mark)).flat();
}

/**
 * The token ids of a conversation and which of them the assistant wrote. Each turn is encoded by itself, as the ids that
 * follow those of its prompt.
 *
 * @throws bad-input as `assistantSpans`, or for characters that the vocabulary cannot express
 */
export function encodeConversation(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: Omit<EncodeChatOptions, "addGenerationPrompt"> = {},
): EncodedConversation {
  const { guarded, mark } = guard(tokenizer, messages, options);
  const endTokens = endTokensOf(tokenizer, template);
  return encodeSpans(tokenizer, assistantSpans(template, guarded, { ...options, endTokens }), mark);
}

/**
 * The token ids that a model learns a conversation from, for each text of `trainingTexts`. The marks around the
 * assistant's thoughts become special tokens where the vocabulary has them.
 *
 * @throws bad-input as `trainingTexts`, or for characters that the vocabulary cannot express
 */
export function encodeTrainingTexts(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  {
    learned,
    ...options
  }: Omit<EncodeChatOptions, "addGenerationPrompt"> & { learned?: readonly boolean[] | undefined } = {},
): EncodedConversation[] {
  const { guarded, mark } = guard(tokenizer, messages, options, Object.values(THOUGHT_MARKS));
  const endTokens = endTokensOf(tokenizer, template);
  const texts = trainingTexts(template, guarded, { ...options, learned, endTokens });
  return texts.map((text) => encodeSpans(tokenizer, text, mark));
}

function encodeSpans(
  tokenizer: Tokenizer,
  { text, spans }: AssistantSpans,
  mark: string | undefined,
): EncodedConversation {
  const parts = cut(text, spans, mark);
  const encoded = encodeParts(tokenizer, parts);
  return {
    ids: encoded.flat(),
    assistant: encoded.flatMap((ids, index) => ids.map(() => parts[index]!.assistant)),
  };
}

const endTokensOf = (tokenizer: Tokenizer, { specialTokens }: ChatTemplate): string[] => [
  specialTokens.eos_token ?? "",
  ...tokenizer.endIds.flatMap((id) => nameOf(tokenizer, id)),
];

/** Files may name an id outside the vocabulary. */
const nameOf = (tokenizer: Tokenizer, id: number): string[] =>
  id >= 0 && id < tokenizer.vocabularySize ? [tokenizer.tokenOf(id)] : [];

/** Encode parts of one text, each as a continuation of the one before. */
function encodeParts(tokenizer: Tokenizer, parts: readonly Part[]): number[][] {
  let last: number | undefined;
  return parts.map(({ text }) => {
    const ids = encodeAfter(tokenizer, last, text);
    last = ids.at(-1) ?? last;
    return ids;
  });
}

function encodeAfter(tokenizer: Tokenizer, last: number | undefined, text: string): number[] {
  const options = { addSpecialTokens: false, continues: last !== undefined };
  // Some tokenizers put a space after a special token, which they have to see for it.
  if (last !== undefined && tokenizer.specialIds.has(last)) {
    const [first, ...ids] = tokenizer.encode(tokenizer.tokenOf(last) + text, options);
    if (first === last) return ids;
  }
  return tokenizer.encode(text, options);
}

/**
 * Put a mark into each name of a special token in messages, after its first letter; roles are left as they are.
 *
 * @param own names that the assistant's messages may hold as special tokens
 */
function guard(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  { specialTokensAsText = true }: EncodeChatOptions,
  own: readonly string[] = [],
): { guarded: readonly ChatMessage[]; mark: string | undefined } {
  const names = Array.from(tokenizer.specialIds, tokenizer.tokenOf);
  const written = JSON.stringify(messages);
  if (!specialTokensAsText || !names.some((name) => written.includes(JSON.stringify(name).slice(1, -1)))) {
    return { guarded: messages, mark: undefined };
  }
  const mark = unusedMark(written);
  const guardIn = marking(names, mark);
  const guardOwn = marking(
    names.filter((name) => !own.includes(name)),
    mark,
  );
  const guarded = messages.map((message) => {
    const { role } = message;
    return { ...((role === "assistant" ? guardOwn : guardIn)(message) as ChatMessage), role };
  });
  return { guarded, mark };
}

/** Inserts the mark into the names in all texts of a value. */
function marking(names: readonly string[], mark: string): (value: unknown) => unknown {
  if (names.length === 0) return (value) => value;
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  // Names may overlap, so each place where one begins is marked.
  const firstLetter = new RegExp(`(?=${escaped.join("|")})[\\s\\S]`, "gu");
  const guardIn = (value: unknown): unknown => {
    if (typeof value === "string") return value.replace(firstLetter, (letter) => letter + mark);
    if (Array.isArray(value)) return value.map(guardIn);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map((entry) => entry.map(guardIn)));
  };
  return guardIn;
}

/** One of the characters that Unicode keeps for a program's own use. */
function unusedMark(written: string): string {
  const all = Array.from({ length: 32 }, (_, index) => String.fromCharCode(0xfdd0 + index));
  const free = all.find((mark) => !written.includes(mark));
  if (free !== undefined) return free;
  throw new ThoughtbookError("bad-input", "the messages hold special tokens and all of U+FDD0 to U+FDEF", {
    hint: "Remove these characters, which are none of any language.",
  });
}

/** Cut a text where the assistant's spans begin and end, and at the marks, which are taken out. */
function cut(text: string, spans: readonly Span[], mark: string | undefined): Part[] {
  const borders = [0, ...spans.flatMap(({ start, end }) => [start, end]), text.length];
  return borders.slice(1).flatMap((end, index) => {
    const piece = text.slice(borders[index], end);
    const parts = mark === undefined ? [piece] : piece.split(mark);
    return parts.filter((part) => part !== "").map((part) => ({ text: part, assistant: index % 2 === 1 }));
  });
}
