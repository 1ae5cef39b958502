import { checkWhole, createRandom, type Random, ThoughtbookError, withoutUndefined } from "../../core/index.js";
import { isTensorData, type SessionOptions, type TensorData } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { checkIds } from "../network/model-inputs.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { resolveSampling, type Sampling, type SamplingOptions } from "./sampling.js";
import type { TokenLogProb } from "./sampling-top.js";

/** What may differ from request to request; what a request leaves out it takes from the call's options. */
export interface RequestOptions extends SamplingOptions {
  /** The most new tokens. Default: 256. Where the context ends before, so does the text. */
  maxNewTokens?: number | undefined;
  /** Each of these ends the text, as its last id. Default: the ids that end a text by the model's configuration. */
  stopIds?: readonly number[] | undefined;
  /** Each of these ends the text, which is cut before it; it may begin and end within tokens. Needs a tokenizer. */
  stopStrings?: readonly string[] | undefined;
  /** How many texts to generate, each with its own random numbers. Default: 1. */
  samples?: number | undefined;
  /**
   * Where the random numbers come from: requests with a seed of their own get the same text wherever they stand, others
   * depend on the seed of the call (default: 0) and on their place in the list. Not on batches, padding or other requests.
   */
  seed?: number | string | undefined;
}

export interface GenerationRequest extends RequestOptions {
  /** Token ids, at least one, or embeddings `[time, hidden]`, such as a soft prompt with those of tokens behind it. */
  prompt: readonly number[] | TensorData<"float32">;
  /** For each new token so many of the most probable ones are told as well. Default: 0. */
  topLogProbs?: number | undefined;
}

