/**
 * Write a count with its noun: "1 problem", "2 problems", "1,319 problems".
 * @param plural needed where it is not the noun with an s
 */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? noun : plural}`;
}
