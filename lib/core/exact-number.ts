/**
 * Why a number read from JSON is not the one that was written, if so: whole numbers beyond 2^53 − 1 are rounded to the
 * next double when they are read, and larger ones than a double holds become infinite. The text of the file is gone by
 * then, so all of them are refused.
 */
export function inexactNumber(value: unknown): string | undefined {
  if (typeof value !== "number" || Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)))
    return undefined;
  return `${value} stands for a JSON number too large to be exact (beyond 2^53 − 1); write it as a string, in quotes`;
}
