import { ThoughtbookError } from "../../core/index.js";
import { type ChatMessage, type ChatTemplate, type RenderOptions, renderChat } from "./template.js";
import { completionOf, isWrittenWhole, restOf, withoutThought } from "./thought.js";

/** A part of a text: from `start` to just before `end`, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}

export interface SpanOptions extends Omit<RenderOptions, "addGenerationPrompt"> {
  /** The tokens that end a turn, so that what follows them is not the assistant's. Default: eos. */
  endTokens?: readonly string[];
}

export interface AssistantSpans {
  /** Text of the whole conversation. */
  text: string;
  /** The parts that a model would write: one span per turn of the assistant, including the token that ends the turn. */
  spans: readonly Span[];
}

export interface TrainingTextOptions extends SpanOptions {
  /** For each message whether a model learns it; only the assistant's can be learned. Default: all of those. */
  learned?: readonly boolean[] | undefined;
}

/** The options with what every rendering of one conversation has in common. */
type Fixed = Omit<SpanOptions, "endTokens"> & { endTokens: readonly string[] };

/**
 * Find the parts of a written conversation that are the assistant's. They begin where the model would begin to write,
 * and end with the token that ends a turn: no model writes the white space that templates put after it.
 *
 * Works by writing the conversation up to each turn, which must be a prefix of the whole.
 *
 * @throws bad-input if it is not, since the template writes earlier turns otherwise when later ones follow (Qwen3 drops
 *   their reasoning), and the errors of `renderChat`
 */
export function assistantSpans(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: SpanOptions = {},
): AssistantSpans {
  const fixed = fix(template, options);
  const text = renderChat(template, messages, fixed);
  const spans = messages.flatMap(({ role }, index) => {
    if (role !== "assistant") return [];
    const { before, through } = aroundTurn(template, messages, index, fixed);
    if (!through.startsWith(before)) {
      throw unfit(template, `message ${index} does not begin with what the model is prompted with`);
    }
    if (!text.startsWith(through)) throw unfit(template, `message ${index} is written otherwise when others follow`);
    return [spanOf(before, through, fixed)];
  });
  return { text, spans };
}

/**
 * The texts that a model learns a conversation from, for any template: each turn occurs in one of them as the model is
 * to write it, after the prompt that it would be given.
 *
 * That is one text if the template writes turns the same way whatever follows. If it does not (Qwen3 and DeepSeek-R1
 * drop the thoughts of earlier turns), each learned turn has a text of its own, which ends with it. A turn that the
 * template does not write completely even then (DeepSeek-R1's drops the thought of the last one too) is written as the
 * prompt, the message itself, and the token that the template ends turns with.
 *
 * @throws bad-input for a conversation that begins with the assistant, a message of which the template leaves out the text,
 *   and the errors of `renderChat`
 */
export function trainingTexts(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  { learned, ...options }: TrainingTextOptions = {},
): AssistantSpans[] {
  const fixed = fix(template, options);
  const text = renderChat(template, messages, fixed);
  const turns = messages.flatMap(({ role }, index) =>
    role === "assistant" && learned?.[index] !== false
      ? [{ index, ...aroundTurn(template, messages, index, fixed) }]
      : [],
  );
  const isWhole = ({ index, before, through }: (typeof turns)[number]) =>
    through.startsWith(before) && isWrittenWhole(messages[index]!, before, through.slice(before.length));
  const lost = lostIn(text, messages);
  if (lost === undefined && turns.every((turn) => text.startsWith(turn.through) && isWhole(turn))) {
    const spans = turns.map(({ before, through }) => spanOf(before, through, fixed));
    return [withEnd(template, messages.at(-1)!, { text, spans })];
  }
  return turns.map((turn) => {
    const { index, before, through } = turn;
    // What the prompt holds may be missing in the whole: Mistral writes the system prompt before the last turn only.
    const lost = lostIn(before, messages.slice(0, index)) ?? lostCalls(through, messages[index]!, index);
    if (lost !== undefined) throw leavesOut(template, lost);
    if (isWhole(turn)) {
      return withEnd(template, messages[index]!, { text: through, spans: [spanOf(before, through, fixed)] });
    }
    const completion = completionOf(messages[index]!, before) + turnEnd(template, messages.slice(0, index + 1), fixed);
    return { text: before + completion, spans: [{ start: before.length, end: before.length + completion.length }] };
  });
}

