import { setMaxListeners } from "node:events";
import pLimit, { type LimitFunction } from "p-limit";
import { checkInterrupt, interruptible } from "../../core/index.js";
import type { Ending } from "./send.js";
import { CallbackError } from "./stream.js";

export interface RunOptions {
  /** Limit for all calls to the model together. */
  limit: LimitFunction;
  /** Limit for this call. */
  concurrency: number;
  signal: AbortSignal | undefined;
  /** What the call does, such as "generating text". */
  what: string;
}

/**
 * Process items, several at a time. When one fails, nothing new is started and those in flight are completed, so that
 * what is paid for is kept; then the error of the first is thrown. When the user interrupts, everything ends at once.
 *
 * @throws interrupted, and what the work throws
 */
export async function runAll<T>(
  items: readonly T[],
  work: (item: T, ending: Ending) => Promise<void>,
  { limit, concurrency, what, ...options }: RunOptions,
): Promise<void> {
  const signal = interruptible(options.signal);
  const stop = new AbortController();
  const drain = new AbortController();
  const ending = { signal: stop.signal, drain: drain.signal };
  // Each request in flight listens.
  setMaxListeners(0, stop.signal, drain.signal);
  const interrupt = () => {
    stop.abort();
    drain.abort();
  };
  if (signal?.aborted) interrupt();
  signal?.addEventListener("abort", interrupt, { once: true });
  let failure: { error: unknown } | undefined;
  const ofThisCall = pLimit(concurrency);
  try {
    await Promise.all(
      items.map((item) =>
        ofThisCall(() =>
          limit(async () => {
            if (drain.signal.aborted) return;
            try {
              await work(item, ending);
            } catch (error) {
              failure ??= { error: error instanceof CallbackError ? error.thrown : error };
              drain.abort();
            }
          }),
        ),
      ),
    );
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
  checkInterrupt(signal, what, "Run it again: with a cache, what was finished is not asked for twice.");
  if (failure) throw failure.error;
}
