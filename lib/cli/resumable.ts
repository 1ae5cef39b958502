import { listenForInterrupt, ThoughtbookError } from "../core/index.js";

/**
 * Run work that can be interrupted: the first Ctrl-C keeps what is finished, a second one ends the process at once.
 *
 * @param hint how to resume after an interruption
 */
export async function resumable<T>(hint: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
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
