import { bucketOf, bucketSizes, emptyTensor, isTensorData, type TensorData } from "../../tensor/index.js";
import type { HostModel } from "../network/host-model.js";
import { type Cache, cacheBytes, copyRow, createCache } from "./cache.js";
import type { NextScores, StepState } from "./programs.js";
import type { ResolvedRequest } from "./request.js";
import type { Runner } from "./runner.js";
import type { SubmittedText } from "./submission.js";

/** The texts in progress, one per row, and their keys and values. */
export interface Batch {
  readonly rows: number;
  /** Capacity of a row, in tokens. */
  readonly capacity: number;
  /** The text in each row; undefined for a free row. */
  readonly sequences: (SubmittedText | undefined)[];
  /** Scores for the next token of each row, after its last token. Valid until the next call. */
  step(): Promise<NextScores>;
  /** Keys and values of some prompts, and the scores of their next tokens. Valid until the next call. */
  prefill(requests: readonly ResolvedRequest[]): Promise<{ cache: Cache; scores: NextScores }>;
  /** Put a text, whose prompt is in a row of another cache, into a free row. */
  place(sequence: SubmittedText, from: Cache, fromRow: number): void;
  /** Move the texts to a batch with another number of rows, or another capacity. */
  resize(rows: number, capacity: number): void;
}

/**
 * Maximum tokens of prompts computed at once, padding included: more do not fit the processor's cache, and are slower.
 */
const PREFILL_TOKENS = 2048;
/** New tokens that a row has room for at first, if the request allows more: attention costs grow with the capacity. */
const FIRST_ROOM = 64;
const CACHE_BYTES = 2 ** 30;
/** Maximum texts in progress at the same time, if their keys and values are small. */
export const BATCH_SIZE = 64;

export interface BatchOptions {
  model: HostModel;
  runner: Runner;
  /** Initial number of rows. */
  rows: number;
  /** Initial capacity of a row, in tokens. */
  capacity: number;
}

/** Sizes that capacities are rounded up to. */
function capacityBuckets({ config }: HostModel): number[] {
  return bucketSizes({ longest: config.maxPositions, multipleOf: Math.min(64, config.maxPositions), growth: 1.5 });
}

/** Sizes of padded prompts: at most a third is padding, except for short ones. */
export function promptBuckets({ config }: HostModel): number[] {
  return bucketSizes({ longest: config.maxPositions, multipleOf: Math.min(16, config.maxPositions), growth: 1.5 });
}

/** Sizes that the number of rows is rounded up to. */
export function rowBuckets(batchSize: number): number[] {
  return bucketSizes({ longest: batchSize, multipleOf: 1 });
}

/** Capacity that rows should have, for texts with `length` tokens that get at most `limit` more. */
export function roomFor(model: HostModel, texts: readonly { length: number; limit: number }[]): number {
  const needed = texts.reduce((most, { length, limit }) => Math.max(most, length + Math.min(limit, FIRST_ROOM)), 1);
  return bucketOf(needed, capacityBuckets(model));
}

/** Default maximum number of texts in progress: fewer if their keys and values would take too much memory. */
export function mostRows({ config }: HostModel, capacity: number): number {
  const fitting = Math.max(1, Math.floor(CACHE_BYTES / (cacheBytes(config) * capacity)));
  return Math.min(BATCH_SIZE, fitting);
}

export function createBatch({ model, runner, rows, capacity }: BatchOptions): Batch {
  const { config } = model;
  const lengthBuckets = promptBuckets(model);
  const capacities = capacityBuckets(model);
  let sequences: (SubmittedText | undefined)[] = [];
  let cache: Cache;
  let state: StepState;
  let ids: Int32Array;
  let lengths: Int32Array;

  const allocate = (newRows: number, newCapacity: number) => {
    cache = createCache(config, newRows, newCapacity);
    const idTensor = emptyTensor([newRows, 1], "int32");
    const lengthTensor = emptyTensor([newRows], "int32");
    ids = idTensor.data;
    lengths = lengthTensor.data;
    const { keys, values } = cache;
    const spare = emptyTensor([newRows, config.vocabularySize], "float32");
    state = { ids: idTensor, lengths: lengthTensor, cache: { keys, values }, spare };
  };
  const move = (newRows: number, newCapacity: number) => {
    const [oldCache, old] = [cache, sequences];
    allocate(newRows, newCapacity);
    sequences = Array.from({ length: newRows });
    let next = 0;
    for (const [row, sequence] of old.entries()) {
      if (!sequence) continue;
      // The last token is not in the cache yet.
      copyRow(oldCache, row, cache, next, tokensOf(sequence) - 1);
      sequences[next++] = sequence;
    }
  };
  allocate(rows, capacity);
  sequences = Array.from({ length: rows });

  return {
    get rows() {
      return cache.rows;
    },
    get capacity() {
      return cache.capacity;
    },
    get sequences() {
      return sequences;
    },
    async step() {
      let longest = 1;
      for (const sequence of sequences) if (sequence) longest = Math.max(longest, tokensOf(sequence));
      if (longest > cache.capacity) move(cache.rows, bucketOf(longest, capacities));
      for (let row = 0; row < cache.rows; row++) {
        const sequence = sequences[row];
        ids[row] = sequence ? sequence.ids.at(-1)! : 0;
        lengths[row] = sequence ? tokensOf(sequence) : 1;
      }
      const scores = await runner.step(state);
      state.spare = scores.logProbs;
      return scores;
    },
    async prefill(requests) {
      const longest = Math.max(...requests.map(({ length }) => length));
      const time = bucketOf(longest, lengthBuckets);
      const count = bucketOf(requests.length, rowBuckets(Math.max(requests.length, prefillRows(time))));
      const embedded = isTensorData(requests[0]!.prompt);
      const prompt = embedded ? padEmbeddings(requests, count, time, config.hiddenSize) : padIds(requests, count, time);
      const last = emptyTensor([count], "int32");
      for (const [row, { length }] of requests.entries()) last.data[row] = row * time + length - 1;
      return runner.prefill({ prompt, last });
    },
    place(sequence, from, fromRow) {
      const row = sequences.indexOf(undefined);
      copyRow(from, fromRow, cache, row, sequence.request.length);
      sequences[row] = sequence;
    },
    resize: move,
  };
}

/** Prompts of a padded length that are computed at once. */
export function prefillRows(time: number): number {
  return Math.max(1, Math.floor(PREFILL_TOKENS / time));
}

const tokensOf = ({ request, ids }: SubmittedText): number => request.length + ids.length;

function padIds(requests: readonly ResolvedRequest[], rows: number, time: number): TensorData<"int32"> {
  const padded = emptyTensor([rows, time], "int32");
  for (const [row, { prompt }] of requests.entries()) padded.data.set(prompt as readonly number[], row * time);
  return padded;
}

function padEmbeddings(
  requests: readonly ResolvedRequest[],
  rows: number,
  time: number,
  width: number,
): TensorData<"float32"> {
  const padded = emptyTensor([rows, time, width], "float32");
  for (const [row, { prompt }] of requests.entries()) {
    padded.data.set((prompt as TensorData<"float32">).data, row * time * width);
  }
  return padded;
}