export interface GenerateOptions extends RequestOptions {
  /** Without one there is no text, only ids. */
  tokenizer?: Tokenizer | undefined;
  /** Whether special tokens are left out of the text. Default: true. */
  skipSpecialTokens?: boolean | undefined;
  /** The most texts in work at a time. Default: 64, or fewer where their keys and values would take above 1 GiB. */
  batchSize?: number | undefined;
  /** Ends the work between two tokens, with an error. What was finished before went to `onFinish`. */
  signal?: AbortSignal | undefined;
  /** Called with each piece of text as soon as it is certain. Needs a tokenizer. */
  onText?: ((piece: TextPiece) => void) | undefined;
  /** Called with each new token; before `onText`, where both are given. */
  onToken?: ((token: NewToken) => void) | undefined;
  /** Called with each text when it is complete, in the order in which they end. */
  onFinish?: ((generation: Generation) => void) | undefined;
  /** Of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** Which text of a call: a request, by its place in the list, and one of its samples, both from 0. */
export interface GenerationPlace {
  request: number;
  sample: number;
}

export interface TextPiece extends GenerationPlace {
  /** The id that brought the piece; the last one again for what comes out at the end. */
  id: number;
  text: string;
}

export interface NewToken extends TextPiece {
  /** As in {@link Generation}. */
  logProb: number;
  /** As many as `topLogProbs` asks for. */
  top: readonly TokenLogProb[];
  /** The text that is certain with it; empty without a tokenizer. */
  text: string;
}

export interface Generation extends GenerationPlace {
  /** The new ids, with the one that ended the text. */
  ids: number[];
  /**
   * For each id the natural logarithm of its probability under the model itself: before penalty, temperature and the
   * filters of sampling.
   */
  logProbs: number[];
  /** For each id the most probable ones in its place, as many as `topLogProbs` asks for, the best first; else empty. */
  top: (readonly TokenLogProb[])[];
  /** Up to a stop string, or to the id that ended it; undefined without a tokenizer. */
  text: string | undefined;
  /** `stop`: a stop id or string came; `length`: there was no more room. */
  finishReason: "stop" | "length";
}

/** What of a model's configuration decides which requests it takes. */
export type RequestLimits = Pick<ModelConfig, "vocabularySize" | "hiddenSize" | "maxPositions" | "endIds">;

/** A request with all options known. */
export interface ResolvedRequest {
  index: number;
  prompt: readonly number[] | TensorData<"float32">;
  /** Tokens of the prompt. */
  length: number;
  /** The most new tokens, with the context's end in mind. */
  limit: number;
  sampling: Sampling;
  stopIds: ReadonlySet<number>;
  stopStrings: readonly string[];
  samples: number;
  topLogProbs: number;
  /** The random numbers of all samples; undefined where none are drawn. */
  random: Random | undefined;
}

const MAX_NEW_TOKENS = 256;

/**
 * Check requests as `generate` does before any work, without the weights.
 *
 * @throws bad-input for an empty prompt, an id outside the vocabulary, a prompt that leaves no room in the context, or an
 *   option out of its range
 */
export function checkRequests(
  config: RequestLimits,
  requests: readonly GenerationRequest[],
  options: GenerateOptions = {},
): void {
  resolveRequests(config, requests, options);
}

/** The requests with all options known; throws as {@link checkRequests}. */
export function resolveRequests(
  config: RequestLimits,
  requests: readonly GenerationRequest[],
  options: GenerateOptions,
): ResolvedRequest[] {
  checkWhole("batchSize", options.batchSize, 1);
  if (options.onText && !options.tokenizer) throw needsTokenizer("streaming text");
  return requests.map((request, index) => resolveRequest(config, request, index, options));
}

function resolveRequest(
  config: RequestLimits,
  request: GenerationRequest,
  index: number,
  options: GenerateOptions,
): ResolvedRequest {
  const { prompt } = request;
  const given = withoutUndefined(request);
  const {
    maxNewTokens = MAX_NEW_TOKENS,
    samples = 1,
    stopIds = config.endIds,
    stopStrings = [],
  } = { ...options, ...given };
  const { topLogProbs = 0 } = request;
  const length = promptLength(prompt, config, `the prompt of request ${index}`);
  checkWhole("maxNewTokens", maxNewTokens, 1);
  checkWhole("samples", samples, 1);
  checkWhole("topLogProbs", topLogProbs, 0);
  if (stopStrings.includes("")) {
    throw new ThoughtbookError("bad-input", "a stop string is empty", {
      hint: "It would end every text at once: leave it out.",
    });
  }
  if (stopStrings.length > 0 && !options.tokenizer) throw needsTokenizer("a stop string");
  const room = config.maxPositions - length;
  if (room < 1) {
    throw new ThoughtbookError(
      "bad-input",
      `the prompt of request ${index} has ${length} tokens, which leaves no room in the model's context of ${config.maxPositions}`,
      { hint: "Shorten the prompt, or choose a model with a longer context." },
    );
  }
  const sampling = resolveSampling({ ...options, ...given });
  return {
    index,
    prompt,
    length,
    limit: Math.min(maxNewTokens, room),
    sampling,
    stopIds: new Set(stopIds),
    stopStrings,
    samples,
    topLogProbs,
    random: sampling.temperature === 0 ? undefined : randomOf(request.seed, options.seed, index),
  };
}

function randomOf(own: RequestOptions["seed"], common: RequestOptions["seed"], index: number): Random {
  return own === undefined ? createRandom(common ?? 0).stream(`request ${index}`) : createRandom(own);
}

function promptLength(prompt: GenerationRequest["prompt"], config: RequestLimits, what: string): number {
  if (!isTensorData(prompt)) {
    if (prompt.length === 0) {
      throw new ThoughtbookError("bad-input", `${what} is empty`, {
        hint: "Give at least one token, such as the one that begins a text.",
      });
    }
    checkIds(prompt, config, what);
    return prompt.length;
  }
  const [time, width] = prompt.shape;
  const fits = prompt.shape.length === 2 && time! > 0 && width === config.hiddenSize && prompt.dtype === "float32";
  if (fits) return time!;
  throw new ThoughtbookError(
    "bad-input",
    `${what} is ${prompt.dtype} [${prompt.shape.join(", ")}], expected float32 [time, ${config.hiddenSize}]`,
    { hint: "Give one embedding of the model's width a token." },
  );
}

function needsTokenizer(what: string): ThoughtbookError {
  return new ThoughtbookError("bad-input", `${what} needs a tokenizer, and none was given`, {
    hint: "Pass the model's tokenizer (loadTokenizer), or work with ids alone.",
  });
}
