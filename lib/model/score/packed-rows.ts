import { groupBy } from "../../core/index.js";
import { type BucketBatch, bucketBatches, bucketOf, bucketSizes } from "../../tensor/index.js";

/** A text to score: its ids, and the index of the first one that is scored. */
export interface ScoreText {
  ids: readonly number[];
  from: number;
}

/**
 * A row of a batch: one text, or several with a shared prefix. The prefix stands in the row once, followed by the
 * texts' own parts; each of these sees the shared prefix and itself.
 */
export interface ScoreRow {
  /** Indices of the texts in the list. */
  texts: number[];
  /** Length of the shared prefix; 0 for a single text. */
  prefix: number;
  /** Column at which each text's own part begins. */
  starts: number[];
  /** Number of columns. */
  length: number;
}

/**
 * Maximum tokens computed at once, padding included: with twice as many `mini` is slower, as they do not fit the
 * processor's cache.
 */
export const BATCH_TOKENS = 2048;
/** From this many rows on, lengths are padded less: that saves what compiling more programs costs. */
const MANY = 100;
/** Minimum length of a shared prefix; a shorter one is not worth another program. */
const LEAST_PREFIX = 8;
/** Maximum texts in a row: with more, the mask costs more than what is saved. */
const MOST_TEXTS = 16;

/** One row per text. */
export const singleRows = (lengths: readonly number[]): ScoreRow[] =>
  lengths.map((length, text) => ({ texts: [text], prefix: 0, starts: [0], length }));

/**
 * Merge neighbouring texts with a shared prefix into one row where that is less to compute. The last token of each text
 * is only a target and has no column.
 *
 * @param width hidden size of the model: the larger, the less attention costs relative to all else
 */
export function sharedRows(
  texts: readonly ScoreText[],
  { width, longest }: { width: number; longest: number },
): ScoreRow[] {
  // Cost of a row with this many columns, in units of the cost of a column per other column that it attends to; softmax
  // and memory make attention dearer than its operations.
  const cost = (columns: number) => columns * (width + columns);
  const rows: ScoreRow[] = [];
  for (const [text, { ids }] of texts.entries()) {
    const row = rows.at(-1);
    const joined = row && joinRow(row, texts, text);
    const isBetter =
      joined !== undefined &&
      joined.length <= longest &&
      cost(joined.length) < cost(row!.length) + cost(ids.length - 1);
    if (isBetter) rows[rows.length - 1] = joined;
    else rows.push({ texts: [text], prefix: 0, starts: [0], length: ids.length - 1 });
  }
  return rows;
}

/** The row with one more text, if the shared prefix is long enough. */
function joinRow(row: ScoreRow, texts: readonly ScoreText[], text: number): ScoreRow | undefined {
  if (row.texts.length === MOST_TEXTS) return undefined;
  const first = texts[row.texts[0]!]!.ids;
  const most = row.prefix > 0 ? row.prefix : first.length - 1;
  const prefix = sharedLength(first, texts[text]!.ids, most);
  if (prefix < LEAST_PREFIX) return undefined;
  const members = [...row.texts, text];
  let length = prefix;
  const starts = members.map((member) => {
    const start = length;
    length += Math.max(0, texts[member]!.ids.length - 1 - prefix);
    return start;
  });
  return { texts: members, prefix, starts, length };
}

/** Length of the common prefix of two texts, up to a limit, and less than either text. */
function sharedLength(a: readonly number[], b: readonly number[], most: number): number {
  const end = Math.min(most, b.length - 1);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** Column of a text's token in its row. */
export const columnOf = ({ prefix, starts }: ScoreRow, member: number, place: number): number =>
  place < prefix ? place : starts[member]! + place - prefix;

/** Group rows of similar length, so many tokens at a time. Indices are those of rows. */
export function planRows(
  rows: readonly ScoreRow[],
  longest: number,
  batchSize: number | undefined,
  tokens: number = BATCH_TOKENS,
): BucketBatch[] {
  const growth = rows.length < MANY ? 1.5 : 1.125;
  const sizes = bucketSizes({ longest, multipleOf: Math.min(16, longest), growth });
  // Shared rows have a program of their own.
  const groups = groupBy(rows.keys(), (index) => `${bucketOf(rows[index]!.length, sizes)} ${rows[index]!.prefix > 0}`);
  return [...groups.values()].flatMap((indices) => {
    const size = bucketOf(rows[indices[0]]!.length, sizes);
    const most = batchSize ?? Math.max(1, Math.floor(tokens / size));
    const batches = bucketBatches(
      indices.map((index) => rows[index]!.length),
      { sizes: [size], batchSize: most, rowSizes: bucketSizes({ longest: most, multipleOf: 1 }) },
    );
    return batches.map((batch) => ({ ...batch, indices: batch.indices.map((place) => indices[place]!) }));
  });
}
