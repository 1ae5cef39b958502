import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { pipeline } from "node:stream";
import { type InfoRecord, parse as parseCsv } from "csv-parse";
import { pick } from "stream-json/filters/pick.js";
import { streamArray } from "stream-json/streamers/stream-array.js";
import {
  badInput,
  checkInterrupt,
  fileSystemError,
  interruptible,
  readJsonl,
  refuseLfsPointer,
  ThoughtbookError,
} from "../../core/index.js";
import { hasField } from "../sets/rows/row-reader.js";
import { readParquet } from "./parquet.js";

/** A row as it stands in a file. */
export interface RawRow {
  /** Counted from 0; in a JSONL file, lines are counted. */
  index: number;
  /** "line 3" (counted from 1) in a JSONL or CSV file, else "row 2" (counted from 0, as in ids). */
  place: string;
  value: unknown;
}

/** A skipped row, and why. */
export interface MalformedRow {
  file: string;
  place: string;
  reason: string;
}

export interface RowFileOptions {
  /** Called with each part of the file that is not a row; reading continues after it. */
  onMalformed: (row: MalformedRow) => void;
  /**
   * Read a file with another extension as JSONL, and a single object as a file of one row; otherwise both are errors.
   */
  anyName?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Read the rows of a JSONL, JSON (an array, or an object with the array `examples`), CSV (with a header) or Parquet
 * file, one at a time: memory does not grow with the file, only with a Parquet row group. The extension gives the
 * format; whether JSON holds one value or one per line is decided by its content, since both occur under both names.
 *
 * @throws bad-input (another extension), corrupt-data (reading cannot continue), not-found, file-system, interrupted
 */
export async function* readRows(file: string, given: RowFileOptions): AsyncGenerator<RawRow, void, undefined> {
  const options = { ...given, signal: interruptible(given.signal) };
  const { signal } = options;
  let last = "";
  try {
    await refuseLfsPointer(file);
    for await (const row of rowsOf(file, options)) {
      signal?.throwIfAborted();
      last = ` after ${row.place}`;
      yield row;
    }
  } catch (error) {
    if (error instanceof ThoughtbookError) throw error;
    checkInterrupt(signal, `reading ${file}`);
    // System calls name themselves in their errors, parsers do not.
    if ((error as NodeJS.ErrnoException).syscall) throw fileSystemError(error, "read", file);
    throw new ThoughtbookError("corrupt-data", `cannot read ${file}${last}: ${(error as Error).message}`, {
      hint: "Download or produce the file again.",
      cause: error,
    });
  }
}

const ENDINGS: ReadonlySet<string> = new Set([".jsonl", ".json", ".csv", ".parquet"]);

function rowsOf(file: string, options: RowFileOptions): AsyncIterable<RawRow> {
  const given = extname(file).toLowerCase();
  const ending = ENDINGS.has(given) ? given : options.anyName ? ".jsonl" : given;
  switch (ending) {
    case ".jsonl":
    case ".json":
      return readJsonRows(file, ending, options);
    case ".csv":
      return readCsv(file, options);
    case ".parquet":
      return numbered(readParquet(file));
    default:
      throw new ThoughtbookError("bad-input", `cannot tell the format of ${file}: its name ends in "${ending}"`, {
        hint: "Name it .jsonl, .json, .csv or .parquet.",
      });
  }
}

async function* numbered(values: AsyncIterable<unknown>): AsyncGenerator<RawRow> {
  let index = 0;
  for await (const value of values) yield { index, place: `row ${index++}`, value };
}

async function* readJsonlRows(file: string, { onMalformed, signal }: RowFileOptions): AsyncGenerator<RawRow> {
  const rows = readJsonl(file, {
    signal,
    onMalformed: ({ line, reason }) => onMalformed({ file, place: `line ${line}`, reason }),
  });
  for await (const { line, value } of rows) yield { index: line - 1, place: `line ${line}`, value };
}

async function* readJsonRows(
  file: string,
  ending: ".jsonl" | ".json",
  options: RowFileOptions,
): AsyncGenerator<RawRow> {
  const layout = await jsonLayout(file, ending, options);
  if (layout === "lines") yield* readJsonlRows(file, options);
  else yield* numbered(readJsonArray(file, layout));
}

async function* readJsonArray(file: string, layout: "array" | "examples"): AsyncGenerator<unknown> {
  const source = createReadStream(file);
  const elements =
    layout === "array"
      ? pipeline(source, streamArray.withParserAsStream(), ignoreError)
      : pipeline(source, pick.withParserAsStream({ filter: "examples" }), streamArray.asStream(), ignoreError);
  let any = false;
  for await (const { value } of elements as AsyncIterable<{ value: unknown }>) {
    any = true;
    yield value;
  }
  if (!any && layout === "examples") {
    throw badInput(
      `${file} is one JSON object without rows`,
      "Give an array of rows, one row a line, or an object with the rows as its field examples.",
    );
  }
}

// The error also reaches the consumer of the last stream.
const ignoreError = () => {};

/** A longer first line is not read to its end. */
const LONGEST_FIRST_LINE = 1 << 20;

/**
 * Layout of the rows in a JSON file: one per line, as the elements of an array, or of the array `examples` in an
 * object.
 */
async function jsonLayout(
  file: string,
  ending: ".jsonl" | ".json",
  { anyName }: RowFileOptions,
): Promise<"lines" | "array" | "examples"> {
  const { first, more } = await firstLine(file);
  const value = parsedOrUndefined(first);
  if (value !== undefined && more) return "lines";
  if (first.startsWith("[")) return "array";
  if (ending === ".jsonl") return "lines";
  return anyName && value !== undefined && !hasField(value, "examples") ? "lines" : "examples";
}

/** The first line that is not blank, up to a limit, and whether more than blanks follow it. */
async function firstLine(file: string): Promise<{ first: string; more: boolean }> {
  let text = "";
  for await (const chunk of createReadStream(file, "utf8")) {
    text = text === "" ? (chunk as string).replace(/^[\s\uFEFF]+/, "") : text + chunk;
    const end = text.indexOf("\n");
    if (end >= 0 && text.slice(end).trim() !== "") return { first: text.slice(0, end), more: true };
    if (text.length > LONGEST_FIRST_LINE) return { first: text[0]!, more: true };
  }
  return { first: text, more: false };
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* readCsv(file: string, { onMalformed }: RowFileOptions): AsyncGenerator<RawRow> {
  const parser = parseCsv({ bom: true, columns: true, info: true, relax_column_count: true });
  const rows = pipeline(createReadStream(file), parser, ignoreError);
  let index = 0;
  for await (const { record, info } of rows as AsyncIterable<{ record: unknown; info: InfoRecord }>) {
    const row = { index: index++, place: `line ${info.lines}`, value: record };
    if (info.error) onMalformed({ file, place: row.place, reason: info.error.message });
    else yield row;
  }
}
