import { listenForInterrupt, ThoughtbookError } from "../core/index.js";

/** Do work that the first Ctrl-C or request to end aborts; a second one ends the process at once. */
export async function abortable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    return await work(stop.signal);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/**
 * Run work that can be interrupted: the first Ctrl-C keeps what is finished, a second one ends the process at once.
 *
 * @param hint how to resume after an interruption
 */
export async function resumable<T>(
  work: (signal: AbortSignal) => Promise<T>,
  hint = "The same command goes on from there.",
): Promise<T> {
  const interrupt = listenForInterrupt();
  try {
    return await work(interrupt.signal);
  } catch (error) {
    if (!(error instanceof ThoughtbookError) || error.code !== "interrupted") throw error;
    process.exitCode = 130; // What shells expect of Ctrl-C.
    throw new ThoughtbookError("interrupted", error.message, { hint, cause: error });
  } finally {
    interrupt.stop();
  }
}
