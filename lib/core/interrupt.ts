import { setImmediate as nextTurn } from "node:timers/promises";
import { ThoughtbookError } from "./errors.js";

/** The property of `globalThis` under which the notebook kernel puts its source of interruption signals. */
const NOTEBOOK_INTERRUPT = Symbol.for("thoughtbook.interrupt");

/** Aborted when the notebook this process runs in is next interrupted; undefined outside of a notebook. */
function notebookSignal(): AbortSignal | undefined {
  return (globalThis as { [NOTEBOOK_INTERRUPT]?: () => AbortSignal })[NOTEBOOK_INTERRUPT]?.();
}

/**
 * A signal that is never aborted, not even by a notebook; for a short part of long work that must finish as a whole.
 */
export const UNINTERRUPTED: AbortSignal = new AbortController().signal;

/**
 * The signal that long work obeys: the caller's, if there is one, and in a notebook the interruption of the cell. Ask
 * for it where the work begins. Work that begins in an interrupted notebook before the next cell is refused.
 */
export function interruptible(signal?: AbortSignal): AbortSignal | undefined {
  if (signal === UNINTERRUPTED) return signal;
  const notebook = notebookSignal();
  return signal && notebook && signal !== notebook ? AbortSignal.any([signal, notebook]) : (signal ?? notebook);
}

/** Ctrl-C as a signal: the first one lets the current work end, a second one ends the process at once. */
export function listenForInterrupt(): { signal: AbortSignal; stop(): void } {
  const notebook = notebookSignal();
  if (notebook) return { signal: notebook, stop: () => {} };
  const controller = new AbortController();
  const abort = () => controller.abort(new Error("Ctrl-C"));
  process.once("SIGINT", abort);
  return { signal: controller.signal, stop: () => process.removeListener("SIGINT", abort) };
}

/**
 * Throws interrupted if the signal says so.
 *
 * @param what the work, such as "scoring"
 */
export function checkInterrupt(signal: AbortSignal | undefined, what: string, hint = "Run it again."): void {
  if (!signal?.aborted) return;
  throw new ThoughtbookError("interrupted", `${what} was interrupted`, { hint, cause: signal.reason });
}

const TURN_MS = 50;

/**
 * Run work that is synchronous piece by piece, yielding to the event loop now and then: for Ctrl-C, the interruption of
 * a notebook, progress.
 *
 * @throws interrupted
 */
export async function mapInTurns<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => R,
  signal?: AbortSignal,
): Promise<R[]> {
  const results: R[] = [];
  let paused = performance.now();
  for (const [index, item] of items.entries()) {
    results.push(work(item, index));
    if (performance.now() - paused < TURN_MS) continue;
    await nextTurn();
    checkInterrupt(signal, "the work");
    paused = performance.now();
  }
  return results;
}
