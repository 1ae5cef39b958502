import { bucketOf, isTensorData } from "../../tensor/index.js";
import type { HostModel } from "../network/host-model.js";
import type { Admission, Waiting } from "./admission.js";
import type { Batch } from "./batch.js";
import { BLOCK_TOKENS, type KnownBeginning, type PrefixStore } from "./prefix-store.js";
import type { ReadingPace } from "./reading-pace.js";
import { promptBuckets, tokensNeeded } from "./sizes.js";

/** Rows are refilled when this share of them is free: prompts are computed faster together. */
const REFILL_SHARE = 1 / 8;
/** A prompt waits for another one that begins like it, if at least this many tokens need not be read again then. */
const WORTH_WAITING = 32;
/** Prompts that a prompt waits for, one after the other, at most. */
const MOST_WAITS = 2;

/** Prompts that are computed together, as they have a padded length in common, and perhaps a known beginning. */
export interface Group {
  admissions: Admission[];
  beginning: KnownBeginning;
  /** Whether the prompt, there is only one, is read in pieces. */
  inPieces: boolean;
}

export interface NextOptions {
  model: HostModel;
  batch: Batch;
  /** Most samples to start now. */
  room: number;
  pace: ReadingPace;
  /** Beginnings that are known; undefined if none are shared. */
  store: PrefixStore | undefined;
  /** Whether prompts with a known beginning can be computed together. */
  together: boolean;
}

interface Chosen {
  admission: Admission;
  beginning: KnownBeginning;
}

const NOTHING: KnownBeginning = { length: 0, end: undefined };

/** Take as much off the queue as fits into the free rows, in groups whose prompts are computed together. */
export function nextGroups(queue: Waiting[], options: NextOptions): Group[] {
  const { model, pace } = options;
  const buckets = promptBuckets(model);
  const chosen = takeNext(queue, options);
  const alike = new Map<object, number>();
  for (const { beginning } of chosen) if (beginning.end) alike.set(beginning.end, (alike.get(beginning.end) ?? 0) + 1);
  const names = [...alike.keys()];
  const groups = new Map<string, Group[]>();
  for (const { admission, beginning: known } of chosen) {
    const { prompt, length } = admission.request;
    const isAlone = !options.together || alike.get(known.end!) === 1;
    // A prompt by itself costs more a token than beside others.
    const beginning = isAlone && 2 * known.length < length - known.length ? NOTHING : known;
    const from = beginning.length;
    const time = bucketOf(length - from, buckets);
    const isLong = time > pace.together(from) || from + time > model.config.maxPositions;
    const inPieces = isLong || (from > 0 && isAlone);
    const most = Math.max(1, Math.floor(pace.together(from) / time));
    const name = beginning.end ? names.indexOf(beginning.end) : "";
    const key = inPieces ? `in pieces ${groups.size}` : `${isTensorData(prompt)} ${time} ${name}`;
    const ofKey = groups.get(key) ?? [];
    groups.set(key, ofKey);
    if ((ofKey.at(-1)?.admissions.length ?? most) >= most) ofKey.push({ admissions: [], beginning, inPieces });
    ofKey.at(-1)!.admissions.push(admission);
  }
  return [...groups.values()].flat();
}

function takeNext(queue: Waiting[], { batch, room, store }: NextOptions): Chosen[] {
  const chosen: Chosen[] = [];
  /** Prompts that will be known soon. */
  const leaders = batch.readings.flatMap((reading) => (reading ? [reading.waiting] : []));
  const isEmpty = freeRows(batch) === batch.rows;
  let free = Math.min(freeRows(batch), room);
  for (const waiting of [...queue]) {
    if (free === 0) break;
    const { request, submission, started } = waiting;
    const left = request.samples - started;
    // Keep the samples of a request together, so that their prompt is computed once, unless the batch is too small for
    // them.
    if (left > free && !(isEmpty && chosen.length === 0)) break;
    if (tokensNeeded(request) > batch.capacity) break;
    const beginning = store?.find(waiting.blocks) ?? NOTHING;
    if (store && waitsForAnother(waiting, beginning.length, leaders)) continue;
    leaders.push(waiting);
    const count = Math.min(left, free);
    free -= count;
    waiting.started += count;
    if (waiting.started === request.samples) queue.splice(queue.indexOf(waiting), 1);
    chosen.push({ admission: { waiting, request, submission, first: started, count }, beginning });
  }
  return chosen;
}

/** Whether a prompt that is about to be read, or is being read, begins so much like it that it should wait. */
function waitsForAnother(waiting: Waiting, known: number, leaders: readonly Waiting[]): boolean {
  const { blocks, waitedFor } = waiting;
  const enough = known + WORTH_WAITING;
  if (blocks.length * BLOCK_TOKENS < enough) return false;
  for (const leader of leaders) {
    if (leader === waiting || !(waitedFor.has(leader.request) || waitedFor.size < MOST_WAITS)) continue;
    if (commonBlocks(blocks, leader.blocks) * BLOCK_TOKENS < enough) continue;
    waitedFor.add(leader.request);
    return true;
  }
  return false;
}

function commonBlocks(a: readonly string[], b: readonly string[]): number {
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  return common;
}

/** Put back what was taken off the queue and has not begun. */
export function putBack(queue: Waiting[], groups: readonly Group[]): void {
  for (const { waiting, count } of groups.flatMap(({ admissions }) => admissions).toReversed()) {
    waiting.started -= count;
    if (!queue.includes(waiting)) queue.unshift(waiting);
  }
}

export function worthFilling(batch: Batch, queue: readonly Waiting[]): boolean {
  const free = freeRows(batch);
  const { request, started } = queue[0]!;
  const together = Math.min(request.samples - started, batch.rows);
  return free >= Math.max(together, Math.min(batch.rows * REFILL_SHARE, waitingSamples(queue)));
}

export const waitingSamples = (queue: readonly Waiting[]): number =>
  queue.reduce((sum, { request, started }) => sum + request.samples - started, 0);

export function freeRows({ sequences, readings }: Batch): number {
  let free = 0;
  for (const [row, sequence] of sequences.entries()) if (!sequence && !readings[row]) free++;
  return free;
}

/** The texts in progress: tokens that each has, and the most that it may still get. */
export function textsInWork({ sequences, readings }: Batch): { length: number; limit: number }[] {
  return sequences.flatMap((sequence, row) => {
    if (readings[row]) return [readings[row].request];
    if (!sequence) return [];
    const { request, ids } = sequence;
    return [{ length: request.length + ids.length, limit: request.limit - ids.length }];
  });
}

/** Number of steps if no text ends before its limit. */
export function expectedSteps(queue: readonly Waiting[], rows: number): number {
  const longest = queue.reduce((most, { request }) => Math.max(most, request.limit), 0);
  const tokens = queue.reduce((sum, { request }) => sum + request.limit * request.samples, 0);
  return Math.max(longest, Math.ceil(tokens / rows));
}
