import { interruptible, ThoughtbookError } from "../core/index.js";

/**
 * Do work until it is done or the hours are over. The latter is no failure: what is finished stays. Any other interruption is one.
 *
 * @param hours undefined for no limit, as are more than a timer counts (24 days); 0 where nothing may be begun
 * @returns what the work gives; undefined where the hours were over before
 */
export async function withinHours<T>(
  hours: number | undefined,
  given: AbortSignal | undefined,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T | undefined> {
  const interruption = interruptible(given);
  const milliseconds = Math.round((hours ?? Number.POSITIVE_INFINITY) * 3_600_000);
  const deadline = milliseconds > LONGEST_TIMER ? undefined : deadlineOf(milliseconds);
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

/** Node's timers end after one millisecond where they are to take longer. */
const LONGEST_TIMER = 2 ** 31 - 1;

const deadlineOf = (milliseconds: number) =>
  milliseconds > 0 ? AbortSignal.timeout(milliseconds) : AbortSignal.abort(new DOMException("no time", "TimeoutError"));