function fix(template: ChatTemplate, options: SpanOptions): Fixed {
  const { eos_token } = template.specialTokens;
  return { now: new Date(), endTokens: eos_token === undefined ? [] : [eos_token], ...options };
}

/** The prompt for a turn, and the conversation through it. */
function aroundTurn(template: ChatTemplate, messages: readonly ChatMessage[], index: number, fixed: Fixed) {
  if (index === 0) throw unfit(template, "a conversation that the assistant begins has no prompt");
  return {
    before: renderChat(template, messages.slice(0, index), { ...fixed, addGenerationPrompt: true }),
    through: renderChat(template, messages.slice(0, index + 1), fixed),
  };
}

function spanOf(before: string, through: string, { endTokens }: Fixed): Span {
  return { start: before.length, end: before.length + writtenLength(through.slice(before.length), endTokens) };
}

/** Up to the token that ends the turn, if only white space comes after it. */
function writtenLength(turn: string, endTokens: readonly string[]): number {
  const written = turn.trimEnd();
  return endTokens.some((token) => token !== "" && written.endsWith(token)) ? written.length : turn.length;
}

/** Placeholder for a turn; no template has a reason to change it. */
const PROBE = "thoughtbook-turn";

/**
 * What the template writes after the last message, up to the token that ends the turn; the token that ends texts if
 * nothing.
 */
function turnEnd(template: ChatTemplate, messages: readonly ChatMessage[], fixed: Fixed): string {
  const probed = [...messages.slice(0, -1), { ...withoutThought(messages.at(-1)!), content: PROBE }];
  const text = renderChat(template, probed, fixed);
  const at = text.lastIndexOf(PROBE);
  const behind = at < 0 ? "" : text.slice(at + PROBE.length);
  if (behind === "") return template.specialTokens.eos_token ?? "";
  const ends = fixed.endTokens.flatMap((token) => {
    const start = token === "" ? -1 : behind.indexOf(token);
    return start < 0 ? [] : [start + token.length];
  });
  return behind.slice(0, Math.min(behind.length, ...ends));
}

/** Some templates (GLM) end no turn, and a model would never learn to stop: then the last turn ends as texts do. */
function withEnd(template: ChatTemplate, last: ChatMessage, written: AssistantSpans): AssistantSpans {
  const { text, spans } = written;
  const eos = template.specialTokens.eos_token;
  const span = spans.at(-1);
  const rest = restOf(last);
  if (!eos || span?.end !== text.length || rest === "" || !text.endsWith(rest)) return written;
  return { text: text + eos, spans: [...spans.slice(0, -1), { start: span.start, end: span.end + eos.length }] };
}

/**
 * Find what a text lacks of the messages. Some templates omit roles that they do not know, and a model would learn the
 * answer to another question.
 */
function lostIn(text: string, messages: readonly ChatMessage[]): string | undefined {
  for (const [index, message] of messages.entries()) {
    const { role, content } = message;
    // Some templates write what tools gave as JSON.
    const holds = () => text.includes(content.trim()) || text.includes(JSON.stringify(content).slice(1, -1));
    if (role !== "assistant" && !holds()) return `message ${index}, of the role ${JSON.stringify(role)}`;
    const calls = lostCalls(text, message, index);
    if (calls !== undefined) return calls;
  }
  return undefined;
}

function lostCalls(text: string, { tool_calls: calls }: ChatMessage, index: number): string | undefined {
  const isLost = Array.isArray(calls) && calls.some((call) => !text.includes(calledName(call)));
  return isLost ? `the tool calls of message ${index}` : undefined;
}

const leavesOut = ({ source }: ChatTemplate, what: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", `${source} leaves out ${what}`, {
    hint: "Take it out of the conversation, or give a template that has a place for it.",
  });

function calledName(call: unknown): string {
  const { function: called, name } = Object(call) as { function?: { name?: unknown }; name?: unknown };
  return String(called?.name ?? name ?? "");
}

function unfit({ source }: ChatTemplate, reason: string): ThoughtbookError {
  return new ThoughtbookError("bad-input", `${source} does not show which part the assistant wrote: ${reason}`, {
    hint: "Train on conversations of one turn, on prompts with completions, or with a template that keeps earlier turns.",
  });
}
