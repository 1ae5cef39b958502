import { notebookDisplay } from "../core/index.js";

/** A data frame of danfojs-node, or anything with its columns and rows. */
export interface TableLike {
  columns: readonly string[];
  values: unknown;
}

export interface ShowTableOptions {
  caption?: string;
  /** Digits after the decimal point of numbers that are not whole. 2 by default. */
  digits?: number;
}

/** Which output is shown: with `update`, the one with the same `displayId` is replaced. */
export interface ShowOptions {
  displayId?: string;
  update?: boolean;
}

/** Show a MIME bundle in the notebook; outside of one, print its plain text. */
export function showBundle(
  bundle: { "text/plain": string } & Record<string, unknown>,
  options: ShowOptions = {},
): void {
  const display = notebookDisplay();
  if (display) display(bundle, options);
  else console.log(bundle["text/plain"]);
}

/** Show text with Markdown marks. */
export function showMarkdown(text: string): void {
  showBundle({ "text/markdown": text, "text/plain": text });
}

/** Show a data frame as a table: text on the left, numbers on the right with thousands separators. */
export function showTable(table: TableLike, options: ShowTableOptions = {}): void {
  showBundle(tableBundle(table, options));
}

/** A table as HTML and as text. */
export function tableBundle(table: TableLike, { caption, digits = 2 }: ShowTableOptions = {}) {
  const columns = table.columns.map(String);
  const rows = table.values as unknown[][];
  const cells = rows.map((row) => row.map((value) => formatCell(value, digits)));
  const isNumeric = columns.map((_, at) => rows.some((row) => typeof row[at] === "number"));
  return {
    "text/html": tableHtml(columns, cells, isNumeric, caption),
    "text/plain": tableText(columns, cells, isNumeric, caption),
  };
}

function formatCell(value: unknown, digits: number): string {
  if (typeof value !== "number") return value === null || value === undefined ? "" : String(value);
  const fixed = Number.isInteger(value) ? 0 : digits;
  return value.toLocaleString("en-US", { minimumFractionDigits: fixed, maximumFractionDigits: fixed });
}

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");

function tableHtml(columns: string[], cells: string[][], isNumeric: boolean[], caption: string | undefined): string {
  const row = (tag: "th" | "td", texts: string[]) => {
    const inner = texts.map((text, at) => {
      const align = isNumeric[at] ? "right" : "left";
      return `<${tag} style="text-align:${align}">${escapeHtml(text)}</${tag}>`;
    });
    return `<tr>${inner.join("")}</tr>`;
  };
  return [
    "<table>",
    ...(caption ? [`<caption>${escapeHtml(caption)}</caption>`] : []),
    `<thead>${row("th", columns)}</thead>`,
    "<tbody>",
    ...cells.map((texts) => row("td", texts)),
    "</tbody>",
    "</table>",
  ].join("\n");
}

function tableText(columns: string[], cells: string[][], isNumeric: boolean[], caption: string | undefined): string {
  const widths = columns.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (texts: string[]) =>
    texts
      .map((text, at) => (isNumeric[at] ? text.padStart(widths[at]!) : text.padEnd(widths[at]!)))
      .join("  ")
      .trimEnd();
  return [...(caption ? [caption] : []), line(columns), ...cells.map(line)].join("\n");
}
