import { ThoughtbookError } from "thoughtbook/core";

/**
 * Tokens a second while all rows of a batch are being continued: from the first token of the row that began last to the
 * last one of the row that ended first. Prompts do not count, whether they are read before the rows or between their steps.
 *
 * @param times when each row got which token, in milliseconds
 * @throws bad-input when there is no such time
 */
export function steadySpeed(times: readonly (readonly number[])[]): number {
  const from = Math.max(...times.map((row) => row[0] ?? Number.POSITIVE_INFINITY));
  const to = Math.min(...times.map((row) => row.at(-1) ?? Number.NEGATIVE_INFINITY));
  if (!(times.length > 0 && to > from)) {
    throw new ThoughtbookError("bad-input", "no row was still being continued when the last one began", {
      hint: "Ask for more new tokens.",
    });
  }
  const tokens = times.flatMap((row) => row.filter((time) => time > from && time <= to)).length;
  return tokens / ((to - from) / 1000);
}
