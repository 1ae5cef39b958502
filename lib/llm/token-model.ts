import { badInput, ThoughtbookError } from "../core/index.js";
import { type ChatTemplate, encodeChat, type Generation, type Tokenizer } from "../model/index.js";
import { type Capability, requireCapability } from "./capabilities.js";
import type {
  ChatPrompt,
  Completion,
  EmbeddingPrompt,
  IdPrompt,
  LanguageModel,
  Prompt,
  ScoreRequest,
} from "./language-model.js";

/** A prompt of ids, or one that can be encoded. */
export type TokenPrompt = Exclude<Prompt, EmbeddingPrompt>;

/** A model in this process with an accessible tokenizer; two of them with the same files encode a prompt alike. */
export interface TokenModel extends LanguageModel {
  readonly tokenizer: Tokenizer | undefined;
  readonly chatTemplate: ChatTemplate | undefined;
  /** Ids that end a text, unless a request overrides them. */
  readonly endIds: readonly number[];
  /**
   * The ids of a prompt, to be joined with others; not available for embeddings.
   * @throws bad-input
   */
  encode(prompt: TokenPrompt): number[];
}

export const isTokenModel = (model: LanguageModel): model is TokenModel => "encode" in model && "endIds" in model;

/**
 * The tokenizer of a model in this process.
 *
 * @param purpose who asks, such as "A*-Thought"
 * @throws bad-input if it has none, or runs elsewhere
 */
export function tokenizerOf(model: LanguageModel, purpose: string): Tokenizer {
  const tokenizer = isTokenModel(model) ? model.tokenizer : undefined;
  if (tokenizer) return tokenizer;
  throw badInput(
    `the tokenizer of ${model.name}, which ${purpose} needs, is out of reach`,
    "Take a checkpoint with a tokenizer.json on the local engine, by its folder or its name on the hub.",
  );
}

/** Turns prompts and continuations of a model into ids. */
export interface PromptEncoder {
  encode(prompt: TokenPrompt): number[];
  /** The ids of a text that continues others. */
  encodeContinuation(continuation: string | IdPrompt): readonly number[];
}

export interface PromptEncoderParts {
  tokenizer: Tokenizer | undefined;
  chatTemplate: ChatTemplate | undefined;
  /** Name of the model, for error messages. */
  model: { readonly name: string; readonly capabilities: ReadonlySet<Capability> };
}

export function createPromptEncoder({ tokenizer, chatTemplate, model }: PromptEncoderParts): PromptEncoder {
  const tokens = (): Tokenizer => {
    requireCapability(model, "text");
    return tokenizer!;
  };
  const continuationIds = (text: string) => tokens().encode(text, { addSpecialTokens: false, continues: true });
  const encodeMessages = ({ messages, answer, variables }: ChatPrompt): number[] => {
    requireCapability(model, "chat");
    const ids = encodeChat(tokens(), chatTemplate!, messages, {
      addGenerationPrompt: true,
      ...(variables ? { variables } : {}),
    });
    return answer ? [...ids, ...continuationIds(answer)] : ids;
  };
  return {
    encode(prompt) {
      if (typeof prompt === "string") return tokens().encode(prompt);
      return "ids" in prompt ? [...prompt.ids] : encodeMessages(prompt);
    },
    encodeContinuation: (continuation) =>
      typeof continuation === "string" ? continuationIds(continuation) : continuation.ids,
  };
}

export const isEmbeddingPrompt = (prompt: Prompt): prompt is EmbeddingPrompt =>
  typeof prompt === "object" && "embeddings" in prompt;

/** A prompt and its continuation as ids. Throws bad-input for embeddings. */
export function encodeScoreRequest(
  { prompt, continuation }: ScoreRequest,
  { encode, encodeContinuation }: PromptEncoder,
): { prompt: readonly number[]; continuation: readonly number[] } {
  if (!isEmbeddingPrompt(prompt)) {
    return { prompt: encode(prompt), continuation: encodeContinuation(continuation) };
  }
  throw new ThoughtbookError("bad-input", "a prompt of embeddings cannot be scored after", {
    hint: "Give a text, a conversation or ids; scores after a soft prompt come from a compiled `forward`.",
  });
}

/** @param promptIds of a prompt of ids, else how many tokens it has */
export function completionOf(
  promptIds: readonly number[] | number,
  { text = "", finishReason, ids, logProbs }: Generation,
): Completion {
  const isCount = typeof promptIds === "number";
  return {
    text,
    finishReason,
    promptTokens: isCount ? promptIds : promptIds.length,
    completionTokens: ids.length,
    tokens: { promptIds: isCount ? [] : promptIds, completionIds: ids, logProbs },
  };
}
