import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { ZodType } from "zod";
import { badInput, fileSystemError, ThoughtbookError } from "./errors.js";
import { checkInterrupt } from "./interrupt.js";
import { strictJson } from "./json.js";
import { isLfsPointer, lfsPointerError } from "./lfs-pointer.js";

const NEWLINE = 10;
const TRUNCATED = "the file ends in the middle of a record";

/** A value and the line it stands on, counted from 1. */
export interface JsonlEntry<T> {
  line: number;
  value: T;
}

/** A line that is not what was expected. */
export interface JsonlIssue {
  file: string;
  line: number;
  reason: string;
}

export interface ReadJsonlOptions<T> {
  /** Schema of each value; without it the values are not checked. */
  schema?: ZodType<T> | undefined;
  /**
   * Called with each malformed line, which is then skipped; without it the first one is an error. A file that ends in
   * the middle of a record is always an error: an unknown amount of data is missing.
   */
  onMalformed?: ((issue: JsonlIssue) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Appends values to a JSONL file, one whole line each. */
export interface JsonlWriter {
  /** Bytes of a partial last line, left by a killed run, that were cut off; 0 if there was none. */
  readonly repairedBytes: number;
  /** Resolves once the value is written; values are written in the order of the calls. Throws bad-input, file-system. */
  append(value: unknown): Promise<void>;
  /** Wait for the pending values, then close the file. */
  close(): Promise<void>;
}

/**
 * Read a JSONL file (UTF-8, one JSON value a line, blank lines allowed) value by value; memory does not grow with the
 * file.
 *
 * @throws corrupt-data naming file and line, not-found, file-system, interrupted
 */
export async function* readJsonl<T = unknown>(
  file: string,
  { schema, onMalformed, signal }: ReadJsonlOptions<T> = {},
): AsyncGenerator<JsonlEntry<T>, void, undefined> {
  let line = 0;
  const read = (bytes: Buffer, ended: boolean): JsonlEntry<T> | undefined => {
    line += 1;
    const result = parseLine(bytes, ended, schema);
    if (result === undefined) return undefined;
    if ("value" in result) return { line, value: result.value };
    if (line === 1 && isLfsPointer(bytes.toString())) throw lfsPointerError(file, bytes.toString());
    const issue = { file, line, reason: result.reason };
    if (onMalformed === undefined || issue.reason === TRUNCATED) throw malformed(issue);
    onMalformed(issue);
    return undefined;
  };

  // Lines are split here, as bytes: node:readline would also split at U+2028, which is legal inside a JSON string.
  let pending: Buffer[] = [];
  for await (const chunk of readChunks(file, signal)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      checkInterrupt(signal, `reading ${file}`);
      pending.push(chunk.subarray(start, end));
      const entry = read(pending.length === 1 ? pending[0]! : Buffer.concat(pending), true);
      pending = [];
      start = end + 1;
      if (entry !== undefined) yield entry;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  const last = pending.length > 0 ? read(Buffer.concat(pending), false) : undefined;
  if (last !== undefined) yield last;
}

/**
 * Open a JSONL file for appending; missing folders are made. If the file ends in the middle of a record, that partial
 * line is cut off first.
 *
 * @throws file-system
 */
export async function openJsonlWriter(file: string): Promise<JsonlWriter> {
  const fail = (error: unknown): never => {
    throw fileSystemError(error, "write to", file);
  };
  await mkdir(dirname(file), { recursive: true }).catch(fail);
  const handle = await open(file, "a+").catch(fail);
  const repairedBytes = await repairEnd(handle).catch(async (error: unknown) => {
    await handle.close();
    return fail(error);
  });

  // A failed write rejects all later ones too: they would be glued to the partial line it may have left.
  let queue: Promise<void> = Promise.resolve();
  let closed = false;
  return {
    repairedBytes,
    async append(value) {
      const bytes = Buffer.from(`${strictJson(value)}\n`);
      if (closed) {
        throw badInput(`cannot write to ${file}: it was closed`, "Append before you call close().");
      }
      queue = queue.then(() => writeAll(handle, bytes).catch(fail));
      return queue;
    },
    async close() {
      if (closed) return;
      closed = true;
      await queue.catch(() => {}); // Whoever appended has received the error already.
      await handle.close().catch(fail);
    },
  };
}

async function* readChunks(file: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* createReadStream(file, { signal, highWaterMark: 1 << 18 });
  } catch (error) {
    checkInterrupt(signal, `reading ${file}`);
    throw fileSystemError(error, "read", file);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true }); // It also drops a byte order mark.

/** A line's value, or why there is none; undefined for a blank line. `ended` says whether a newline follows it. */
function parseLine<T>(
  bytes: Buffer,
  ended: boolean,
  schema: ZodType<T> | undefined,
): { value: T } | { reason: string } | undefined {
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    if (text.trim() === "") return undefined;
    value = JSON.parse(text);
  } catch (error) {
    if (!ended) return { reason: TRUNCATED };
    return { reason: error instanceof SyntaxError ? `invalid JSON: ${error.message}` : "not UTF-8 text" };
  }
  if (schema === undefined) return { value: value as T };
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const { path, message } = result.error.issues[0]!;
  return { reason: path.length > 0 ? `${path.join(".")}: ${message}` : message };
}

function malformed({ file, line, reason }: JsonlIssue): ThoughtbookError {
  if (reason === TRUNCATED) {
    return new ThoughtbookError("corrupt-data", `${file} ends in the middle of a record at line ${line}`, {
      hint: "Download or produce the file again, or delete that line.",
    });
  }
  return new ThoughtbookError("corrupt-data", `${file}:${line}: ${reason}`, { hint: "Correct or delete that line." });
}

/** Make the file end with a newline (or be empty), so that the next record starts a line; gives the bytes cut off. */
async function repairEnd(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const end = await readLastLine(handle, size);
  if (end.length === 0) return 0;
  if (isRecord(end)) {
    // Complete except for its newline, as an editor may leave it: nothing is lost here.
    await writeAll(handle, Buffer.from("\n"));
    return 0;
  }
  await handle.truncate(size - end.length);
  return end.length;
}

/** The bytes after the last newline. */
async function readLastLine(handle: FileHandle, size: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - 65_536);
    const block = Buffer.alloc(end - start);
    await handle.read(block, 0, block.length, start);
    const newline = block.lastIndexOf(NEWLINE);
    blocks.unshift(block.subarray(newline + 1));
    if (newline !== -1) break;
    end = start;
  }
  return Buffer.concat(blocks);
}

/** Whether the bytes are a complete object or array; a number might be the beginning of a longer one. */
function isRecord(bytes: Buffer): boolean {
  const result = parseLine<unknown>(bytes, false, undefined);
  return result !== undefined && "value" in result && typeof result.value === "object" && result.value !== null;
}

/** Write in one call, so that a killed process leaves whole records; repeats only if the system took a part of it. */
async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}
