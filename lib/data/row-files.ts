import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { pipeline } from "node:stream";
import { type InfoRecord, parse as parseCsv } from "csv-parse";
import { pick } from "stream-json/filters/pick.js";
import { streamArray } from "stream-json/streamers/stream-array.js";
import { fileSystemError, interruptible, readJsonl, ThoughtbookError } from "../core/index.js";
import { readParquet } from "./parquet.js";

/** A row as it stands in a file. */
export interface RawRow {
  /** Counted from 0; in a JSONL file, lines are counted. */
  index: number;
  /** "line 3" (counted from 1) in a JSONL or CSV file, else "row 2" (counted from 0, as in ids). */
  place: string;
  value: unknown;
}

/** A row that is left out, and why. */
export interface MalformedRow {
  file: string;
  place: string;
  reason: string;
}

export interface RowFileOptions {
  /** Told of each part of the file that is no row; reading goes on after it. */
  onMalformed: (row: MalformedRow) => void;
  signal?: AbortSignal | undefined;
}

/**
 * The rows of a JSONL, JSON (an array, or an object with the array `examples`), CSV (with a header) or Parquet file, one
 * at a time: memory does not grow with the file, only with a Parquet row group. The ending of the name tells the format.
 *
 * @throws bad-input (another ending), corrupt-data (no way to read on), not-found, file-system, interrupted
 */
export async function* readRows(file: string, given: RowFileOptions): AsyncGenerator<RawRow, void, undefined> {
  const options = { ...given, signal: interruptible(given.signal) };
  const { signal } = options;
  let last = "";
  try {
    for await (const row of rowsOf(file, options)) {
      signal?.throwIfAborted();
      last = ` after ${row.place}`;
      yield row;
    }
  } catch (error) {
    if (error instanceof ThoughtbookError) throw error;
    if (signal?.aborted) {
      throw new ThoughtbookError("interrupted", `reading ${file} was interrupted`, {
        hint: "Run it again.",
        cause: signal.reason,
      });
    }
    // System calls name themselves in their errors, parsers do not.
    if ((error as NodeJS.ErrnoException).syscall) throw fileSystemError(error, "read", file);
    throw new ThoughtbookError("corrupt-data", `cannot read ${file}${last}: ${(error as Error).message}`, {
      hint: "Download or produce the file again.",
      cause: error,
    });
  }
}

function rowsOf(file: string, options: RowFileOptions): AsyncIterable<RawRow> {
  const ending = extname(file).toLowerCase();
  switch (ending) {
    case ".jsonl":
      return readJsonlRows(file, options);
    case ".json":
      return numbered(readJson(file));
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

async function* readJson(file: string): AsyncGenerator<unknown> {
  const source = createReadStream(file);
  const elements =
    (await firstCharacter(file)) === "["
      ? pipeline(source, streamArray.withParserAsStream(), ignoreError)
      : pipeline(source, pick.withParserAsStream({ filter: "examples" }), streamArray.asStream(), ignoreError);
  for await (const { value } of elements as AsyncIterable<{ value: unknown }>) yield value;
}

// The error also reaches whoever iterates over the last stream.
const ignoreError = () => {};

async function firstCharacter(file: string): Promise<string | undefined> {
  for await (const chunk of createReadStream(file, "utf8")) {
    const found = /[^\s\uFEFF]/.exec(chunk as string);
    if (found) return found[0];
  }
  return undefined;
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
