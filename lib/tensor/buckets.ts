import type { Random } from "../core/index.js";
import { badInput, checkWhole, groupBy } from "../core/index.js";
import { emptyTensor, type TensorData } from "./tensor-data.js";

/*
 * A compiled function is compiled once for each combination of shapes. Lengths and batch sizes that differ from example
 * to example are therefore padded to a few sizes: the buckets.
 */

export interface BucketSizesOptions {
  /** The largest size; always a bucket. */
  longest: number;
  /** The smallest bucket. Default: `multipleOf`. */
  shortest?: number;
  /**
   * Each bucket is at most this many times the one before, rounded up to a multiple: 2 for doubling (few programs, up to
   * half of a batch is padding), 1.25 for at most a fifth of padding. 1 gives every multiple.
   */
  growth?: number;
  /** Sizes are multiples of it, but for the largest. Default: 8. */
  multipleOf?: number;
}

/**
 * Bucket sizes in ascending order.
 *
 * @throws ThoughtbookError when a size is no whole number above 0, growth is below 1, or shortest above longest
 */
export function bucketSizes({
  longest,
  multipleOf = 8,
  shortest = Math.min(multipleOf, longest),
  growth = 2,
}: BucketSizesOptions): number[] {
  checkWhole("longest", longest, 1);
  checkWhole("multipleOf", multipleOf, 1);
  checkWhole("shortest", shortest, 1);
  if (!(growth >= 1 && growth < Number.POSITIVE_INFINITY))
    throw badInput(`growth is ${growth}, expected a number from 1`, "2 doubles the size from bucket to bucket.");
  if (shortest > longest) throw badInput(`shortest is ${shortest}, above longest, ${longest}`, "Swap the two.");
  const roundUp = (size: number) => Math.ceil(size / multipleOf) * multipleOf;
  const sizes: number[] = [];
  for (let size = roundUp(shortest); size < longest; ) {
    sizes.push(size);
    // Down to a multiple, so that the padding stays within the bound, but always onwards.
    size = Math.max(size + multipleOf, Math.floor((size * growth) / multipleOf) * multipleOf);
  }
  return [...sizes, longest];
}

/**
 * The smallest bucket that holds a length.
 *
 * @param sizes ascending
 * @throws ThoughtbookError when it is longer than all of them
 */
export function bucketOf(length: number, sizes: readonly number[]): number {
  const size = sizes.find((size) => size >= length);
  if (size !== undefined) return size;
  throw badInput(
    `a length of ${length} is above the largest bucket, ${sizes.at(-1) ?? "there is none"}`,
    "Shorten the example, leave it out, or add a larger bucket.",
  );
}

export interface PadOptions {
  /** Values a row gets. */
  length: number;
  /** Rows, the last ones all padding. Default: as many as there are. */
  rows?: number;
  /** What stands in the padding: a token's id, −100 for labels, 0 for masks. */
  value: number;
}

/**
 * Sequences as the rows of one tensor, with padding on the right.
 *
 * @returns `[rows, length]`
 * @throws ThoughtbookError when one of them, or their number, is larger than asked for
 */
export function padRows(
  sequences: readonly ArrayLike<number>[],
  { length, rows = sequences.length, value }: PadOptions,
): TensorData<"int32"> {
  if (sequences.length > rows)
    throw badInput(
      `there are ${sequences.length} sequences for ${rows} rows`,
      "Ask for more rows, or make two batches.",
    );
  const values = emptyTensor([rows, length], "int32");
  values.data.fill(value);
  for (const [row, sequence] of sequences.entries()) {
    if (sequence.length > length)
      throw badInput(
        `sequence ${row} has ${sequence.length} values, more than the ${length} of its row`,
        "Shorten it, or pad to a larger bucket.",
      );
    values.data.set(sequence, row * length);
  }
  return values;
}

/** Examples to be padded to one length. */
export interface BucketBatch {
  /** Places of the examples in the list. */
  indices: number[];
  /** Length of each row: a bucket. */
  length: number;
  /** Rows of the batch, at least as many as examples. */
  rows: number;
}

export interface BucketBatchesOptions {
  /** Length buckets, ascending; see {@link bucketSizes}. */
  sizes: readonly number[];
  /** Examples a batch. */
  batchSize: number;
  /**
   * What a bucket's last batch, which may have fewer examples, is padded to: the smallest of these sizes that holds it.
   * Default: `batchSize`, so that there is one program a length.
   */
  rowSizes?: readonly number[];
  /** Where the order of examples and batches comes from. Without it, both stay in the order of the list. */
  random?: Random;
}

/**
 * Group examples of like length into batches: every example once, in one epoch. With `random`, examples are shuffled
 * inside their bucket and batches among one another.
 *
 * @param lengths length of each example
 * @throws ThoughtbookError when an example is longer than the largest bucket
 */
export function bucketBatches(
  lengths: readonly number[],
  { sizes, batchSize, rowSizes = [batchSize], random }: BucketBatchesOptions,
): BucketBatch[] {
  checkWhole("batchSize", batchSize, 1);
  const order = [...lengths.keys()];
  const groups = groupBy(random ? random.stream("examples").shuffle(order) : order, (index) =>
    bucketOf(lengths[index]!, sizes),
  );
  const batches = [...groups].flatMap(([length, indices]) =>
    Array.from({ length: Math.ceil(indices.length / batchSize) }, (_, i) => {
      const chosen = indices.slice(i * batchSize, (i + 1) * batchSize);
      return { indices: chosen, length, rows: bucketOf(chosen.length, rowSizes) };
    }),
  );
  return random ? random.stream("batches").shuffle(batches) : batches;
}
