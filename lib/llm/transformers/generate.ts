import { checkInterrupt, interruptible } from "../../core/index.js";
import {
  createSamplingMemory,
  extendSequence,
  type GenerateOptions,
  type Generation,
  type NextScores,
  type ResolvedRequest,
  type SamplingMemory,
  type Sequence,
  startSequence,
} from "../../model/index.js";
import { type CachedRow, gatherRows, releaseCache } from "./cache.js";
import { nextScores } from "./next-logits.js";
import type { Batching } from "./probe.js";
import { computePrompts, type Prompted, promptGroups } from "./prompts.js";
import type { Runtime, RuntimeCache } from "./runtime.js";

/** Rows are refilled, or dropped, when this share of them is free: either copies the whole cache. */
const FREE_SHARE = 1 / 4;
const BATCH_SIZE = 32;
/** Default maximum memory of keys and values: they exist twice during a step. */
const CACHE_BYTES = 2 ** 29;

export interface RuntimeGenerateOptions
  extends Pick<GenerateOptions, "tokenizer" | "batchSize" | "signal" | "onText" | "onFinish"> {
  batching: () => Promise<Batching>;
  vocabularySize: number;
  /** The longest text, prompt included. */
  maxPositions: number;
}

/** A request with samples that have not started yet. */
interface Waiting {
  request: ResolvedRequest;
  /** Number of samples in progress or finished. */
  started: number;
  /** Its prompt, where that is computed. */
  prompted?: Prompted | undefined;
}

/** Texts in progress, one per row; undefined where one has ended. */
interface Rows {
  sequences: (Sequence | undefined)[];
  cache: RuntimeCache;
}

/**
 * Generate texts with an ONNX model, many at a time, each with its own options and random numbers, as `generate` of the
 * engine does: greedy and seeded texts are the same up to rounding.
 *
 * @returns one for each sample, ordered by request and sample
 * @throws interrupted, execution
 */
export async function generateTexts(
  runtime: Runtime,
  requests: readonly ResolvedRequest[],
  options: RuntimeGenerateOptions,
): Promise<Generation[]> {
  const signal = interruptible(options.signal);
  const results: Generation[] = [];
  const finish = (generation: Generation) => {
    results.push(generation);
    options.onFinish?.(generation);
  };
  const queue: Waiting[] = requests.map((request) => ({ request, started: 0 }));
  const texts = requests.reduce((sum, { samples }) => sum + samples, 0);
  const wanted = Math.min(texts, options.batchSize ?? defaultBatchSize(runtime, requests));
  const batching = wanted > 1 ? await options.batching() : "alone";
  const size = batching === "alone" ? 1 : wanted;
  let memory: SamplingMemory | undefined;
  let rows: Rows | undefined;

  const extend = (sequence: Sequence, scores: NextScores, row: number): boolean => {
    memory ??= createSamplingMemory(scores.logProbs.shape[1]!);
    const done = extendSequence(sequence, scores, row, memory, options);
    if (done) finish(done);
    return done === undefined;
  };
  for (;;) {
    checkInterrupt(signal, "generating text");
    while (queue.length > 0 && worthFilling(rows, queue, size, batching)) rows = await fill(rows);
    if (rows === undefined) {
      if (queue.length === 0) break;
      continue;
    }
    rows = await leaveOut(runtime, await step(rows), options.maxPositions);
  }
  return results.sort((a, b) => a.request - b.request || a.sample - b.sample);

  /** Start texts in the free rows. */
  async function fill(before: Rows | undefined): Promise<Rows | undefined> {
    const running = before ? active(before) : [];
    const admitted = takeWaiting(queue, size - running.length, batching);
    const missing = admitted.filter(({ waiting }) => waiting.prompted === undefined).map(({ waiting }) => waiting);
    for (const group of promptGroups(runtime, missing, ({ request }) => request.length, options.vocabularySize)) {
      checkInterrupt(signal, "generating text");
      const prompts = group.map(({ request }) => request.prompt as readonly number[]);
      for (const [i, prompted] of (await computePrompts(runtime, prompts, options.vocabularySize)).entries()) {
        group[i]!.prompted = prompted;
      }
    }
    const begun: { sequence: Sequence; source: CachedRow }[] = [];
    for (const { waiting, first, count } of admitted) {
      const { request, prompted } = waiting;
      const { scores, place } = prompted!;
      for (let sample = first; sample < first + count; sample++) {
        const sequence = startSequence(request, sample, options);
        if (extend(sequence, scores, place.row)) begun.push({ sequence, source: place });
      }
      // Kept only for samples that have to wait.
      if (waiting.started === request.samples) waiting.prompted = undefined;
    }
    const sources = [...running, ...begun];
    if (sources.length === 0) return undefined;
    const cache = await gatherRows(
      runtime,
      sources.map(({ source }) => source),
    );
    for (const old of new Set(sources.map(({ source }) => source.cache))) if (old !== cache) discard(old);
    return { sequences: sources.map(({ sequence }) => sequence), cache };
  }

  /** Dispose of a cache, unless waiting samples start from it. */
  function discard(cache: RuntimeCache): void {
    if (!queue.some(({ prompted }) => prompted?.place.cache === cache)) releaseCache(cache);
  }

  async function step({ sequences, cache }: Rows): Promise<Rows> {
    const result = await runtime.forward({
      ids: sequences.map((sequence) => [sequence?.ids.at(-1) ?? 0]),
      tokens: sequences.map((sequence) => (sequence ? tokensOf(sequence) : 1)),
      cache,
      logits: 1,
    });
    discard(cache);
    const scores = nextScores(result);
    const left = sequences.map((sequence, row) => (sequence && extend(sequence, scores, row) ? sequence : undefined));
    return { sequences: left, cache: result.cache };
  }
}

