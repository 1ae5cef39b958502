import { type ErrorCode, parseRetryAfter, ThoughtbookError } from "../../core/index.js";
import { publicWords } from "./privacy.js";

/** A failed request, in words that contain neither key nor prompt. */
export interface Fault {
  reason: string;
  /** Message for the user when it is not retried. */
  code: ErrorCode;
  hint: string;
  /** Whether a retry may succeed. */
  passing: boolean;
  /** Whether the server is to blame, so that others should be asked. */
  blame: boolean;
  /** Whether the server may have done the work, and counted it, all the same. */
  charged: boolean;
  /** How long the server asks to wait. */
  waitMs?: number | undefined;
  /** Maximum number of attempts that are worthwhile, where that is few. */
  attempts?: number;
}

const TRY_LATER = "Try again later; what was finished is in the cache, if there is one.";

/** Time-out. */
export const stalled = (timeoutMs: number): Fault => ({
  reason: `no answer within ${timeoutMs / 1000} s`,
  code: "timeout",
  hint: "Look at the server, or raise timeoutMs.",
  passing: true,
  blame: true,
  charged: true,
});

/** An answer that does not follow the protocol. */
export function brokenAnswer(reason: string): ThoughtbookError {
  return new ThoughtbookError("corrupt-data", reason, { hint: "Look at the server: is it OpenAI-compatible?" });
}

/** A retry of a malformed answer gives the same, unless something in between damaged it. */
const WRONG_ATTEMPTS = 2;

class WrongAnswer extends ThoughtbookError {}

/** A complete answer of a form that this kind of server should not give. */
export function wrongAnswer(reason: string): ThoughtbookError {
  return new WrongAnswer("corrupt-data", reason, {
    hint: "Look at the server: is it OpenAI-compatible, and of the kind (dialect) it is taken for?",
  });
}

/** An error that a server reports in an answer with status 200, or in the middle of a stream. */
export class ReportedError extends Error {
  readonly reported: unknown;

  constructor(reported: unknown) {
    super("an error in an answer");
    this.reported = reported;
  }
}

/**
 * Classify an error of a request; undefined for one that does not come from the network or the server.
 *
 * @param secrets texts that must not appear in messages: the key and the prompts
 */
export function faultOf(error: unknown, secrets: readonly string[]): Fault | undefined {
  if (error instanceof ThoughtbookError) {
    if (error.code !== "corrupt-data") return undefined;
    const fault: Fault = { ...broken(error.message), code: "corrupt-data" };
    return error instanceof WrongAnswer ? { ...fault, hint: error.hint!, attempts: WRONG_ATTEMPTS } : fault;
  }
  if (error instanceof ReportedError) return faultOfReported(error.reported, secrets);
  if (!(error instanceof Error)) return undefined;
  // JSON.parse shows the text around the place in its message, which is left out.
  if (error instanceof SyntaxError) return { ...broken("an answer that is no JSON"), code: "corrupt-data" };
  if ("status" in error && "headers" in error) return faultOfApi(error as ApiFailure, secrets);
  // The connection broke within the body of an answer. Any other error is not of the network, but a caller's.
  const { message } = error;
  return error instanceof TypeError && message === "terminated" ? broken("half an answer") : undefined;
}

/** Fields of the client's errors that are used here. */
interface ApiFailure extends Error {
  status: number | undefined;
  headers: Headers | undefined;
  error: unknown;
  code?: unknown;
}

function faultOfApi(failure: ApiFailure, secrets: readonly string[]): Fault {
  const { status, headers, code } = failure;
  // No connection.
  if (status === undefined) return connection(failure);
  return faultOfStatus(
    status,
    `status ${status}${publicWords(failure.error, secrets)}`,
    code,
    headers && waitOf(headers),
  );
}

