import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { badInput, fileSystemError, ThoughtbookError } from "./errors.js";
import { acquireLock } from "./file-lock.js";
import { sha256File } from "./hash.js";
import { checkInterrupt, interruptible } from "./interrupt.js";

/** Progress of a download. `totalBytes` is missing if the server does not say. */
export interface DownloadProgress {
  receivedBytes: number;
  totalBytes?: number;
}

export interface DownloadOptions {
  /** Expected SHA-256 of the whole file, hexadecimal. */
  sha256?: string | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Longest wait for a connection, in milliseconds. Default: 10,000. */
  connectTimeoutMs?: number | undefined;
  /** Longest wait for the next bytes, in milliseconds. Default: 30,000. */
  idleTimeoutMs?: number | undefined;
  /** How often to try, counting the first time. Default: 4. */
  attempts?: number | undefined;
  /** Pause before the second attempt, in milliseconds, doubled before each further one. Default: 500. */
  backoffMs?: number | undefined;
}

/** State shared by the attempts of one download. */
interface Transfer {
  url: string;
  /** Partial file; `${part}.json` beside it records what it is a part of. */
  part: string;
  request: (headers: Record<string, string>) => Promise<Dispatcher.ResponseData>;
  onProgress: DownloadOptions["onProgress"];
}

/** Why an attempt failed, where another one may succeed. */
interface Setback {
  error: ThoughtbookError;
  waitMs?: number | undefined;
}

/** Give up on a server that asks to wait longer than this. */
const LONGEST_WAIT_MS = 120_000;

/**
 * Download a file over HTTP(S), through HTTPS_PROXY or HTTP_PROXY where these are set. Its folder is made if missing;
 * an interrupted download resumes where it stopped; the file appears only when it is complete and its checksum right.
 * Nothing is requested if the file is there already (with the right checksum, if one is given).
 *
 * @throws network, not-found (the server has no such file), corrupt-data (wrong checksum), file-system, interrupted,
 *   bad-input
 */
export async function download(url: string, file: string, given: DownloadOptions = {}): Promise<void> {
  const options = { ...given, signal: interruptible(given.signal) };
  const { sha256, signal } = options;
  if (!/^https?:/i.test(url) || !URL.canParse(url)) {
    throw badInput(`${url} is not a URL that starts with http:// or https://`, "Check the address.");
  }
  try {
    signal?.throwIfAborted();
    if (await isComplete(file, sha256)) return;
    await mkdir(dirname(file), { recursive: true }).catch(failing("make the folder", dirname(file)));
    const release = await acquireLock(`${file}.lock`, signal);
    try {
      // Another process may have finished it while this one waited for the lock.
      if (await isComplete(file, sha256)) return;
      const part = `${file}.part`;
      await transferPatiently(url, part, options);
      if (sha256 !== undefined) await verify(url, part, sha256);
      await rename(part, file).catch(failing("write", file));
      await rm(`${part}.json`, { force: true });
    } finally {
      await release();
    }
  } catch (error) {
    checkInterrupt(signal, `the download of ${url}`, "Run it again: it goes on where it stopped.");
    throw error;
  }
}

async function isComplete(file: string, sha256: string | undefined): Promise<boolean> {
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile && (sha256 === undefined || (await sha256File(file)) === sha256.toLowerCase());
}

async function verify(url: string, part: string, sha256: string): Promise<void> {
  const received = await sha256File(part);
  if (received === sha256.toLowerCase()) return;
  await discard(part);
  throw new ThoughtbookError(
    "corrupt-data",
    `${url} has the wrong checksum: expected SHA-256 ${sha256}, received ${received}`,
    { hint: "Download it again; if the checksum stays the same, the file at that address has changed." },
  );
}

async function transferPatiently(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { connectTimeoutMs = 10_000, idleTimeoutMs = 30_000, attempts = 4, backoffMs = 500 } = options;
  const { onProgress, signal } = options;
  const { EnvHttpProxyAgent, interceptors, request } = await import("undici"); // Loaded on demand: most runs do without its 0.1 s.
  const timeouts = { connectTimeout: connectTimeoutMs, headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs };
  const agent = orBadProxy(() => new EnvHttpProxyAgent(timeouts));
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  const transfer: Transfer = {
    url,
    part,
    request: (headers) => request(url, { dispatcher, headers, signal: signal ?? null }),
    onProgress,
  };
  try {
    for (let attempt = 1; ; attempt++) {
      const setback = await tryTransfer(transfer);
      if (setback === undefined) return;
      signal?.throwIfAborted();
      const waitMs = setback.waitMs ?? backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random());
      if (attempt >= attempts || waitMs > LONGEST_WAIT_MS) throw setback.error;
      await sleep(waitMs, undefined, { signal });
    }
  } finally {
    await agent.destroy();
  }
}

async function tryTransfer(transfer: Transfer): Promise<Setback | undefined> {
  try {
    return await transferOnce(transfer);
  } catch (error) {
    // Node and undici give their connection errors a code; others, such as a caller's onProgress, are passed on.
    const code = (error as { code?: unknown } | undefined)?.code;
    if (error instanceof ThoughtbookError || typeof code !== "string") throw error;
    return { error: connectionError(transfer.url, code, error) };
  }
}