/** Samples of a request that are started together. */
interface Admission {
  waiting: Waiting;
  first: number;
  count: number;
}

/** Take as much off the queue as fits into the free rows. */
function takeWaiting(queue: Waiting[], free: number, batching: Batching): Admission[] {
  const { length } = queue[0]!.request;
  const admitted: Admission[] = [];
  for (let left = free, i = 0; left > 0 && i < queue.length; ) {
    const waiting = queue[i]!;
    if (batching === "equal" && waiting.request.length !== length) {
      i++;
      continue;
    }
    const first = waiting.started;
    const count = Math.min(waiting.request.samples - first, left);
    waiting.started += count;
    left -= count;
    admitted.push({ waiting, first, count });
    if (waiting.started === waiting.request.samples) queue.splice(i, 1);
  }
  return admitted;
}

function worthFilling(rows: Rows | undefined, queue: readonly Waiting[], size: number, batching: Batching): boolean {
  if (rows === undefined) return true;
  if (batching !== "padded") return false;
  const free = size - active(rows).length;
  const waiting = queue.reduce((sum, { request, started }) => sum + request.samples - started, 0);
  return free >= Math.max(1, Math.min(waiting, size * FREE_SHARE));
}

/** Drop rows whose text has ended, and padding that is no longer needed, once that is worth copying the rest. */
async function leaveOut(runtime: Runtime, rows: Rows, maxPositions: number): Promise<Rows | undefined> {
  const running = active(rows);
  if (running.length === 0) {
    releaseCache(rows.cache);
    return undefined;
  }
  const longest = running.reduce((most, { source }) => Math.max(most, source.tokens), 0);
  const spare = rows.cache.length - longest;
  const total = rows.sequences.length;
  // Some graphs take no more columns than the model has positions, padding or not.
  const tooWide = spare > 0 && rows.cache.length + 1 > maxPositions;
  if (total - running.length < Math.max(1, total * FREE_SHARE) && !tooWide) return rows;
  const cache = await gatherRows(
    runtime,
    running.map(({ source }) => source),
  );
  if (cache !== rows.cache) releaseCache(rows.cache);
  return { sequences: running.map(({ sequence }) => sequence), cache };
}

/** The texts in progress, and where their keys and values are: the last token is not there yet. */
const active = ({ sequences, cache }: Rows): { sequence: Sequence; source: CachedRow }[] =>
  sequences.flatMap((sequence, row) =>
    sequence ? [{ sequence, source: { cache, row, tokens: tokensOf(sequence) - 1 } }] : [],
  );

const tokensOf = ({ request, ids }: Sequence): number => request.length + ids.length;

function defaultBatchSize({ cacheBytes }: Runtime, requests: readonly ResolvedRequest[]): number {
  const longest = requests.reduce((most, { length, limit }) => Math.max(most, length + limit), 1);
  return Math.max(1, Math.min(BATCH_SIZE, Math.floor(CACHE_BYTES / Math.max(1, cacheBytes * longest))));
}
