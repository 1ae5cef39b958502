import { format } from "node:util";
import type { Drawing, Figure } from "../plot/index.js";
import { type TableLike, tableBundle } from "./show.js";
import { drawingBundle, figureBundle } from "./show-figure.js";

type MimeBundle = Record<string, unknown>;

/** A longer table is shown by its first and last rows. */
const MOST_ROWS = 40;
const END_ROWS = 10;
const MOST_CHARACTERS = 200;

/**
 * What a notebook shows of the value of a cell's last expression: figures and drawings as pictures, data frames and lists
 * of records as tables, values with a method `Symbol.for("Jupyter.display")` as that says, all others as console.log
 * prints them.
 */
export async function resultBundle(value: unknown): Promise<MimeBundle> {
  if (!isObject(value)) return { "text/plain": format(value) };
  const display = value[Symbol.for("Jupyter.display")];
  if (typeof display === "function") return (await display.call(value)) as MimeBundle;
  if (isFigure(value)) return figureBundle(value);
  if (isDrawing(value)) return drawingBundle(value);
  const frame = frameOf(value);
  if (frame) return tableBundle(...shortened(frame));
  const records = recordsOf(value);
  if (records) return { ...tableBundle(...shortened(records)), "text/plain": format(value) };
  return { "text/plain": format(value) };
}

type Fields = Record<string | symbol, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isNamed = (value: Fields) => typeof value.name === "string" && typeof value.title === "string";

const isFigure = (value: Fields): value is Fields & Figure =>
  isNamed(value) && isObject(value.spec) && Array.isArray(value.spec.data) && isObject(value.spec.layout);

const isDrawing = (value: Fields): value is Fields & Drawing =>
  isNamed(value) && typeof value.svg === "string" && typeof value.width === "number";

/** The table in a data frame or a series of danfojs-node, with its index where that is more than the row's number. */
function frameOf({ columns, values, index }: Fields): TableLike | undefined {
  if (!Array.isArray(columns) || !Array.isArray(values)) return undefined;
  const isSeries = columns.length === 1 && values.every((value) => !Array.isArray(value));
  const rows: unknown[] = isSeries ? values.map((value) => [value]) : values;
  if (!rows.every((row): row is unknown[] => Array.isArray(row) && row.length === columns.length)) return undefined;
  if (!Array.isArray(index) || index.every((label, at) => label === at)) return { columns, values: rows };
  return { columns: ["", ...columns], values: rows.map((row, at) => [index[at], ...row]) };
}

/** The table in a list of flat objects. */
function recordsOf(value: Fields): TableLike | undefined {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isFlatRecord)) return undefined;
  const columns = [...new Set(value.flatMap((record) => Object.keys(record)))];
  return { columns, values: value.map((record) => columns.map((column) => record[column])) };
}

function isFlatRecord(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  const fields = Object.values(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain && fields.length > 0 && fields.every((field) => !isObject(field) && typeof field !== "function");
}

function shortened({ columns, values }: TableLike): Parameters<typeof tableBundle> {
  const rows = (values as unknown[][]).map((row) => row.map(shortText));
  if (rows.length <= MOST_ROWS) return [{ columns, values: rows }];
  const gap = columns.map(() => "…");
  const size = `${rows.length.toLocaleString("en-US")} rows, ${columns.length} columns`;
  return [{ columns, values: [...rows.slice(0, END_ROWS), gap, ...rows.slice(-END_ROWS)] }, { caption: size }];
}

const shortText = (value: unknown): unknown =>
  typeof value === "string" && value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS - 1)}…` : value;
