import { checkWhole, createRandom, type Random, ThoughtbookError, withoutUndefined } from "../../core/index.js";
import { isTensorData, type SessionOptions, type TensorData } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { checkIds } from "../network/model-inputs.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { resolveSampling, type Sampling, type SamplingOptions } from "./sampling.js";
import type { TokenLogProb } from "./sampling-top.js";

/** Options that may differ between requests; missing ones are taken from the options of the call. */
export interface RequestOptions extends SamplingOptions {
  /** Maximum new tokens. Default: 256. The end of the context ends the text earlier. */
  maxNewTokens?: number | undefined;
  /** Ids that end the text, as its last id. Default: the ids that end a text by the model's configuration. */
  stopIds?: readonly number[] | undefined;
  /** Strings that end the text, which is cut before them; they may begin and end within tokens. Needs a tokenizer. */
  stopStrings?: readonly string[] | undefined;
  /** Number of texts to generate, each from its own random stream. Default: 1. */
  samples?: number | undefined;
  /** Index of the first of them among all samples of the seed: earlier ones are not generated. Default: 0. */
  firstSample?: number | undefined;
  /**
   * Seed of the random numbers. Requests with a seed of their own get the same text at any index; others depend on the
   * seed of the call (default: 0) and on their index. Batches, padding and other requests have no influence.
   */
  seed?: number | string | undefined;
}

export interface GenerationRequest extends RequestOptions {
  /** Token ids, at least one, or embeddings `[time, hidden]`, such as a soft prompt followed by those of tokens. */
  prompt: readonly number[] | TensorData<"float32">;
  /** Also return this many of the most probable tokens for each new token. Default: 0. */
  topLogProbs?: number | undefined;
}

export interface GenerateOptions extends RequestOptions {
  /** Without a tokenizer there is no text, only ids. */
  tokenizer?: Tokenizer | undefined;
  /** Whether to omit special tokens from the text. Default: true. */
  skipSpecialTokens?: boolean | undefined;
  /** Maximum number of texts in progress at the same time. Default: 64. There are fewer where their keys and values would take above 1 GiB. */
  batchSize?: number | undefined;
  /** Aborts the work between two tokens, with an error. Texts finished before were passed to `onFinish`. */
  signal?: AbortSignal | undefined;
  /** Called with each piece of text as soon as it is certain. Needs a tokenizer. */
  onText?: ((piece: TextPiece) => void) | undefined;
  /** Called with each new token; before `onText`, where both are given. */
  onToken?: ((token: NewToken) => void) | undefined;
  /** Called with each prompt when it is read, before its first new token. */
  onPrompt?: ((prompt: ReadPrompt) => void) | undefined;
  /** Called with each text when it is complete, in the order in which they end. */
  onFinish?: ((generation: Generation) => void) | undefined;
  /**
   * Memory in bytes for keys and values of texts, which later texts that begin alike need not compute again. Default: 256
   * MiB a model. 0: only samples of one prompt share its computation.
   */
  prefixMemory?: number | undefined;
  /** Options of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** What reading a prompt took. */
export interface ReadPrompt {
  /** Index of the request. */
  request: number;
  /** Tokens of the prompt. */
  tokens: number;
  /** How many of them another text had before, so that they were not computed. */
  shared: number;
}

/** Identifies a text of a call: index of the request, and of the sample, both from 0. */
export interface GenerationPlace {
  request: number;
  sample: number;
}

export interface TextPiece extends GenerationPlace {
  /** The id that completed the piece; the last id again for what comes out at the end. */
  id: number;
  text: string;
}

export interface NewToken extends TextPiece {
  /** As in {@link Generation}. */
  logProb: number;
  /** As many as `topLogProbs` asks for. */
  top: readonly TokenLogProb[];
  /** The text that became certain with it; empty without a tokenizer. */
  text: string;
}

export interface Generation extends GenerationPlace {
  /** The new ids, including the one that ended the text. */
  ids: number[];
  /**
   * Natural logarithm of each id's probability under the model itself: before penalty, temperature and the filters of
   * sampling.
   */
  logProbs: number[];
  /** For each id the most probable alternatives, as many as `topLogProbs` requests, the best first; else empty. */
  top: (readonly TokenLogProb[])[];
  /** Text up to a stop string, or to the id that ended it; undefined without a tokenizer. */
  text: string | undefined;
  /** `stop`: a stop id or string came; `length`: there was no more room. */
  finishReason: "stop" | "length";
}

/** The part of a model's configuration that decides which requests are valid. */
export type RequestLimits = Pick<ModelConfig, "vocabularySize" | "hiddenSize" | "maxPositions" | "endIds">;

/** A request with all options resolved. */
export interface ResolvedRequest {
  index: number;
  prompt: readonly number[] | TensorData<"float32">;
  /** Tokens of the prompt. */
  length: number;
  /** Maximum new tokens, limited by the context. */
  limit: number;
  sampling: Sampling;
  stopIds: ReadonlySet<number>;
  stopStrings: readonly string[];
  samples: number;
  firstSample: number;
  topLogProbs: number;
  /** Random streams of all samples; undefined for greedy decoding. */
  random: Random | undefined;
}

const MAX_NEW_TOKENS = 256;

/**
 * Validate requests as `generate` does before any work, without the weights.
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

/** Resolve all options of the requests; throws what {@link checkRequests} throws. */
export function resolveRequests(
  config: RequestLimits,
  requests: readonly GenerationRequest[],
  options: GenerateOptions,
): ResolvedRequest[] {
  checkWhole("batchSize", options.batchSize, 1);
  checkWhole("prefixMemory", options.prefixMemory, 0);
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
    firstSample = 0,
    stopIds = config.endIds,
    stopStrings = [],
  } = { ...options, ...given };
  const { topLogProbs = 0 } = request;
  const length = promptLength(prompt, config, `the prompt of request ${index}`);
  checkWhole("maxNewTokens", maxNewTokens, 1);
  checkWhole("samples", samples, 1);
  checkWhole("firstSample", firstSample, 0);
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
    firstSample,
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
