import { randomBytes } from "node:crypto";
import type { Generation, NewToken, ReadPrompt } from "../model/index.js";
import { type ActiveRequest, clientGone } from "./active-requests.js";
import { errorBody, toApiError } from "./api-error.js";
import type { RequestContext, Service } from "./context.js";
import { openEventStream } from "./event-stream.js";
import type { StreamOptions } from "./parameters.js";
import { type Account, noteRefusal } from "./request-log.js";
import type { ServedModel } from "./served-model.js";
import { runJob, type TextJob } from "./text-job.js";

/** How the texts of a request are sent to the client. */
export interface Answer {
  served: ServedModel;
  /** What there is to generate; undefined for an echo of the prompt alone. */
  job: TextJob | undefined;
  /** Texts that are asked for. */
  texts: number;
  promptTokens: number;
  stream: boolean;
  streamOptions: StreamOptions | undefined;
  /** Work before the texts. */
  prepare?(signal: AbortSignal): Promise<void>;
  /** The choices of the whole answer, and further fields. */
  whole(texts: readonly Generation[]): object;
  /** The same in pieces: what is sent before any token, for each token, and for each complete text. */
  first(): object[];
  token(token: NewToken): object | undefined;
  last(text: Generation): object;
}

/** What an answer is called. */
export interface AnswerHead {
  id: string;
  object: string;
  /** The object of a stream's events. */
  chunk: string;
}

/** Generate the texts of a request and send them, at once or as they come. Throws ApiError before anything is sent. */
export async function sendAnswer(
  context: RequestContext,
  service: Service,
  answer: Answer,
  head: AnswerHead,
): Promise<Response> {
  const { served, job, stream } = answer;
  const account = context.get("account");
  account.model = served.id;
  account.promptTokens = answer.promptTokens;
  const fields = {
    id: head.id,
    object: stream ? head.chunk : head.object,
    created: Math.floor(Date.now() / 1000),
    model: served.id,
    system_fingerprint: served.hash === undefined ? null : `fp_${served.hash.slice(0, 12)}`,
  };
  if (job) context.header("x-thoughtbook-seed", String(job.seed));
  const work = beginWork(context, service, answer);
  let streams = false;
  try {
    await answer.prepare?.(work.signal);
    if (stream) {
      streams = true;
      return streamAnswer(context, service, answer, fields, work);
    }
    const cached = countCached();
    const texts = job ? await runJob(job, { signal: work.signal, onPrompt: cached.onPrompt }) : [];
    return context.json({ ...fields, ...answer.whole(texts), usage: usageOf(answer, texts, account, cached.tokens) });
  } catch (error) {
    throw work.signal.aborted ? work.signal.reason : error;
  } finally {
    if (!streams) work.end();
  }
}

/** Take places in the queue, and notice when the client leaves. */
function beginWork(context: RequestContext, { active, options }: Service, { served, texts }: Answer): ActiveRequest {
  const { outgoing } = context.env;
  const free = served.reserve(texts);
  try {
    const request = active.begin(options.timeout);
    const leave = () => request.abort(clientGone());
    if (outgoing.destroyed) leave();
    outgoing.once("close", leave);
    return {
      ...request,
      end() {
        outgoing.off("close", leave);
        request.end();
        free();
      },
    };
  } catch (error) {
    free();
    throw error;
  }
}

function streamAnswer(
  context: RequestContext,
  service: Service,
  answer: Answer,
  fields: object,
  work: ActiveRequest,
): Response {
  const { job, streamOptions } = answer;
  const includeUsage = streamOptions?.include_usage ?? false;
  // As vLLM has it, usage in each event needs usage at all.
  const everyUsage = includeUsage && (streamOptions?.continuous_usage_stats ?? false);
  const account = context.get("account");
  const events = openEventStream({
    limit: service.options.streamLimit,
    stallTimeout: service.options.stallTimeout,
    onLost(reason) {
      work.abort(clientGone());
      if (reason === "slow") context.env.outgoing.destroy();
    },
  });
  const send = (event: object) => {
    const usage = everyUsage ? usageFields(answer.promptTokens, account.completionTokens) : null;
    const whole = { ...fields, ...event, ...(includeUsage ? { usage } : {}) };
    events.send(streamOptions?.include_obfuscation ? obfuscated(whole) : whole);
  };
  const onToken = (token: NewToken) => {
    account.completionTokens++;
    const event = answer.token(token);
    if (event) send(event);
  };
  const generate = async () => {
    try {
      for (const event of answer.first()) send(event);
      const onFinish = (text: Generation) => send(answer.last(text));
      const cached = countCached();
      const hooks = { signal: work.signal, onToken, onFinish, onPrompt: cached.onPrompt };
      const texts = job ? await runJob(job, hooks) : [];
      if (includeUsage) events.send({ ...fields, choices: [], usage: usageOf(answer, texts, account, cached.tokens) });
    } catch (error) {
      const told = toApiError(error);
      noteRefusal(account, told);
      if (told.status === 500) service.fault(error);
      events.send(errorBody(told));
    } finally {
      events.end();
      work.end();
    }
  };
  void generate();
  return context.body(events.body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    // Proxies would collect the events.
    "x-accel-buffering": "no",
  });
}

/** Counts the tokens of prompts that were not computed, as other texts had begun with them. */
function countCached(): { readonly tokens: number; onPrompt(prompt: ReadPrompt): void } {
  let tokens = 0;
  return {
    get tokens() {
      return tokens;
    },
    onPrompt: ({ shared }) => {
      tokens += shared;
    },
  };
}

function usageOf({ promptTokens }: Answer, texts: readonly Generation[], account: Account, cached: number): object {
  const completionTokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  account.completionTokens = completionTokens;
  return { ...usageFields(promptTokens, completionTokens), prompt_tokens_details: { cached_tokens: cached } };
}

const usageFields = (promptTokens: number, completionTokens: number): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

/** Events are padded to multiples of this many characters. */
const BLOCK = 128;

/** Random characters hide the length of an event's text from who sees only the sizes of packets, as OpenAI does it. */
function obfuscated(event: object): object {
  const size = JSON.stringify({ ...event, obfuscation: "" }).length;
  const missing = BLOCK - (size % BLOCK);
  return { ...event, obfuscation: randomBytes(missing).toString("base64url").slice(0, missing) };
}
