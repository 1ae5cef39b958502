import { ThoughtbookError, withoutUndefined } from "../core/index.js";

/** Log entry of a request that has ended; never what was asked or answered. */
export interface RequestRecord {
  method: string;
  /** The route, not the path: "/v1/models/:id"; "no such route" for others. */
  route: string;
  /** The path without its query; "…" stands for parts that do not look like names. */
  path: string;
  status: number;
  /** Code and parameter of an error that was sent to the client. */
  code: string | undefined;
  param: string | undefined;
  /** Whether the connection ended before the answer was complete. */
  aborted: boolean;
  milliseconds: number;
  model: string | undefined;
  promptTokens: number;
  completionTokens: number;
}

export interface ServeOptions {
  /** Address to listen on. Default: 127.0.0.1. One that others can reach needs an API key. */
  host?: string | undefined;
  /** Default: 8000; 0 takes a free port. */
  port?: number | undefined;
  /** What clients must send as `Authorization: Bearer KEY`. */
  apiKey?: string | undefined;
  /** Maximum number of texts in progress at the same time, of one model. Default: the generator's. */
  batchSize?: number | undefined;
  /** Maximum texts of one model that are in progress or waiting; above it the answer is 429. Default: 512. */
  maxTexts?: number | undefined;
  /** Maximum bytes of a request. Default: 4 MiB. */
  bodyLimit?: number | undefined;
  /** Milliseconds within which a request must arrive. Default: 30,000. */
  receiveTimeout?: number | undefined;
  /** Milliseconds within which a request must be answered completely. Default: 600,000. */
  timeout?: number | undefined;
  /** Milliseconds that a client may leave a stream unread. Default: 30,000. */
  stallTimeout?: number | undefined;
  /** Maximum bytes of a stream that wait for a slow client. Default: 1 MiB. */
  streamLimit?: number | undefined;
  /** Maximum connections. Default: 1024. */
  maxConnections?: number | undefined;
  /** Called when a request has ended. */
  onRequest?: ((record: RequestRecord) => void) | undefined;
  /** Called with errors that are no fault of a client. Their messages may hold parts of a prompt. */
  onFault?: ((error: unknown) => void) | undefined;
}

type Numbers = "port" | "maxTexts" | "bodyLimit" | "receiveTimeout" | "timeout" | "stallTimeout" | "streamLimit";

const DEFAULTS = {
  port: 8000,
  maxTexts: 512,
  bodyLimit: 4 * 2 ** 20,
  receiveTimeout: 30_000,
  timeout: 600_000,
  stallTimeout: 30_000,
  streamLimit: 2 ** 20,
  maxConnections: 1024,
} as const satisfies Record<Numbers | "maxConnections", number>;

export type ResolvedOptions = Omit<ServeOptions, keyof typeof DEFAULTS | "host"> &
  Record<keyof typeof DEFAULTS, number> & { host: string };

/**
 * Check options and fill in defaults.
 *
 * @throws bad-input for a value out of its range, or an address that others can reach without an API key
 */
export function resolveOptions({ host = "127.0.0.1", ...options }: ServeOptions): ResolvedOptions {
  const resolved: ResolvedOptions = { ...DEFAULTS, ...withoutUndefined(options), host };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = resolved[name];
    const [least, most] = name === "port" ? [0, 65535] : [1, 2 ** 31 - 1];
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw new ThoughtbookError("bad-input", `${name} is ${value}, expected a whole number from ${least} to ${most}`, {
      hint: "Correct the option.",
    });
  }
  const { apiKey } = resolved;
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new ThoughtbookError("bad-input", "the API key is empty, or has characters that a header cannot hold", {
      hint: "Take letters and digits, such as the output of `openssl rand -hex 24`.",
    });
  }
  if (apiKey === undefined && !isLoopback(host)) {
    throw new ThoughtbookError("bad-input", `others can reach ${host}, and there is no API key`, {
      hint: "Set THOUGHTBOOK_API_KEY (or --api-key), or listen on 127.0.0.1.",
    });
  }
  return resolved;
}

/** Whether only this machine can reach an address, by its name: `localhost`, 127.x.x.x or ::1. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