/** Classify by the status that its code or kind stands for, where it has one. */
function faultOfReported(reported: unknown, secrets: readonly string[]): Fault {
  const reason = `an error in its answer${publicWords(reported, secrets)}`;
  const status = reportedStatus(reported);
  if (status === undefined) return broken(reason);
  const fault = faultOfStatus(status, reason, (reported as { code?: unknown }).code, undefined);
  return { ...fault, charged: fault.passing };
}

function faultOfStatus(status: number, reason: string, code: unknown, waitMs: number | undefined): Fault {
  const fault = { reason, code: "network", hint: TRY_LATER, charged: false } as const;
  if (status === 402 || code === "insufficient_quota") {
    return { ...fault, hint: "Look at the account's plan and credit.", passing: false, blame: false };
  }
  if (status === 429 || status === 408 || status === 409) return { ...fault, passing: true, blame: false, waitMs };
  if (status >= 500 && status !== 501) return { ...fault, passing: true, blame: true, waitMs };
  return { ...fault, ...refusal(status), passing: false, blame: false };
}

/** Names of errors of servers, with the status that each corresponds to. */
const KINDS: readonly [RegExp, number][] = [
  [/rate.?limit|too.?many|overload|busy|timeout|unavailable/, 503],
  [/quota|billing|credit/, 402],
  [/auth|api.?key|permission|forbidden/, 401],
  [/not.?found/, 404],
  [/invalid|bad.?request|validation|context.?length|too.?long|unsupported|not.?supported|policy|moderation/, 400],
];

function reportedStatus(reported: unknown): number | undefined {
  if (typeof reported !== "object" || reported === null) return undefined;
  const { code, type, error_type, status, status_code } = reported as Record<string, unknown>;
  const number = [code, status, status_code].map(Number).find((each) => each >= 400 && each < 600);
  if (number !== undefined) return number;
  const words = [code, type, error_type, status]
    .filter((each) => typeof each === "string")
    .join(" ")
    .toLowerCase();
  return KINDS.find(([kind]) => kind.test(words))?.[1];
}

function refusal(status: number): { code: ErrorCode; hint: string } {
  if (status === 401 || status === 403) {
    return { code: "bad-input", hint: "Set THOUGHTBOOK_API_KEY or OPENAI_API_KEY to a key of this server." };
  }
  if (status === 404 || status === 405) {
    return {
      code: "not-found",
      hint: "Check the address and the model's name; where only conversations are offered, give one (--chat) or set textPrompts: chat.",
    };
  }
  if (status === 413) return { code: "bad-input", hint: "Shorten the prompt." };
  if (status === 400 || status === 422) {
    return { code: "bad-input", hint: "Change the request: is it too long, or has it an option this server lacks?" };
  }
  return { code: "network", hint: "Check the address." };
}

function waitOf(headers: Headers): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  return Number.isFinite(exact) ? Math.max(0, exact) : parseRetryAfter(headers.get("retry-after") ?? undefined);
}

const REASONS: Record<string, string> = {
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection lost",
  EPIPE: "connection lost",
  UND_ERR_SOCKET: "connection lost",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
};

function connection(failure: Error): Fault {
  const { code, message } = innermost(failure);
  const fault = { code: "network", hint: "Is the server running, and the address right?", blame: true } as const;
  // Ports that the fetch standard forbids.
  if (message === "bad port")
    return { ...fault, reason: "no client may use this port", passing: false, charged: false };
  return {
    ...fault,
    reason: REASONS[code ?? ""] ?? (code === undefined ? "connection lost" : `no connection (${code})`),
    passing: true,
    // A connection that was lost may have had its answer on the way.
    charged: code !== "ECONNREFUSED" && code !== "ENOTFOUND" && code !== "EAI_AGAIN",
  };
}

function broken(reason: string): Fault {
  return { reason, code: "network", hint: TRY_LATER, passing: true, blame: true, charged: true };
}

/** The error that causes others. */
function innermost(error: Error): { code: string | undefined; message: string } {
  if (error.cause instanceof Error) return innermost(error.cause);
  const { code } = error as { code?: unknown };
  return { code: typeof code === "string" ? code : undefined, message: error.message };
}
