import type { ZodType } from "zod";
import type { Failure, Result } from "../../../answer/index.js";
import type { DatasetRecord } from "../records.js";

/** A record before it has its id; `key` is the set's own id of the row. */
export type Draft<R extends DatasetRecord> = R extends unknown ? Omit<R, "id"> & { key?: string | number } : never;

/** Maps a row as it stands in a file to a record; undefined for a row that is not part of the set. */
export type RowReader<R extends DatasetRecord> = (row: unknown) => Result<Draft<R>> | undefined;

/** Create a reader of rows with the given `schema`; `map` may refuse a row with `malformed`. */
export function rowReader<Row, R extends DatasetRecord>(
  schema: ZodType<Row>,
  map: (row: Row) => Draft<R> | Failure | undefined,
): RowReader<R> {
  return (row) => {
    const parsed = checkShape(schema, row);
    if (!parsed.ok) return parsed;
    const draft = map(parsed.value);
    if (draft === undefined || "ok" in draft) return draft;
    return { ok: true, value: draft };
  };
}

/** The value if it fits the schema, else the first reason why not. */
export function checkShape<T>(schema: ZodType<T>, value: unknown): Result<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const { path, message } = parsed.error.issues[0]!;
  return malformed(path.length > 0 ? `${path.join(".")}: ${message}` : message);
}

export const malformed = (reason: string): Failure => ({ ok: false, reason });

/** Whether a row has the field: distinguishes the layouts of a set. */
export const hasField = (row: unknown, field: string): boolean =>
  typeof row === "object" && row !== null && Object.hasOwn(row, field);
