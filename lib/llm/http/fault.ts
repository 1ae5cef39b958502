import { type ErrorCode, parseRetryAfter, ThoughtbookError } from "../../core/index.js";
import { publicWords } from "./privacy.js";

/** What went wrong with one request, in words that hold neither key nor prompt. */
export interface Fault {
  reason: string;
  /** What a user reads when it is not tried again. */
  code: ErrorCode;
  hint: string;
  /** Whether another attempt may succeed. */
  passing: boolean;
  /** Whether the server is to blame, so that others should be asked. */
  blame: boolean;
  /** Whether the server may have done the work, and counted it, all the same. */
  charged: boolean;
  /** How long the server asks to wait. */
  waitMs?: number | undefined;
  /** The most attempts that are worth it, where that is few. */
  attempts?: number;
}

const TRY_LATER = "Try again later; what was finished is in the cache, if there is one.";

/** No answer in time. */
export const stalled = (timeoutMs: number): Fault => ({
  reason: `no answer within ${timeoutMs / 1000} s`,
  code: "timeout",
  hint: "Look at the server, or raise timeoutMs.",
  passing: true,
  blame: true,
  charged: true,
});

/** An answer that is not what the protocol says. */
export function brokenAnswer(reason: string): ThoughtbookError {
  return new ThoughtbookError("corrupt-data", reason, { hint: "Look at the server: is it OpenAI-compatible?" });
}

/** Another attempt at an answer of the wrong form brings the same, unless something between damaged it. */
const WRONG_ATTEMPTS = 2;

class WrongAnswer extends ThoughtbookError {}

/** An answer that is complete, but of a form that this kind of server should not give. */
export function wrongAnswer(reason: string): ThoughtbookError {
  return new WrongAnswer("corrupt-data", reason, {
    hint: "Look at the server: is it OpenAI-compatible, and of the kind (dialect) it is taken for?",
  });
}

/** An error that a server tells in an answer with status 200, or in the middle of a stream. */
export class ToldError extends Error {
  readonly told: unknown;

  constructor(told: unknown) {
    super("an error in an answer");
    this.told = told;
  }
}

/**
 * What an error of a request means; undefined for one that does not come from the network or the server.
 *
 * @param secrets the texts that must not be told: the key and those of the prompt
 */
export function faultOf(error: unknown, secrets: readonly string[]): Fault | undefined {
  if (error instanceof ThoughtbookError) {
    if (error.code !== "corrupt-data") return undefined;
    const fault: Fault = { ...broken(error.message), code: "corrupt-data" };
    return error instanceof WrongAnswer ? { ...fault, hint: error.hint!, attempts: WRONG_ATTEMPTS } : fault;
  }
  if (error instanceof ToldError) return faultOfTold(error.told, secrets);
  if (!(error instanceof Error)) return undefined;
  // JSON.parse shows the text around the place in its message, which is left out.
  if (error instanceof SyntaxError) return { ...broken("an answer that is no JSON"), code: "corrupt-data" };
  if ("status" in error && "headers" in error) return faultOfApi(error as ApiFailure, secrets);
  // The connection broke within the body of an answer. Any other error is not of the network, but a caller's.
  const { message } = error;
  return error instanceof TypeError && message === "terminated" ? broken("half an answer") : undefined;
}

/** The fields of the client's errors that count here. */
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

/** By the status that its code or kind stands for, where it has one. */
function faultOfTold(told: unknown, secrets: readonly string[]): Fault {
  const reason = `an error in its answer${publicWords(told, secrets)}`;
  const status = toldStatus(told);
  if (status === undefined) return broken(reason);
  const fault = faultOfStatus(status, reason, (told as { code?: unknown }).code, undefined);
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

/** What servers call errors, with the status that these have by themselves. */
const KINDS: readonly [RegExp, number][] = [
  [/rate.?limit|too.?many|overload|busy|timeout|unavailable/, 503],
  [/quota|billing|credit/, 402],
  [/auth|api.?key|permission|forbidden/, 401],
  [/not.?found/, 404],
  [/invalid|bad.?request|validation|context.?length|too.?long|unsupported|not.?supported|policy|moderation/, 400],
];

function toldStatus(told: unknown): number | undefined {
  if (typeof told !== "object" || told === null) return undefined;
  const { code, type, error_type, status, status_code } = told as Record<string, unknown>;
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
  // The ports that the standard of fetch forbids.
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

/** The error that lies behind others. */
function innermost(error: Error): { code: string | undefined; message: string } {
  if (error.cause instanceof Error) return innermost(error.cause);
  const { code } = error as { code?: unknown };
  return { code: typeof code === "string" ? code : undefined, message: error.message };
}
