import { createRandom, type Random } from "../../core/index.js";
import { bucketBatches, bucketSizes } from "../../tensor/index.js";
import type { ExampleSize } from "../examples/examples.js";

/** Where an example stands in a batch. */
export interface Placed {
  /** Place in the list of examples. */
  example: number;
  row: number;
  /** Column of its first token. */
  column: number;
}

/** One batch before its tensors are made. */
export interface BatchPlan {
  rows: number;
  /** Tokens a row. */
  length: number;
  placed: readonly Placed[];
}

/** The shape that all batches of a run share, so that one program is compiled. */
export interface Grid {
  rows: number;
  length: number;
  /** Examples a batch, on average. */
  batchSize: number;
}

/** Row lengths are multiples of it. */
const STEP = 8;
/** How much longer than the longest text rows may be: longer ones fill better. */
const ROW_LENGTHS = [1, 1.25, 1.5, 2, 3, 4];
/** How many more rows than needed for the tokens alone are tried. */
const SPARE_ROWS = [0, 1, 2];
/** Number of batches packed to see how well a grid fills. */
const TRIALS = 64;

/**
 * The grid into which about `batchSize` texts are packed: of some that are tried, the one in which all texts cost the
 * least. A place in a row costs what the linear layers do, and attention adds (row length / 6 · hidden size) of it.
 */
export function chooseGrid(
  sizes: readonly ExampleSize[],
  {
    batchSize,
    hiddenSize,
    longest = longestOf(sizes),
  }: { batchSize: number; hiddenSize: number; longest?: number | undefined },
): Grid {
  const inBatch = Math.min(batchSize, sizes.length);
  const order = createRandom("grid").shuffle([...sizes.keys()]);
  const sample = order.slice(0, inBatch * TRIALS).map((index) => sizes[index]!);
  const planned = Math.ceil(sample.length / inBatch);
  const tokens = sample.reduce((sum, size) => sum + size.tokens, 0);
  const grids = ROW_LENGTHS.flatMap((factor) => {
    const length = Math.ceil((longest * factor) / STEP) * STEP;
    return SPARE_ROWS.map((spare) => {
      const rows = Math.ceil(tokens / planned / length) + spare;
      const batches = packBatches(sample, { rows, length, batchSize: inBatch }).length;
      const cost = batches * rows * length * (1 + length / (6 * hiddenSize));
      return { rows, length, batchSize: sample.length / batches, cost };
    });
  });
  const { cost: _, ...grid } = grids.reduce((best, each) => (each.cost < best.cost ? each : best));
  return grid;
}

const longestOf = (sizes: readonly ExampleSize[]): number =>
  sizes.reduce((most, { tokens }) => Math.max(most, tokens), 1);

/** How often packing begins anew with a batch more, because the last texts did not fit. */
const MOST_TRIES = 5;

/**
 * Batches of one epoch in which rows hold several texts: every example once, and nearly equal numbers of tokens in each
 * batch, so that no update follows from a few tokens only.
 *
 * @param random where the order comes from; without it, that of the list
 */
export function packBatches(sizes: readonly ExampleSize[], grid: Grid, random?: Random): BatchPlan[] {
  const order = random ? random.shuffle([...sizes.keys()]) : [...sizes.keys()];
  // Rounded first: a whole number of batches may come out of the division as a little more.
  let planned = Math.ceil(Number((order.length / grid.batchSize).toFixed(6)));
  for (let tries = 1; ; tries++) {
    const batches = packInOrder(order, sizes, grid, planned);
    if (batches.length <= planned || tries === MOST_TRIES) return batches;
    planned = batches.length;
  }
}

function packInOrder(
  order: readonly number[],
  sizes: readonly ExampleSize[],
  grid: Grid,
  planned: number,
): BatchPlan[] {
  let left = sizes.reduce((sum, { tokens }) => sum + tokens, 0);
  const batches: BatchPlan[] = [];
  let next = 0;
  // What did not fit comes first in the next batch.
  let waiting: number[] = [];
  while (next < order.length || waiting.length > 0) {
    const wanted = left / Math.max(1, planned - batches.length);
    const chosen = waiting;
    let tokens = chosen.reduce((sum, example) => sum + sizes[example]!.tokens, 0);
    while (next < order.length && tokens < wanted) {
      const example = order[next++]!;
      chosen.push(example);
      tokens += sizes[example]!.tokens;
    }
    const placed = fillRows(chosen, sizes, grid);
    const isPlaced = new Set(placed.map(({ example }) => example));
    for (const { example } of placed) left -= sizes[example]!.tokens;
    waiting = chosen.filter((example) => !isPlaced.has(example));
    batches.push({ rows: grid.rows, length: grid.length, placed });
  }
  return batches;
}

/** Put texts into rows, long ones first, each into the fullest row with room for it (best fit, decreasing). */
function fillRows(indices: readonly number[], sizes: readonly ExampleSize[], { rows, length }: Grid): Placed[] {
  const used = new Array<number>(rows).fill(0);
  const placed: Placed[] = [];
  for (const example of [...indices].sort((a, b) => sizes[b]!.tokens - sizes[a]!.tokens)) {
    const { tokens } = sizes[example]!;
    let row = -1;
    for (let each = 0; each < rows; each++) {
      if (used[each]! + tokens <= length && (row < 0 || used[each]! > used[row]!)) row = each;
    }
    if (row < 0) continue;
    placed.push({ example, row, column: used[row]! });
    used[row] = used[row]! + tokens;
  }
  return placed;
}

/** The most that a row of a bucket is longer than those of the bucket before. */
const BUCKET_GROWTH = 1.5;

/** Batches of one epoch in which a row holds one text and rows of like length go together. */
export function bucketPlans(sizes: readonly ExampleSize[], batchSize: number, random?: Random): BatchPlan[] {
  const lengths = sizes.map(({ tokens }) => tokens);
  const longest = Math.ceil(Math.max(...lengths) / STEP) * STEP;
  const buckets = bucketSizes({ longest, growth: BUCKET_GROWTH, multipleOf: STEP });
  const rows = Math.min(batchSize, sizes.length);
  return bucketBatches(lengths, { sizes: buckets, batchSize: rows, ...(random ? { random } : {}) }).map(
    ({ indices, length, rows }) => ({
      rows,
      length,
      placed: indices.map((example, row) => ({ example, row, column: 0 })),
    }),
  );
}
