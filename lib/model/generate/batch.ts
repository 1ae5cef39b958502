import { bucketOf, emptyTensor, isTensorData, type TensorData } from "../../tensor/index.js";
import type { HostModel } from "../network/host-model.js";
import { type Cache, copyRow, createCache } from "./cache.js";
import type { NextScores, StepState } from "./programs.js";
import { type Reading, rowOf } from "./reading.js";
import type { ReadingPace } from "./reading-pace.js";
import type { ResolvedRequest } from "./request.js";
import type { PromptTensor, Runner } from "./runner.js";
import { capacityBuckets, promptBuckets, rowBuckets } from "./sizes.js";
import type { SubmittedText } from "./submission.js";

/** The texts in progress, one per row, and their keys and values. */
export interface Batch {
  readonly rows: number;
  /** Capacity of a row, in tokens. */
  readonly capacity: number;
  /** The text in each row; undefined for a row that is free or whose prompt is being read. */
  readonly sequences: (SubmittedText | undefined)[];
  /** The prompt that is being read in a row, or for it in the first of its rows. */
  readonly readings: (Reading | undefined)[];
  readonly cache: Cache;
  /** Scores for the next token of each row, after its last token. Valid until the next call. */
  step(): Promise<NextScores>;
  /**
   * Keys and values of the rest of some prompts, and the scores of their next tokens. Valid until the next call.
   *
   * @param beginning keys and values of tokens that all of them begin with
   */
  prefill(requests: readonly ResolvedRequest[], beginning: Beginning): Promise<{ cache: Cache; scores: NextScores }>;
  /** Put a text, the rest of whose prompt is in a row of another cache, into a free row. */
  place(sequence: SubmittedText, beginning: Beginning, from: Cache, fromRow: number): void;
  /** Give a prompt that is read in pieces its rows. */
  begin(reading: Reading, beginning: Beginning): void;
  /** Compile what the next piece needs, if that is to do; returns whether it was. */
  prepare(reading: Reading): Promise<boolean>;
  /** Read the next piece; returns the scores of its next token. */
  read(reading: Reading): Promise<NextScores>;
  /** Put texts into the rows of a prompt that is read; further rows are free. */
  settle(reading: Reading, sequences: readonly SubmittedText[]): void;
  /** Move the texts to a batch with another number of rows, or another capacity. */
  resize(rows: number, capacity: number): void;
}

/** Tokens that are known before a prompt is read. */
export interface Beginning {
  length: number;
  copyTo(cache: Cache, row: number): void;
}

export interface BatchOptions {
  model: HostModel;
  runner: Runner;
  pace: ReadingPace;
  /** Initial number of rows. */
  rows: number;
  /** Initial capacity of a row, in tokens. */
  capacity: number;
}

