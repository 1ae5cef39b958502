/** A share in percent. */
export const percent = (share: number): string => (100 * share).toFixed(1);
/** An interval of shares, in percent. */
export const band = ([low, high]: readonly [number, number]): string => `${percent(low)} – ${percent(high)}`;
/** A table in Markdown, the first column to the left. */
export const table = (head: string[], rows: (string | number)[][]): string =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
