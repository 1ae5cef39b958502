import { groupBy } from "../../core/index.js";
import { type BucketBatch, bucketBatches, bucketOf, bucketSizes } from "../../tensor/index.js";

/** A text to score: its ids, and the place of the first one that is scored. */
export interface ScoreText {
  ids: readonly number[];
  from: number;
}

/**
 * A row of a batch: one text, or several that begin alike. What they share, the shared prefix, stands in it once, and the texts'
 * own parts one after another behind it; each sees the shared prefix and itself.
 */
export interface ScoreRow {
  /** Places of the texts in the list. */
  texts: number[];
  /** How many tokens all of them begin with; 0 for one text. */
  prefix: number;
  /** In which column each text's own part begins. */
  starts: number[];
  /** Columns in all. */
  length: number;
}

/** At most so many tokens, padding included, are computed at once: with twice as many `mini` is slower, out of cache. */
export const BATCH_TOKENS = 2048;
/** From so many rows on lengths are padded less: what more programs cost to compile is then saved. */
const MANY = 100;
/** Fewer shared tokens are not worth another program. */
const LEAST_PREFIX = 8;
/** More texts in a row make the mask larger than what is saved. */
const MOST_TEXTS = 16;

/** One row for each text. */
export const singleRows = (lengths: readonly number[]): ScoreRow[] =>
  lengths.map((length, text) => ({ texts: [text], prefix: 0, starts: [0], length }));

/**
 * Rows in which neighbours that begin alike are together where that is less to compute. The last token of each text is a
 * target only and has no column.
 *
 * @param width of the model: the wider, the less attention costs beside all else
 */
export function sharedRows(
  texts: readonly ScoreText[],
  { width, longest }: { width: number; longest: number },
): ScoreRow[] {
  // Of a row of so many columns, in units of what a column costs for each other one that it attends to; softmax and
  // memory make attention dearer than its operations.
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

/** The row with one more text, if enough is shared. */
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

/** How many ids two texts begin with alike, at most so many, and not all of either. */
function sharedLength(a: readonly number[], b: readonly number[], most: number): number {
  const end = Math.min(most, b.length - 1);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** In which column of its row a text's token stands. */
export const columnOf = ({ prefix, starts }: ScoreRow, member: number, place: number): number =>
  place < prefix ? place : starts[member]! + place - prefix;

/** Rows of like length together, at most {@link BATCH_TOKENS} tokens at a time. Indices are those of rows. */
export function planRows(rows: readonly ScoreRow[], longest: number, batchSize: number | undefined): BucketBatch[] {
  const growth = rows.length < MANY ? 1.5 : 1.125;
  const sizes = bucketSizes({ longest, multipleOf: Math.min(16, longest), growth });
  // Shared rows have a program of their own.
  const groups = groupBy(rows.keys(), (index) => `${bucketOf(rows[index]!.length, sizes)} ${rows[index]!.prefix > 0}`);
  return [...groups.values()].flatMap((indices) => {
    const size = bucketOf(rows[indices[0]]!.length, sizes);
    const most = batchSize ?? Math.max(1, Math.floor(BATCH_TOKENS / size));
    const batches = bucketBatches(
      indices.map((index) => rows[index]!.length),
      { sizes: [size], batchSize: most, rowSizes: bucketSizes({ longest: most, multipleOf: 1 }) },
    );
    return batches.map((batch) => ({ ...batch, indices: batch.indices.map((place) => indices[place]!) }));
  });
}
