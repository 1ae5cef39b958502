import { setTimeout as sleep } from "node:timers/promises";
import { type Random, ThoughtbookError } from "../../core/index.js";
import type { Ledger, TokenCount } from "./budget.js";
import type { Connection } from "./connection.js";
import { type Fault, faultOf, stalled } from "./fault.js";
import type { Lease, Pool } from "./pool.js";

/** State shared by all requests to a model. */
export interface Line {
  pool: Pool;
  ledger: Ledger;
  /** Maximum attempts, counting the first. */
  attempts: number;
  /** Maximum pause before the second attempt, doubled before each further one. */
  backoffMs: number;
  timeoutMs: number;
  longestWaitMs: number;
  /** Random numbers for the pauses. */
  random: Random;
  apiKey: string | undefined;
}

/** Two ways to end work. */
export interface Ending {
  /** The user's interruption: everything stops at once. */
  signal: AbortSignal;
  /** Another request failed for good, or the user interrupted: nothing new is started. */
  drain: AbortSignal;
}

/** One request. */
export interface Job<T> {
  /** Maximum usage. */
  most: TokenCount;
  /** Texts of the prompt, which no message may repeat. */
  secrets: readonly string[];
  /** @param alive called with each sign of life: it restarts the time-out */
  run(connection: Connection, signal: AbortSignal, alive: () => void): Promise<Answered<T>>;
  /** Why it cannot be retried after a fault, if so. */
  lost?: (fault: Fault) => ThoughtbookError | undefined;
}

export interface Answered<T> {
  value: T;
  taken: TokenCount;
}

/** Maximum pause between two attempts. */
const MAX_BACKOFF_MS = 30_000;

/**
 * Send a request until it is answered: after a transient fault, pause and retry, at another working server if there is
 * one. Pauses are random up to a limit that doubles (full jitter), and no shorter than the server asks for.
 *
 * This is written here, not taken from a library: it decides which server is asked next, and what a lost answer costs.
 *
 * @throws network, timeout, corrupt-data, bad-input, not-found (by the last fault), budget, interrupted
 */
export async function send<T>(line: Line, job: Job<T>, ending: Ending): Promise<T> {
  const { pool, ledger } = line;
  let avoided: Connection | undefined;
  for (let attempt = 1; ; attempt++) {
    const reservation = await ledger.reserve(job.most);
    let lease: Lease;
    try {
      lease = await pool.take(job.most.prompt + job.most.completion, avoided, ending.drain);
    } catch (error) {
      reservation.settle(undefined);
      throw error;
    }
    const result = await once(line, job, lease.connection, ending.signal);
    if ("value" in result) {
      lease.succeed();
      reservation.settle(result.taken);
      return result.value;
    }
    if ("error" in result) {
      lease.abandon();
      reservation.settle(job.most);
      throw result.error;
    }
    const { fault } = result;
    lease.fail(fault);
    reservation.settle(fault.charged ? job.most : undefined);
    const lost = fault.passing ? job.lost?.(fault) : undefined;
    if (lost) throw lost;
    const tooLong = (fault.waitMs ?? 0) > line.longestWaitMs;
    const attempts = Math.min(line.attempts, fault.attempts ?? line.attempts);
    if (!fault.passing || tooLong || attempt >= attempts || ending.drain.aborted) {
      throw failure(fault, lease.connection, attempt, line);
    }
    avoided = lease.connection;
    if (fault.blame && pool.hasOther(avoided)) continue;
    const pause = line.random.uniform() * Math.min(MAX_BACKOFF_MS, line.backoffMs * 2 ** (attempt - 1));
    await sleep(Math.max(pause, pool.hasOther(avoided) ? 0 : (fault.waitMs ?? 0)), undefined, { signal: ending.drain });
  }
}

type Result<T> = Answered<T> | { fault: Fault } | { error: unknown };

/** One attempt, with a time-out that restarts with each sign of life. */
async function once<T>(line: Line, job: Job<T>, connection: Connection, signal: AbortSignal): Promise<Result<T>> {
  const { timeoutMs, apiKey } = line;
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeoutMs);
  const stop = () => controller.abort();
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    const result = await job.run(connection, controller.signal, () => timer.refresh());
    // A stream ends without an error when it is aborted.
    if (late) return { fault: stalled(timeoutMs) };
    signal.throwIfAborted();
    return result;
  } catch (error) {
    if (signal.aborted) return { error: signal.reason };
    if (late) return { fault: stalled(timeoutMs) };
    const fault = faultOf(error, apiKey === undefined ? job.secrets : [apiKey, ...job.secrets]);
    return fault ? { fault } : { error };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    // Close an answer that nobody reads.
    controller.abort();
  }
}

/** Without a cause: the errors of clients contain pieces of what was sent and received. */
function failure(fault: Fault, { url }: Connection, attempts: number, { pool }: Line): ThoughtbookError {
  const { code, hint, reason } = fault;
  if (fault.blame && pool.urls.length > 1 && pool.isDead()) {
    return new ThoughtbookError(code, `no server answers (${pool.urls.join(", ")}); the last one: ${reason}`, { hint });
  }
  if (!fault.passing) return new ThoughtbookError(code, `${url} refuses a request: ${reason}`, { hint });
  const tried = attempts > 1 ? ` after ${attempts} attempts` : "";
  const patience = fault.waitMs === undefined ? "" : `; the server asks to wait ${Math.ceil(fault.waitMs / 1000)} s`;
  return new ThoughtbookError(code, `${url} gives no answer${tried}: ${reason}${patience}`, { hint });
}
