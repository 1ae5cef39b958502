/** Rows as lines for the terminal: columns of equal width, aligned to the right. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join("  "));
}

/** A share in percent, without the sign. */
export const percent = (share: number): string => (100 * share).toFixed(1);

/** An interval of shares in percent. */
export const percentRange = ([low, high]: readonly [number, number]): string => `${percent(low)} – ${percent(high)}`;

/** The last part of a path, an address or a name, as a part of a folder's name. */
export const nameOf = (text: string): string =>
  (text.split(/[/\\#]/).findLast((part) => part !== "") ?? "").replace(/[^\w.-]+/g, "-");
