import { randomInt } from "node:crypto";
import {
  checkRequests,
  type Generation,
  type GenerationRequest,
  type NewToken,
  type ReadPrompt,
  type SubmitOptions,
} from "../model/index.js";
import { ApiError, badRequest } from "./api-error.js";
import type { CommonParameters } from "./parameters.js";
import type { ServedModel } from "./served-model.js";

/** Texts to generate for one request. */
export interface TextJob {
  served: ServedModel;
  prompts: readonly (readonly number[])[];
  /** Samples of each prompt. */
  samples: number;
  seed: number;
  requests: readonly GenerationRequest[];
  options: SubmitOptions;
}

export interface JobHooks {
  signal: AbortSignal;
  onToken?: (token: NewToken) => void;
  onFinish?: (text: Generation) => void;
  onPrompt?: (prompt: ReadPrompt) => void;
}

/** OpenAI's seeds are whole numbers; one that a JavaScript number holds exactly, so that it can be given back. */
const LARGEST_SEED = 2 ** 31;

/**
 * What a request asks of the engine. Without a seed one is drawn. The first prompt has the seed itself, so that its texts
 * are those of the local model; each other one has a seed of its own that follows from it.
 *
 * @throws ApiError 400
 */
export function createJob(
  served: ServedModel,
  prompts: readonly (readonly number[])[],
  parameters: CommonParameters & { maxNewTokens: number; topLogProbs: number },
): TextJob {
  const { model } = served;
  const { n, seed = randomInt(LARGEST_SEED), stop, top_k: topK } = parameters;
  const ends = [...(parameters.ignore_eos ? [] : model.endIds), ...(parameters.stop_token_ids ?? [])];
  const shared = {
    samples: n,
    maxNewTokens: parameters.maxNewTokens,
    topLogProbs: parameters.topLogProbs,
    stopIds: ends,
    stopStrings: typeof stop === "string" ? [stop] : (stop ?? []),
    temperature: parameters.temperature,
    topP: parameters.top_p,
    // vLLM's word for all tokens is -1 or 0.
    topK: topK === -1 ? 0 : topK,
    minP: parameters.min_p,
    repetitionPenalty: parameters.repetition_penalty,
  } satisfies Omit<GenerationRequest, "prompt">;
  const requests = prompts.map((prompt, i) => ({ ...shared, prompt, seed: i === 0 ? seed : `${seed} prompt ${i}` }));
  const options = { tokenizer: model.tokenizer, skipSpecialTokens: parameters.skip_special_tokens };
  return { served, prompts, samples: n, seed, requests, options };
}

/** @throws ApiError 400 for what the engine would refuse; so before a stream has begun */
export function checkJob({ served, requests, options }: TextJob): void {
  checkRequests(served.model.config, requests, options);
}

/** @throws ApiError, which the signal gives as its reason; execution */
export async function runJob(job: TextJob, { signal, ...hooks }: JobHooks): Promise<Generation[]> {
  try {
    return await job.served.generator.submit(job.requests, { ...job.options, signal, ...hooks });
  } catch (error) {
    throw signal.reason instanceof ApiError ? signal.reason : error;
  }
}

/**
 * Check that a text can be a prompt before it is cut into tokens, which for megabytes takes long.
 *
 * @throws ApiError 400
 */
export function checkTextLength({ model, longestToken }: ServedModel, characters: number, param: string): void {
  if (characters > model.config.maxPositions * longestToken) {
    throw tooLong(model.config.maxPositions, `more than ${model.config.maxPositions}`, param);
  }
}

/**
 * Check a prompt's length; `room` is how many tokens must fit behind it.
 *
 * @throws ApiError 400
 */
export function checkPromptLength({ model }: ServedModel, tokens: number, room: number, param: string): void {
  if (tokens === 0) throw badRequest("The prompt has no tokens.", param, "invalid_value");
  const { maxPositions } = model.config;
  if (tokens + room > maxPositions) throw tooLong(maxPositions, String(tokens), param);
}

function tooLong(context: number, tokens: string, param: string): ApiError {
  return badRequest(
    `This model's maximum context length is ${context} tokens, and the prompt has ${tokens}. Shorten it.`,
    param,
    "context_length_exceeded",
  );
}
