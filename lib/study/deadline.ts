import { interruptible, ThoughtbookError } from "../core/index.js";

/**
 * Do work until it is done or the hours are over. The latter is no failure: what is finished stays. Any other interruption is one.
 *
 * @param hours undefined for no limit; 0 where nothing may be begun
 * @returns what the work gives; undefined where the hours were over before
 */
export async function withinHours<T>(
  hours: number | undefined,
  given: AbortSignal | undefined,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T | undefined> {
  const interruption = interruptible(given);
  const deadline = hours === undefined ? undefined : deadlineOf(Math.round(hours * 3_600_000));
  const signals = [interruption, deadline].filter((signal) => signal !== undefined);
  try {
    return await work(signals.length === 0 ? undefined : AbortSignal.any(signals));
  } catch (error) {
    const isOver = deadline?.aborted && !interruption?.aborted;
    const isStop = error === deadline?.reason || (error instanceof ThoughtbookError && error.code === "interrupted");
    if (!isOver || !isStop) throw error;
    return undefined;
  }
}

const deadlineOf = (milliseconds: number) =>
  milliseconds > 0 ? AbortSignal.timeout(milliseconds) : AbortSignal.abort(new DOMException("no time", "TimeoutError"));
