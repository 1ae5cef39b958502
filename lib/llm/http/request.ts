import { badInput, checkWhole, sha256, type ThoughtbookError, withoutUndefined } from "../../core/index.js";
import { type RequestOptions, resolveSampling } from "../../model/index.js";
import { requireCapability } from "../capabilities.js";
import type { ChatPrompt, GenerateTextOptions, IdPrompt, Prompt, TextRequest } from "../language-model.js";
import type { TokenCount } from "./budget.js";
import type { Json } from "./connection.js";
import type { HttpServer } from "./server.js";

/** A request as the server takes it, except for `n`, `seed` and the fields of streams. */
export interface WireRequest {
  endpoint: "completions" | "chat";
  prompt: Prompt;
  body: Json;
  samples: number;
  /** Index of the first of them among the samples of the seed. */
  firstSample: number;
  /** Seed of sample 0; undefined if none was given, and if nothing is sampled. */
  seed: number | undefined;
  /** Whether the same request gives the same text. */
  repeats: boolean;
  /** Maximum usage of one sample. */
  most: TokenCount;
  /** Texts that no message may repeat. */
  secrets: readonly string[];
}

const PATHS = { completions: "/completions", chat: "/chat/completions" };

export const pathOf = ({ endpoint }: Pick<WireRequest, "endpoint">): string => PATHS[endpoint];

/**
 * Validate a request and write it for a server.
 *
 * @throws bad-input for what this server cannot do, and for an option out of its range
 */
export function wireRequest(
  server: HttpServer,
  { prompt, ...own }: TextRequest,
  index: number,
  call: GenerateTextOptions,
): WireRequest {
  const options: RequestOptions = { ...call, ...withoutUndefined(own) };
  const { maxNewTokens = 256, samples = 1, firstSample = 0, stopStrings = [], stopIds } = options;
  checkWhole("maxNewTokens", maxNewTokens, 1);
  checkWhole("samples", samples, 1);
  checkWhole("firstSample", firstSample, 0);
  const { dialect } = server;
  if (stopStrings.includes("")) {
    throw badInput("a stop string is empty", "It would end every text at once: leave it out.");
  }
  if (stopStrings.length > dialect.maxStopStrings) {
    throw lacking(server, `more than ${dialect.maxStopStrings} stop strings`, "Give fewer.");
  }
  if (stopIds && !dialect.stopIds) {
    throw lacking(server, "stopIds", "Give stopStrings instead.");
  }
  const written = writePrompt(server, prompt);
  const sampling = samplingFields(server, options);
  const limit = Math.min(maxNewTokens, roomFor(server, prompt, index) ?? maxNewTokens);
  const greedy = sampling.temperature === 0;
  const { tokenIds } = dialect;
  const logProbs = written.endpoint === "chat" ? { logprobs: true } : { logprobs: 1 };
  return {
    ...written,
    prompt,
    body: {
      ...server.body,
      model: server.model,
      ...written.body,
      ...sampling,
      [dialect.maxTokens]: limit,
      ...(stopStrings.length > 0 ? { stop: stopStrings } : {}),
      // A given list takes the place of the model's own end.
      ...(stopIds ? { stop_token_ids: stopIds, ignore_eos: true } : {}),
      ...(tokenIds ? { return_token_ids: true, ...logProbs } : {}),
    },
    samples,
    firstSample,
    seed: greedy ? undefined : wireSeed(own.seed, call.seed, index),
    repeats: greedy || own.seed !== undefined || call.seed !== undefined,
    most: { prompt: estimateTokens(written.secrets, prompt), completion: limit },
    secrets: [...written.secrets, ...stopStrings],
  };
}

function samplingFields(server: HttpServer, options: RequestOptions): Json {
  const { filters, neutral, penaltyWindow } = server.dialect;
  const sampling = resolveSampling(options);
  const fields: Json = { ...neutral };
  if (sampling.temperature !== 1) fields.temperature = sampling.temperature;
  if (sampling.topP !== 1) fields.top_p = sampling.topP;
  const none = { topK: 0, minP: 0, repetitionPenalty: 1 };
  for (const [option, off] of Object.entries(none) as [keyof typeof none, number][]) {
    if (sampling[option] === off) continue;
    const field = filters[option];
    if (field === undefined) throw lacking(server, option, "Leave it out, or choose another server.");
    fields[field] = sampling[option];
  }
  if (penaltyWindow !== undefined) fields[penaltyWindow] = server.contextLength ?? LONG_WINDOW;
  return fields;
}

/** Tokens; servers reserve memory for them. */
const LONG_WINDOW = 2 ** 16;

