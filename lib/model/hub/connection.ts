import { setTimeout as sleep } from "node:timers/promises";
import { connectionReason, ThoughtbookError } from "../../core/index.js";

export interface ConnectionOptions {
  signal?: AbortSignal | undefined;
  /** How often to try, counting the first time. Default: 4. */
  attempts?: number | undefined;
  /** Pause before the second attempt, in milliseconds, doubled before each further one. Default: 500. */
  backoffMs?: number | undefined;
  /** Longest wait for the next bytes, in milliseconds. Default: 30,000. */
  idleTimeoutMs?: number | undefined;
}

/** Connection to the hub that HF_ENDPOINT names. */
export interface HubConnection {
  /** Without a slash at its end. */
  url: string;
  /**
   * Request a URL of the hub or where it redirects to. Resolves for successful responses only; else throws a
   * ThoughtbookError.
   */
  fetch: typeof fetch;
  /** Retry as long as the error is of the network. */
  patiently<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connect to the hub for a model, through HTTPS_PROXY or HTTP_PROXY where these are set. HF_TOKEN is sent to the hub
 * alone, never to where it redirects to, and appears in no message.
 *
 * @throws bad-input (HF_ENDPOINT is not the address of a hub)
 */
export async function connectHub(model: string, options: ConnectionOptions = {}): Promise<HubConnection> {
  const { signal, attempts = 4, backoffMs = 500, idleTimeoutMs = 30_000 } = options;
  const url = endpoint();
  const token = accessToken();
  const undici = await import("undici"); // Imported on demand: most models are in the cache.
  const timeouts = { connectTimeout: 10_000, headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs };
  const agent = orBadProxy(() => new undici.EnvHttpProxyAgent(timeouts));

  const hubFetch = async (target: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const address = new URL(target instanceof Request ? target.url : target);
    const headers = new Headers(init.headers);
    headers.set("user-agent", "thoughtbook");
    // The client's own option insists on tokens of huggingface.co, which those of other hubs need not look like.
    if (token && address.origin === new URL(url).origin) headers.set("authorization", `Bearer ${token}`);
    const request = { ...init, headers: Object.fromEntries(headers), dispatcher: agent, signal: signal ?? null };
    const response = await undici.fetch(address, request as import("undici").RequestInit).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw unreachable(url, cause);
    });
    // The package's own Response and the global one of Node are the same class in two versions.
    if (response.ok) return response as unknown as Response;
    await response.body?.cancel();
    throw refusal(response as unknown as Response, { model, url, hasToken: Boolean(token) });
  };

  return {
    url,
    fetch: hubFetch,
    async patiently(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await work();
        } catch (error) {
          const mayPass = error instanceof ThoughtbookError && error.code === "network";
          if (!mayPass || attempt >= attempts) throw error;
          await sleep(backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
        }
      }
    },
    close: () => agent.destroy(),
  };
}

function accessToken(): string | undefined {
  const token = process.env.HF_TOKEN?.trim();
  if (!token || /^[\x21-\x7e]+$/.test(token)) return token || undefined;
  throw new ThoughtbookError("bad-input", "HF_TOKEN holds characters that no token has", {
    hint: "Set it to a token of the hub, or unset it.",
  });
}

function orBadProxy<T>(makeAgent: () => T): T {
  try {
    return makeAgent();
  } catch {
    // Without the cause: it shows the value, which may hold a password.
    throw new ThoughtbookError("bad-input", "HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy", {
      hint: "Set it to a URL such as http://proxy.example:3128, or unset it.",
    });
  }
}

/** The address of the hub: HF_ENDPOINT, else huggingface.co. */
function endpoint(): string {
  const given = process.env.HF_ENDPOINT || "https://huggingface.co";
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password) {
    return given.replace(/\/+$/, "");
  }
  // The value is not shown: it may hold a password.
  throw new ThoughtbookError("bad-input", "HF_ENDPOINT is not an address that starts with https:// or http://", {
    hint: "Set it to the address of a hub, without name and password (these go to HF_TOKEN), or unset it.",
  });
}

/** The error of a connection that failed or broke. */
export function unreachable(url: string, cause: unknown): ThoughtbookError {
  const { code, message } = innermost(cause);
  return new ThoughtbookError("network", `cannot reach ${url}: ${connectionReason(code) ?? message}`, {
    hint: "Check the network (and HTTPS_PROXY, if you need a proxy), then run it again; or give a local folder.",
    cause,
  });
}

/** What lies behind fetch's "fetch failed". */
function innermost(error: unknown): { code?: string; message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  if (error.cause instanceof Error) return innermost(error.cause);
  const { code } = error as NodeJS.ErrnoException;
  return { message: error.message, ...(code !== undefined && { code }) };
}

interface Refused {
  model: string;
  url: string;
  hasToken: boolean;
}

/** Classify a response that is not a success; the hub distinguishes the cases by X-Error-Code. */
function refusal({ status, headers }: Response, { model, url, hasToken }: Refused): ThoughtbookError {
  const reason = headers.get("x-error-code");
  const answer = `${url} answers ${status}`;
  const isAboutModel = status === 401 || status === 403 || status === 404;
  if (!isAboutModel) {
    return new ThoughtbookError("network", `cannot download ${model}: ${answer}`, { hint: "Try again later." });
  }
  if (reason === "GatedRepo" || status === 403) {
    return new ThoughtbookError("bad-input", `${model} may not be read without permission: ${answer}`, {
      hint: `Accept its conditions at ${url}/${model}, and set HF_TOKEN to a token of that account.`,
    });
  }
  if (reason === "RevisionNotFound") {
    return new ThoughtbookError("not-found", `${model} has no such revision: ${answer}`, {
      hint: "Check the branch, tag or commit after the @.",
    });
  }
  if (reason === "EntryNotFound") {
    return new ThoughtbookError("not-found", `a file of ${model} has gone: ${answer}`, { hint: "Try again." });
  }
  if (status === 401 && hasToken && reason !== "RepoNotFound") {
    return new ThoughtbookError("bad-input", `HF_TOKEN is not accepted: ${answer}`, {
      hint: `Set it to a valid token (see ${url}/settings/tokens), or unset it.`,
    });
  }
  // Without a token, the hub does not distinguish a private model from one that does not exist.
  const other = hasToken ? "" : "; if it is private, set HF_TOKEN";
  return new ThoughtbookError("not-found", `there is no folder and no model ${model}: ${answer}`, {
    hint: `Check the name${other}.`,
  });
}
