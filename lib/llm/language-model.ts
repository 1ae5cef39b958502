import type { ChatMessage, RequestOptions } from "../model/index.js";
import type { TensorData } from "../tensor/index.js";
import type { Capability } from "./capabilities.js";

/**
 * What a model goes on from: a text; token ids; a conversation, written by the model's chat template up to the beginning
 * of the assistant's turn; or embeddings, such as a soft prompt with those of tokens behind it.
 */
export type Prompt = string | IdPrompt | ChatPrompt | EmbeddingPrompt;

export interface IdPrompt {
  ids: readonly number[];
}

export interface ChatPrompt {
  messages: readonly ChatMessage[];
  /** What the assistant's turn begins with; the model goes on from there. */
  answer?: string | undefined;
  /** Variables of the chat template, such as `enable_thinking`. */
  variables?: Readonly<Record<string, unknown>> | undefined;
}

export interface EmbeddingPrompt {
  /** `[time, hidden]`. */
  embeddings: TensorData<"float32">;
}

/** One prompt, with options that differ from those of the call. A seed of its own makes it independent of its place. */
export interface TextRequest extends RequestOptions {
  prompt: Prompt;
}

export interface GenerateTextOptions extends RequestOptions {
  /** The most texts in work at a time; the model's own choice unless told otherwise. */
  batchSize?: number | undefined;
  /** Ends the work with an error. What was finished before went to `onFinish`. */
  signal?: AbortSignal | undefined;
  /** Called with each piece of text as soon as it is certain. */
  onText?: ((text: string, place: RequestPlace) => void) | undefined;
  /** Called with each text when it is complete: keep it, so that nothing is lost when the work is interrupted. */
  onFinish?: ((completion: Completion, place: RequestPlace) => void) | undefined;
}

/** A request of a call, by its place in the list, and one of its samples, both from 0. */
export interface RequestPlace {
  request: number;
  sample: number;
}

/** The ids behind a text; what a policy gradient needs of a call. */
export interface CompletionTokens {
  /** Empty for a prompt of embeddings. */
  promptIds: readonly number[];
  /** With the id that ended the text. */
  completionIds: readonly number[];
  /** For each of these the natural logarithm of its probability under the model, before temperature and filters. */
  logProbs: readonly number[];
}

/**
 * How a text ended. `stop`: the model ended it, or a stop string did; `length`: there was no more room. Servers know more:
 * `content_filter`, a filter withheld it or the rest of it; `tool_calls`, the model calls a tool and waits for its answer;
 * `other`, for a reason that is none of these.
 */
export const FINISH_REASONS = ["stop", "length", "content_filter", "tool_calls", "other"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

/** Whether a text is whole as far as anybody knows: it stopped, or its server never says how texts end. */
export const isWholeText = ({
  finishReason,
  serverReason,
}: Pick<Completion, "finishReason" | "serverReason">): boolean =>
  finishReason === "stop" || (finishReason === "other" && serverReason === "");

/** Who counted tokens that a server did not count: its tokenizer, asked afterwards, or nobody (4 bytes are a token). */
export type CountedBy = "tokenizer" | "estimate";

export interface Completion {
  /** Up to the stop string or id; empty from a model without the capability `text`. */
  text: string;
  finishReason: FinishReason;
  /** The server's own word for the reason `other`; empty if it gave none. */
  serverReason?: string;
  promptTokens: number;
  completionTokens: number;
  /** Only where the numbers of tokens are not those of the model or its server. Then that which ended the text is left out. */
  countedBy?: CountedBy;
  /** From models with the capability `tokenLogProbs`. */
  tokens?: CompletionTokens;
}

/** How probable is the continuation after the prompt? Their ids are joined, not their texts. */
export interface ScoreRequest {
  prompt: Prompt;
  continuation: string | IdPrompt;
}

export interface ScoreTextOptions {
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the number of requests scored so far. */
  onProgress?: ((done: number) => void) | undefined;
  /** Whether to tell how much the continuation attends to the prompt. Capability `attention`. */
  attention?: boolean | undefined;
}

/** How much a continuation attends to its prompt in the last layer. */
export interface PromptAttention {
  /** For each token of the prompt what all tokens of the continuation, as queries, give it in all heads together. */
  mass: Float32Array;
  /** Each token of the continuation has 1 to give in each head, to the prompt and to the continuation up to itself. */
  heads: number;
}

export interface Score {
  /** Of the continuation. */
  ids: readonly number[];
  /** For each of these the natural logarithm of its probability after all before it. */
  logProbs: Float32Array;
  /** Where `attention` was asked for. */
  attention?: PromptAttention;
}

/**
 * A language model, wherever it runs. What it cannot do besides `generate` is said by `capabilities`; asked for it all the
 * same, it throws the error of `requireCapability`.
 */
export interface LanguageModel {
  /** How it was asked for: a folder, the name of a model, an address. */
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** What computes it, for people: the engine and where it runs, or the server's address without its key. */
  readonly engine?: string | undefined;
  /** Tokens of a prompt and its completion together; undefined where nobody tells. */
  readonly contextLength: number | undefined;
  /** How many numbers the weights are; undefined where nobody tells. */
  readonly parameterCount: number | undefined;
  /** The operations that it was trained to do by their tags, without an instruction, by name; see `thoughtbook/operations`. */
  readonly operations?: ReadonlySet<string> | undefined;
  /** SHA-256 of configuration and weights, for the records made with it; undefined where they are out of reach. */
  hash(): Promise<string | undefined>;
  /**
   * Generate texts, one list of samples for each request.
   *
   * @throws bad-input before any work, interrupted, execution; from servers also network, timeout, corrupt-data,
   *   not-found, budget
   */
  generate(requests: readonly TextRequest[], options?: GenerateTextOptions): Promise<Completion[][]>;
  /** Score continuations. Capability `score`; for attention also `attention`. Throws bad-input before any work, interrupted, execution. */
  score(requests: readonly ScoreRequest[], options?: ScoreTextOptions): Promise<Score[]>;
  /** How many tokens a prompt has. Capability `countTokens`. */
  countTokens(prompt: Prompt, options?: { signal?: AbortSignal | undefined }): Promise<number>;
  /** Free its memory. */
  dispose(): Promise<void>;
}
