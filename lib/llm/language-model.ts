import type { ChatMessage, RequestOptions } from "../model/index.js";
import type { TensorData } from "../tensor/index.js";
import type { Capability } from "./capabilities.js";

/**
 * What a model continues: a text; token ids; a conversation, written by the model's chat template up to the beginning
 * of the assistant's turn; or embeddings, such as a soft prompt followed by those of tokens.
 */
export type Prompt = string | IdPrompt | ChatPrompt | EmbeddingPrompt;

export interface IdPrompt {
  ids: readonly number[];
}

export interface ChatPrompt {
  messages: readonly ChatMessage[];
  /** Beginning of the assistant's turn, which the model continues. */
  answer?: string | undefined;
  /** Variables of the chat template, such as `enable_thinking`. */
  variables?: Readonly<Record<string, unknown>> | undefined;
}

export interface EmbeddingPrompt {
  /** `[time, hidden]`. */
  embeddings: TensorData<"float32">;
}

/**
 * One prompt, with options that override those of the call. With a seed of its own, its text does not depend on its
 * index.
 */
export interface TextRequest extends RequestOptions {
  prompt: Prompt;
}

export interface GenerateTextOptions extends RequestOptions {
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
  /** Aborts the work with an error. Texts finished before were passed to `onFinish`. */
  signal?: AbortSignal | undefined;
  /** Called with each piece of text as soon as it is certain. */
  onText?: ((text: string, place: RequestPlace) => void) | undefined;
  /** Called with each complete text: store it there, so that nothing is lost when the work is interrupted. */
  onFinish?: ((completion: Completion, place: RequestPlace) => void) | undefined;
}

/** Index of a request in a call, and of one of its samples, both from 0. */
export interface RequestPlace {
  request: number;
  sample: number;
}

/** Token ids behind a text, as a policy gradient needs them. */
export interface CompletionTokens {
  /** Empty for a prompt of embeddings. */
  promptIds: readonly number[];
  /** New token ids, including the one that ended the text. */
  completionIds: readonly number[];
  /** Natural logarithm of each id's probability under the model, before temperature and filters. */
  logProbs: readonly number[];
}

/**
 * Finish reason of a text. `stop`: the model ended it, or a stop string did; `length`: there was no more room. Servers
 * have more: `content_filter`, a filter withheld it or the rest of it; `tool_calls`, the model calls a tool and waits
 * for its answer; `other`, any other reason.
 */
export const FINISH_REASONS = ["stop", "length", "content_filter", "tool_calls", "other"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

/** Whether a text is complete as far as known: it stopped, or its server never gives finish reasons. */
export const isWholeText = ({
  finishReason,
  serverReason,
}: Pick<Completion, "finishReason" | "serverReason">): boolean =>
  finishReason === "stop" || (finishReason === "other" && serverReason === "");

/**
 * Source of token counts that a server did not report: its tokenizer, asked afterwards, or an estimate (4 bytes per
 * token).
 */
export type CountedBy = "tokenizer" | "estimate";

export interface Completion {
  /** Text up to the stop string or id; empty from a model without the capability `text`. */
  text: string;
  finishReason: FinishReason;
  /** The server's own word for the reason `other`; empty if it gave none. */
  serverReason?: string;
  promptTokens: number;
  completionTokens: number;
  /** Only if the counts are not those of the model or its server. Then the token that ended the text is not counted. */
  countedBy?: CountedBy;
  /** For models with the capability `tokenLogProbs`. */
  tokens?: CompletionTokens;
}

/** Asks how probable the continuation is after the prompt. Their ids are joined, not their texts. */
export interface ScoreRequest {
  prompt: Prompt;
  continuation: string | IdPrompt;
}

export interface ScoreTextOptions {
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the number of requests scored so far. */
  onProgress?: ((done: number) => void) | undefined;
  /** Whether to return how much the continuation attends to the prompt. Capability `attention`. */
  attention?: boolean | undefined;
}

/** How much a continuation attends to its prompt in the last layer. */
export interface PromptAttention {
  /** Attention mass of each token of the prompt: from all tokens of the continuation, as queries, summed over heads. */
  mass: Float32Array;
  /**
   * Each token of the continuation distributes a mass of 1 per head, over the prompt and the continuation up to itself.
   */
  heads: number;
}

export interface Score {
  /** Token ids of the continuation. */
  ids: readonly number[];
  /** Natural logarithm of each id's probability after all ids before it. */
  logProbs: Float32Array;
  /** With the option `attention`. */
  attention?: PromptAttention;
}

/**
 * A language model, wherever it runs. Optional abilities besides `generate` are listed in `capabilities`; calling a
 * missing one throws the error of `requireCapability`.
 */
export interface LanguageModel {
  /** Specification it was loaded by: a folder, the name of a model, an address. */
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** What runs it, for display: the engine and its device, or the server's address without its key. */
  readonly engine?: string | undefined;
  /** Maximum tokens of a prompt and its completion together; undefined if unknown. */
  readonly contextLength: number | undefined;
  /** Number of parameters; undefined if unknown. */
  readonly parameterCount: number | undefined;
  /**
   * Names of the operations that it was trained to do by their tags, without an instruction; see
   * `thoughtbook/operations`.
   */
  readonly operations?: ReadonlySet<string> | undefined;
  /**
   * False for a server that does not take the beginning of an answer ({@link ChatPrompt.answer}). Default: it is taken,
   * wherever chat is.
   */
  readonly takesAnswer?: boolean | undefined;
  /** SHA-256 of configuration and weights, for the records made with it; undefined if they are not accessible. */
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
  /** Count the tokens of a prompt. Capability `countTokens`. */
  countTokens(prompt: Prompt, options?: { signal?: AbortSignal | undefined }): Promise<number>;
  /** Free its memory, when the calls in progress have ended. */
  dispose(): Promise<void>;
}
