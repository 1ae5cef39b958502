import OpenAI from "openai";
import { type Agent, EnvHttpProxyAgent, fetch, type RequestInit, Response } from "undici";
import { ThoughtbookError } from "../../core/index.js";
import { readEvents, type StreamEvent } from "./events.js";

/** A body in JSON, before and after the wire. */
export type Json = Record<string, unknown>;

/** Connection to one server. */
export interface Connection {
  /** The address as the user gave it. It contains no secret. */
  readonly url: string;
  get(path: string, signal: AbortSignal): Promise<unknown>;
  post(path: string, body: Json, signal: AbortSignal): Promise<unknown>;
  /** Progress of an answer, with the number of its tokens from servers that report it. */
  stream(path: string, body: Json, signal: AbortSignal): Promise<AsyncIterable<StreamEvent>>;
}

export interface Connections {
  list: Connection[];
  close(): Promise<void>;
}

/** Maximum delay of a timer in Node: time-outs are our own. */
const NEVER = 2 ** 31 - 1;
/** Maximum size of an answer. */
const MAX_ANSWER_BYTES = 256 * 2 ** 20;

/**
 * Clients of the servers, through HTTPS_PROXY or HTTP_PROXY where these are set. They neither retry nor wait for a limited
 * time nor log: the client's own retries know one server only, its time-out ends with the headers of an answer, and its
 * log tells the text of a broken answer even at the default level. OPENAI_LOG switches the log on.
 */
export function connect(baseUrls: readonly string[], apiKey: string | undefined): Connections {
  const dispatcher = proxyAgent();
  const list = baseUrls.map((url): Connection => {
    const client = new OpenAI({
      baseURL: url,
      apiKey: apiKey ?? "none",
      // Without a key nothing is sent, and nothing of OpenAI's account goes to another server.
      ...(apiKey === undefined ? { defaultHeaders: { authorization: null } } : {}),
      ...(new URL(url).hostname === "api.openai.com" ? {} : { organization: null, project: null }),
      maxRetries: 0,
      timeout: NEVER,
      ...(process.env.OPENAI_LOG ? {} : { logLevel: "off" as const }),
      // The package's own Response and the global one of Node are the same class in two versions.
      fetch: (async (input: string, init: RequestInit) =>
        withMessage(await fetch(input, { ...init, dispatcher }))) as unknown as typeof globalThis.fetch,
    });
    let countsStreams = true;
    const open = (path: string, body: Json, signal: AbortSignal) => {
      const counted = countsStreams ? { stream_options: { include_usage: true } } : {};
      return client.post(path, { body: { ...body, stream: true, ...counted }, signal, stream: true }).asResponse();
    };
    return {
      url,
      get: async (path, signal) => parsed(await client.get<unknown>(path, { signal })),
      post: async (path, body, signal) => parsed(await client.post<unknown>(path, { body, signal })),
      async stream(path, body, signal) {
        const response = await open(path, body, signal).catch((error: unknown) => {
          if (!(countsStreams && refusesCounts(error))) throw error;
          countsStreams = false;
          return open(path, body, signal);
        });
        return readEvents(response.body!);
      },
    };
  });
  return { list, close: () => dispatcher.destroy() };
}

/** The client parses JSON only where the server says that it is JSON. */
const parsed = (answer: unknown): unknown =>
  typeof answer === "string" && /^\s*[{[]/.test(answer) ? JSON.parse(answer) : answer;

/** The client reads the words of a refusal from `error` only; other servers have `detail`, or none but the words. */
async function withMessage(response: Response): Promise<Response> {
  if (response.ok) return response;
  const text = await response.text();
  const { status, statusText } = response;
  const headers = { "content-type": "application/json" };
  for (const name of ["retry-after", "retry-after-ms"]) {
    const value = response.headers.get(name);
    if (value !== null) Object.assign(headers, { [name]: value });
  }
  return new Response(JSON.stringify({ error: refusalOf(text) }), { status, statusText, headers });
}

function refusalOf(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A page of a gateway, or a line of text.
    return text.trimStart().startsWith("<") ? undefined : { message: text };
  }
  if (typeof body !== "object" || body === null) return { message: String(body) };
  if ("error" in body && body.error) return typeof body.error === "string" ? { message: body.error } : body.error;
  if (!("detail" in body)) return body;
  const details: unknown[] = Array.isArray(body.detail) ? body.detail : [body.detail];
  return { message: details.map(wordsOfDetail).join("; ") };
}

/** A line of FastAPI's, or its place in the request with what is wrong there. */
function wordsOfDetail(detail: unknown): string {
  if (typeof detail !== "object" || detail === null) return String(detail);
  const { loc, msg } = detail as { loc?: unknown; msg?: unknown };
  return [Array.isArray(loc) ? loc.join(".") : "", String(msg ?? "")].filter(Boolean).join(": ");
}

/** Some servers refuse fields that they do not know. */
function refusesCounts(error: unknown): boolean {
  const { status, message } = error as { status?: unknown; message?: unknown };
  return (status === 400 || status === 422) && /stream_options|include_usage/.test(String(message));
}

function proxyAgent(): EnvHttpProxyAgent {
  const options: Agent.Options = {
    connectTimeout: 10_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
  };
  try {
    return new EnvHttpProxyAgent(options);
  } catch {
    // Without the cause: it shows the value, which may hold a password.
    throw new ThoughtbookError("bad-input", "HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy", {
      hint: "Set it to a URL such as http://proxy.example:3128, or unset it.",
    });
  }
}