interface WrittenPrompt {
  endpoint: "completions" | "chat";
  body: Json;
  secrets: readonly string[];
}

function writePrompt(server: HttpServer, prompt: Prompt): WrittenPrompt {
  const { dialect } = server;
  if (typeof prompt === "string") {
    if (server.textPrompts === "completions") return { endpoint: "completions", body: { prompt }, secrets: [prompt] };
    return writeChat(server, { messages: [{ role: "user", content: prompt }] });
  }
  if ("embeddings" in prompt) {
    requireCapability(server, "softPrompts");
  } else if ("ids" in prompt) {
    if (!dialect.idPrompts) requireCapability(server, "tokenIds");
    checkIdPrompt(prompt);
    return { endpoint: "completions", body: { prompt: prompt.ids }, secrets: [prompt.ids.join(", ")] };
  }
  return writeChat(server, prompt as ChatPrompt);
}

function writeChat(server: HttpServer, prompt: ChatPrompt): WrittenPrompt {
  const body = chatFields(server, prompt);
  const contents = prompt.messages.map(({ content }) => content);
  return { endpoint: "chat", body, secrets: prompt.answer ? [...contents, prompt.answer] : contents };
}

/** A conversation in the fields that the chat endpoint and vLLM's /tokenize share. */
export function chatFields(server: HttpServer, { messages, answer, variables }: ChatPrompt): Json {
  requireCapability(server, "chat");
  const { dialect } = server;
  if (messages.length === 0) {
    throw badInput("a conversation has no message", "Give one at least.");
  }
  if (answer && !dialect.answerPrefix) {
    throw lacking(server, "the beginning of an answer", "Put what you want of it into the conversation.");
  }
  if (variables && Object.keys(variables).length > 0 && !dialect.templateVariables) {
    throw lacking(server, "variables of the chat template", "Leave them out.");
  }
  return {
    messages: answer ? [...messages, { role: "assistant", content: answer }] : messages,
    ...(answer ? { continue_final_message: true, add_generation_prompt: false } : {}),
    ...(variables ? { chat_template_kwargs: variables } : {}),
  };
}

/** The error of an option that a server lacks. */
function lacking({ name, dialect }: HttpServer, what: string, hint: string): ThoughtbookError {
  return badInput(`${name} (${dialect.title}) does not take ${what}`, hint);
}

/** Tokens left in the context after a prompt; undefined where they cannot be counted here. */
function roomFor({ contextLength }: HttpServer, prompt: Prompt, index: number): number | undefined {
  if (contextLength === undefined || typeof prompt === "string" || !("ids" in prompt)) return undefined;
  const room = contextLength - prompt.ids.length;
  if (room > 0) return room;
  throw badInput(
    `the prompt of request ${index} has ${prompt.ids.length} tokens, which leaves no room in the model's context of ${contextLength}`,
    "Shorten the prompt, or choose a model with a longer context.",
  );
}

export function checkIdPrompt({ ids }: IdPrompt): void {
  if (ids.length > 0 && ids.every((id) => Number.isSafeInteger(id) && id >= 0)) return;
  throw badInput("a prompt of ids is empty, or holds what is no id", "Give whole numbers from 0, one at least.");
}

/** Round up: a budget that reserves too little is exceeded. */
function estimateTokens(texts: readonly string[], prompt: Prompt): number {
  if (typeof prompt === "object" && "ids" in prompt) return prompt.ids.length;
  return texts.reduce((total, text) => total + Math.ceil(Buffer.byteLength(text) / 3) + 8, 0);
}

/** Seeds from 0 up to this bound are accepted by all servers. */
const SEEDS = 2 ** 31;

/**
 * The seed of a request's first sample: its own if that is a whole number from 0, unchanged; else one derived from its
 * own or the call's seed and its index.
 */
function wireSeed(own: RequestOptions["seed"], common: RequestOptions["seed"], index: number): number | undefined {
  if (own === undefined) return common === undefined ? undefined : derivedSeed([common, `request ${index}`]);
  return typeof own === "number" && Number.isInteger(own) && own >= 0 && own < SEEDS ? own : derivedSeed([own]);
}

/**
 * The seed of the samples from an index on, when they are requested separately.
 *
 * @param again how often the server returned too few before
 */
export const seedOfSamples = (seed: number | undefined, sample: number, again: number): number | undefined =>
  seed === undefined || (sample === 0 && again === 0) ? seed : derivedSeed([seed, `sample ${sample}`, again]);

const derivedSeed = (path: readonly (number | string)[]): number =>
  Number.parseInt(sha256(JSON.stringify(path)).slice(0, 8), 16) % SEEDS;
