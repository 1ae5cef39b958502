import { ThoughtbookError } from "../../core/index.js";
import { type ChatMessage, type ChatTemplate, type RenderOptions, renderChat } from "./template.js";

/** A part of a text: from `start` to just before `end`, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}

export interface SpanOptions extends Omit<RenderOptions, "addGenerationPrompt"> {
  /** The tokens that end a turn, so that what follows them is not the assistant's; eos unless told otherwise. */
  endTokens?: readonly string[];
}

export interface AssistantSpans {
  /** The whole conversation. */
  text: string;
  /** What a model would write of it: one span a turn of the assistant, with the token that ends the turn. */
  spans: readonly Span[];
}

/**
 * Tell which parts of a written conversation are the assistant's. They begin where the model would begin to write, and
 * end with the token that ends a turn: the white space that templates put after it, no model writes.
 *
 * Found by writing the conversation up to each turn, which must be how the whole begins.
 *
 * @throws bad-input if it is not, since the template writes earlier turns otherwise when later ones follow (Qwen3 drops
 *   their reasoning), and the errors of `renderChat`
 */
export function assistantSpans(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: SpanOptions = {},
): AssistantSpans {
  const { eos_token } = template.specialTokens;
  const { endTokens = eos_token === undefined ? [] : [eos_token], ...rest } = options;
  const fixed = { now: new Date(), ...rest };
  const text = renderChat(template, messages, { ...fixed, addGenerationPrompt: false });
  const spans = messages.flatMap(({ role }, index) => {
    if (role !== "assistant") return [];
    if (index === 0) throw unfit(template, "a conversation that the assistant begins has no prompt");
    const before = renderChat(template, messages.slice(0, index), { ...fixed, addGenerationPrompt: true });
    const through = renderChat(template, messages.slice(0, index + 1), { ...fixed, addGenerationPrompt: false });
    if (!through.startsWith(before)) {
      throw unfit(template, `message ${index} does not begin with what the model is prompted with`);
    }
    if (!text.startsWith(through)) throw unfit(template, `message ${index} is written otherwise when others follow`);
    const turn = text.slice(before.length, through.length);
    return [{ start: before.length, end: before.length + writtenLength(turn, endTokens) }];
  });
  return { text, spans };
}

/** Up to the token that ends the turn, if only white space comes after it. */
function writtenLength(turn: string, endTokens: readonly string[]): number {
  const written = turn.trimEnd();
  return endTokens.some((token) => token !== "" && written.endsWith(token)) ? written.length : turn.length;
}

function unfit({ source }: ChatTemplate, reason: string): ThoughtbookError {
  return new ThoughtbookError("bad-input", `${source} does not show which part the assistant wrote: ${reason}`, {
    hint: "Train on conversations of one turn, on prompts with completions, or with a template that keeps earlier turns.",
  });
}
