import { ThoughtbookError } from "../../core/index.js";
import type { Tokenizer } from "../../model/index.js";
import { OPERATIONS, type OperationExample } from "../../operations/index.js";
import { type Branch, branchedExample, type Example } from "./examples.js";

/** Special tokens that the chat template of models trained on operations writes. */
export const CHAT_TOKENS = { end: "<|end|>", user: "<|user|>", assistant: "<|assistant|>", system: "<|system|>" };

/** Writes examples of operations as token ids. */
export interface OperationEncoder {
  /** As the chat template writes it, with the tag unless told otherwise. */
  encode(example: OperationExample, tagged?: boolean): Branch;
}

/**
 * The ids of examples as a conversation of one question and its answer: what `encodeConversation` gives with
 * `OPERATION_CHAT_TEMPLATE`, faster.
 *
 * @throws bad-input if the tokenizer lacks one of the special tokens
 */
export function operationEncoder(tokenizer: Tokenizer): OperationEncoder {
  const idOf = (token: string): number => {
    const ids = tokenizer.encode(token, { addSpecialTokens: false });
    if (ids.length === 1) return ids[0]!;
    throw new ThoughtbookError("bad-input", `the tokenizer has no token ${token}`, {
      hint: "Train it with the tags of the operations as special tokens.",
    });
  };
  const [user, assistant, end] = [idOf(CHAT_TOKENS.user), idOf(CHAT_TOKENS.assistant), idOf(CHAT_TOKENS.end)];
  const tags = new Map(Object.entries(OPERATIONS).map(([name, { tag }]) => [name, idOf(tag)]));
  const text = (content: string) => tokenizer.encode(content, { addSpecialTokens: false });
  return {
    encode({ operation, prompt, given = "", completion }, tagged = true) {
      const tag = tagged ? [tags.get(operation)!] : [];
      return {
        prompt: [user, ...text(prompt), ...tag, assistant, ...text(given)],
        completion: [...text(completion), end],
      };
    },
  };
}

/** How many ids all prompts begin with; a branch begins with an id of its own prompt. */
function sharedLength(texts: readonly Branch[]): number {
  const [first, ...others] = texts as [Branch, ...Branch[]];
  let shared = Math.min(...texts.map(({ prompt }) => prompt.length)) - 1;
  for (const { prompt } of others) {
    let same = 0;
    while (same < shared && prompt[same] === first.prompt[same]) same++;
    shared = same;
  }
  return shared;
}

/** Several texts as one example: what all of them begin with is its shared prefix. */
export function joinTexts(texts: readonly Branch[]): Example {
  const shared = sharedLength(texts);
  return branchedExample(
    texts[0]!.prompt.slice(0, shared),
    texts.map(({ prompt, completion }) => ({ prompt: prompt.slice(shared), completion })),
  );
}

/** Tokens of the example that {@link joinTexts} makes. */
export function joinedLength(texts: readonly Branch[]): number {
  const shared = sharedLength(texts);
  return texts.reduce((sum, { prompt, completion }) => sum + prompt.length - shared + completion.length, shared);
}