export function createBatch({ model, runner, pace, rows, capacity }: BatchOptions): Batch {
  const { config } = model;
  const lengthBuckets = promptBuckets(model);
  const capacities = capacityBuckets(model);
  let sequences: (SubmittedText | undefined)[] = [];
  let readings: (Reading | undefined)[] = [];
  let cache: Cache;
  let state: StepState;
  let ids: Int32Array;
  let lengths: Int32Array;
  /** Each row's memory, for pieces. */
  let views: Cache[];

  const allocate = (newRows: number, newCapacity: number) => {
    cache = createCache(config, newRows, newCapacity);
    const idTensor = emptyTensor([newRows, 1], "int32");
    const lengthTensor = emptyTensor([newRows], "int32");
    ids = idTensor.data;
    lengths = lengthTensor.data;
    const { keys, values } = cache;
    const spare = emptyTensor([newRows, config.vocabularySize], "float32");
    state = { ids: idTensor, lengths: lengthTensor, cache: { keys, values }, spare };
    sequences = Array.from({ length: newRows });
    readings = Array.from({ length: newRows });
    views = [];
  };
  const move = (newRows: number, newCapacity: number) => {
    const [oldCache, oldTexts, oldReadings] = [cache, sequences, readings];
    allocate(newRows, newCapacity);
    let next = 0;
    for (const [row, sequence] of oldTexts.entries()) {
      const reading = oldReadings[row];
      if (!sequence && !reading) continue;
      // The last token is not in the cache yet.
      if (sequence) copyRow(oldCache, row, cache, next, tokensOf(sequence) - 1);
      else if (oldReadings.indexOf(reading) === row) copyRow(oldCache, row, cache, next, reading!.read);
      sequences[next] = sequence;
      readings[next++] = reading;
    }
  };
  const freeRow = () => sequences.findIndex((sequence, row) => !sequence && !readings[row]);
  /** The next piece of a prompt. What is left over at the end of a row begins earlier, with tokens that are read already. */
  const nextPiece = (reading: Reading) => {
    const { request, read } = reading;
    const row = readings.indexOf(reading);
    views[row] ??= rowOf(cache, row);
    const time = pace.piece(read, request.length - read, cache.capacity);
    const from = Math.min(read, cache.capacity - time);
    const count = Math.min(time, request.length - from);
    const prompt = padPrompts([request], 1, from, time, config.hiddenSize);
    return { prompt, count, from, cache: views[row] };
  };
  allocate(rows, capacity);

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
    get readings() {
      return readings;
    },
    get cache() {
      return cache;
    },
    async step() {
      let longest = 1;
      for (const sequence of sequences) if (sequence) longest = Math.max(longest, tokensOf(sequence));
      if (longest > cache.capacity) move(cache.rows, bucketOf(longest, capacities));
      for (let row = 0; row < cache.rows; row++) {
        const sequence = sequences[row];
        const reading = readings[row];
        ids[row] = sequence ? sequence.ids.at(-1)! : 0;
        // Rows without a text get a token too: where a prompt is being read, its next piece will overwrite it.
        lengths[row] = sequence
          ? tokensOf(sequence)
          : reading && readings.indexOf(reading) === row
            ? reading.read + 1
            : 1;
      }
      const scores = await runner.step(state);
      state.spare = scores.logProbs;
      return scores;
    },
    async prefill(requests, beginning) {
      const from = beginning.length;
      const longest = Math.max(...requests.map(({ length }) => length - from));
      const time = bucketOf(longest, lengthBuckets);
      const most = Math.max(requests.length, Math.floor(pace.together(from) / time));
      const count = bucketOf(requests.length, rowBuckets(most));
      const prompt = padPrompts(requests, count, from, time, config.hiddenSize);
      const last = emptyTensor([count], "int32");
      for (const [row, { length }] of requests.entries()) last.data[row] = row * time + length - from - 1;
      if (from === 0) return runner.prefill({ prompt, last });
      const before = createCache(config, 1, bucketOf(from, capacities));
      beginning.copyTo(before, 0);
      return runner.prefillAfter!({ prompt, last, before, from });
    },
    place(sequence, beginning, from, fromRow) {
      const row = freeRow();
      beginning.copyTo(cache, row);
      copyRow(from, fromRow, cache, row, sequence.request.length - beginning.length, beginning.length);
      sequences[row] = sequence;
    },
    begin(reading, beginning) {
      for (let sample = 0; sample < reading.count; sample++) readings[freeRow()] = reading;
      beginning.copyTo(cache, readings.indexOf(reading));
    },
    prepare: async (reading) => (await runner.preparePiece?.(nextPiece(reading))) ?? false,
    async read(reading) {
      const piece = nextPiece(reading);
      const scores = await runner.piece(piece);
      reading.read = piece.from + piece.count;
      reading.computed += piece.count;
      return scores;
    },
    settle(reading, texts) {
      const first = readings.indexOf(reading);
      const own = [...readings.keys()].filter((row) => readings[row] === reading);
      for (const [at, row] of own.entries()) {
        const sequence = texts[at];
        readings[row] = undefined;
        sequences[row] = sequence;
        if (sequence && row !== first) copyRow(cache, first, cache, row, reading.request.length);
      }
    },
    resize: move,
  };
}

const tokensOf = ({ request, ids }: SubmittedText): number => request.length + ids.length;

/** Tokens of some prompts from a place on, as rows with padding on the right. */
function padPrompts(
  requests: readonly ResolvedRequest[],
  rows: number,
  from: number,
  time: number,
  width: number,
): PromptTensor {
  if (!isTensorData(requests[0]!.prompt)) {
    const padded = emptyTensor([rows, time], "int32");
    for (const [row, { prompt }] of requests.entries())
      padded.data.set((prompt as readonly number[]).slice(from, from + time), row * time);
    return padded;
  }
  const padded = emptyTensor([rows, time, width], "float32");
  for (const [row, { prompt }] of requests.entries()) {
    const { data } = prompt as TensorData<"float32">;
    padded.data.set(data.subarray(from * width, (from + time) * width), row * time * width);
  }
  return padded;
}