/** Send one request and write its body, appended to the partial file if the server resumes there. */
async function transferOnce(transfer: Transfer): Promise<Setback | undefined> {
  const { url, part, request, onProgress } = transfer;
  const known = await readPart(url, part);
  const { statusCode, headers, body } = await request({
    "accept-encoding": "identity",
    "user-agent": "thoughtbook",
    ...(known && { range: `bytes=${known.bytes}-`, "if-range": known.etag }),
  });
  const resumed = known !== undefined && statusCode === 206 && continues(headers, known);
  if (known !== undefined && !resumed && (statusCode === 206 || statusCode === 416)) {
    // The partial file belongs to another version of the file.
    await body.dump();
    await discard(part);
    return transferOnce(transfer);
  }
  if (statusCode !== 200 && !resumed) {
    await body.dump();
    return refusal(url, statusCode, headers);
  }
  if (!resumed) await startPart(url, part, headers);

  let receivedBytes = resumed ? known.bytes : 0;
  const length = Number(headers["content-length"] ?? Number.NaN);
  const total = Number.isFinite(length) ? { totalBytes: receivedBytes + length } : {};
  const handle = await open(part, resumed ? "a" : "w").catch(failing("write", part));
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      await handle.appendFile(chunk).catch(failing("write", part));
      receivedBytes += chunk.length;
      onProgress?.({ receivedBytes, ...total });
    }
  } finally {
    await handle.close();
  }
  return undefined;
}

/** Size and ETag of the partial file left by an earlier attempt at the same URL, if the server can resume there. */
async function readPart(url: string, part: string): Promise<{ bytes: number; etag: string } | undefined> {
  try {
    const known = JSON.parse(await readFile(`${part}.json`, "utf8")) as { url?: unknown; etag?: unknown };
    const { size } = await stat(part);
    return known.url === url && typeof known.etag === "string" && size > 0
      ? { bytes: size, etag: known.etag }
      : undefined;
  } catch {
    return undefined; // No partial file, or one whose description was not finished.
  }
}

function continues(headers: Dispatcher.ResponseData["headers"], known: { bytes: number; etag: string }): boolean {
  const sameFile = headers.etag === undefined || headers.etag === known.etag;
  return sameFile && String(headers["content-range"]).startsWith(`bytes ${known.bytes}-`);
}

async function startPart(url: string, part: string, headers: Dispatcher.ResponseData["headers"]): Promise<void> {
  await discard(part);
  const { etag } = headers;
  // A weak ETag (W/"…") does not promise the same bytes, so a part of it cannot be resumed.
  if (typeof etag !== "string" || etag.startsWith("W/")) return;
  await writeFile(`${part}.json`, JSON.stringify({ url, etag })).catch(failing("write", `${part}.json`));
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true }).catch(failing("remove", part));
  await rm(`${part}.json`, { force: true }).catch(failing("remove", `${part}.json`));
}

/** Meaning of an HTTP status other than success: a setback if a retry may succeed, else an error. */
function refusal(url: string, status: number, headers: Dispatcher.ResponseData["headers"]): Setback {
  const message = `cannot download ${url}: the server answers ${status}`;
  if (status === 404 || status === 410) {
    throw new ThoughtbookError("not-found", message, { hint: "Check the address." });
  }
  if (status >= 500 || status === 429 || status === 408) {
    const error = new ThoughtbookError("network", message, { hint: "Try again later." });
    return { error, waitMs: parseRetryAfter(headers["retry-after"]) };
  }
  throw new ThoughtbookError("network", message, { hint: "Check whether the file may be read without signing in." });
}

/** Milliseconds from a Retry-After header: seconds or an HTTP date; undefined where it is neither. */
export function parseRetryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== "string") return undefined;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

const CONNECTION_REASONS: Record<string, string> = {
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection lost",
  UND_ERR_SOCKET: "connection lost",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no data in time",
  UND_ERR_BODY_TIMEOUT: "no data in time",
};

/** What an error of a connection means, by its code; undefined for others. */
export const connectionReason = (code: string | undefined): string | undefined => CONNECTION_REASONS[code ?? ""];

function connectionError(url: string, code: string, cause: unknown): ThoughtbookError {
  const reason = connectionReason(code) ?? (cause instanceof Error && cause.message ? cause.message : code);
  return new ThoughtbookError("network", `cannot download ${url}: ${reason}`, {
    hint: "Check the network (and HTTPS_PROXY, if you need a proxy), then run it again.",
    cause,
  });
}

function orBadProxy<T>(makeAgent: () => T): T {
  try {
    return makeAgent();
  } catch (cause) {
    throw new ThoughtbookError("bad-input", "HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy", {
      hint: "Set it to a URL such as http://proxy.example:3128, or unset it.",
      cause,
    });
  }
}

function failing(action: string, path: string): (error: unknown) => never {
  return (error) => {
    throw fileSystemError(error, action, path);
  };
}
