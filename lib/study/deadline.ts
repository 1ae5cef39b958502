import { interruptible, ThoughtbookError } from "../core/index.js";

/**
 * Do work until it is done or the hours are over. The latter is no failure: what is finished stays. Any other interruption is one.
 *
 * @param hours undefined for no limit
 * @returns what the work gives; undefined where the hours were over before
 */
export async function withinHours<T>(
  hours: number | undefined,
  given: AbortSignal | undefined,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T | undefined> {
  const interruption = interruptible(given);
  const deadline = hours === undefined ? undefined : AbortSignal.timeout(Math.max(1, Math.round(hours * 3_600_000)));
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
