import { bucketOf, isTensorData } from "../../tensor/index.js";
import type { HostModel } from "../network/host-model.js";
import { type Batch, prefillRows, promptBuckets } from "./batch.js";
import type { ResolvedRequest } from "./request.js";
import type { Submission } from "./submission.js";

/** Rows are refilled when this share of them is free: prompts are computed faster together. */
const REFILL_SHARE = 1 / 8;

/** A request with samples that have not started yet. */
export interface Waiting {
  request: ResolvedRequest;
  submission: Submission;
  /** Number of samples in progress or finished. */
  started: number;
}

/** Samples of a request that are started together. */
export interface Admission {
  request: ResolvedRequest;
  submission: Submission;
  first: number;
  count: number;
}

/** Take as much off the queue as fits into the free rows, in groups whose prompts are computed together. */
export function nextGroups(model: HostModel, batch: Batch, queue: Waiting[]): Admission[][] {
  const buckets = promptBuckets(model);
  const groups = new Map<string, Admission[][]>();
  for (let free = freeRows(batch); free > 0 && queue.length > 0; ) {
    const waiting = queue[0]!;
    const { request, submission, started } = waiting;
    const left = request.samples - started;
    // Keep the samples of a request together, so that their prompt is computed once, unless the batch is too small for
    // them.
    if (left > free && free < batch.rows) break;
    const count = Math.min(left, free);
    free -= count;
    waiting.started += count;
    if (waiting.started === request.samples) queue.shift();
    const time = bucketOf(request.length, buckets);
    const key = `${isTensorData(request.prompt)} ${time}`;
    const ofKey = groups.get(key) ?? [];
    groups.set(key, ofKey);
    if ((ofKey.at(-1)?.length ?? prefillRows(time)) >= prefillRows(time)) ofKey.push([]);
    ofKey.at(-1)!.push({ request, submission, first: started, count });
  }
  return [...groups.values()].flat();
}

export function worthFilling(batch: Batch, queue: readonly Waiting[]): boolean {
  const free = freeRows(batch);
  const { request, started } = queue[0]!;
  const together = Math.min(request.samples - started, batch.rows);
  return free >= Math.max(together, Math.min(batch.rows * REFILL_SHARE, waitingSamples(queue)));
}

export const waitingSamples = (queue: readonly Waiting[]): number =>
  queue.reduce((sum, { request, started }) => sum + request.samples - started, 0);

export function freeRows({ sequences }: Batch): number {
  let free = 0;
  for (const sequence of sequences) if (!sequence) free++;
  return free;
}

/** The texts in progress: tokens that each has, and the most that it may still get. */
export function textsInWork({ sequences }: Batch): { length: number; limit: number }[] {
  return sequences.flatMap((sequence) => {
    if (!sequence) return [];
    const { request, ids } = sequence;
    return { length: request.length + ids.length, limit: request.limit - ids.length };
  });
}

/** Number of steps if no text ends before its limit. */
export function expectedSteps(queue: readonly Waiting[], rows: number): number {
  const longest = queue.reduce((most, { request }) => Math.max(most, request.limit), 0);
  const tokens = queue.reduce((sum, { request }) => sum + request.limit * request.samples, 0);
  return Math.max(longest, Math.ceil(tokens / rows));
}
