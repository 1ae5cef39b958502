import OpenAI from "openai";
import { type Agent, EnvHttpProxyAgent, fetch, type RequestInit } from "undici";
import { ThoughtbookError } from "../../core/index.js";

/** A body in JSON, before and after the wire. */
export type Json = Record<string, unknown>;

/** The way to one server. */
export interface Connection {
  /** As the user gave it. It holds no secret. */
  readonly url: string;
  get(path: string, signal: AbortSignal): Promise<unknown>;
  post(path: string, body: Json, signal: AbortSignal): Promise<unknown>;
  /** The chunks of an answer as they come. It ends early, without an error, when the signal is aborted. */
  stream(path: string, body: Json, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
}

export interface Connections {
  list: Connection[];
  close(): Promise<void>;
}

/** The longest time a timer of Node can wait: time-outs are ours. */
const NEVER = 2 ** 31 - 1;
/** An answer larger than this is none. */
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
      // Without a key nothing is sent, and nothing of OpenAI's account to another server.
      ...(apiKey === undefined ? { defaultHeaders: { authorization: null } } : {}),
      ...(new URL(url).hostname === "api.openai.com" ? {} : { organization: null, project: null }),
      maxRetries: 0,
      timeout: NEVER,
      ...(process.env.OPENAI_LOG ? {} : { logLevel: "off" as const }),
      // The package's own Response and the global one of Node are the same class in two versions.
      fetch: ((input: string, init: RequestInit) =>
        fetch(input, { ...init, dispatcher })) as unknown as typeof globalThis.fetch,
    });
    return {
      url,
      get: (path, signal) => client.get<unknown>(path, { signal }),
      post: (path, body, signal) => client.post<unknown>(path, { body, signal }),
      stream: (path, body, signal) => client.post<AsyncIterable<unknown>>(path, { body, signal, stream: true }),
    };
  });
  return { list, close: () => dispatcher.destroy() };
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
