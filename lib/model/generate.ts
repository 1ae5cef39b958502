import { setImmediate as nextTurn } from "node:timers/promises";
import { ThoughtbookError } from "../core/index.js";
import { bucketOf, isTensorData, type TensorData } from "../tensor/index.js";
import type { ModelConfig } from "./config.js";
import { type Batch, batchPlan, createBatch, prefillRows, promptBuckets, rowBuckets } from "./generate-batch.js";
import { createStepRunner, disposeFrozen } from "./generate-frozen.js";
import { checkIds, type HostModel } from "./generate-model.js";
import { disposePrograms, generationPrograms, type NextScores } from "./generate-programs.js";
import {
  type GenerateOptions,
  type Generation,
  type GenerationRequest,
  type ResolvedRequest,
  resolveRequests,
  type TextPiece,
} from "./generate-request.js";
import { extendSequence, startSequence } from "./generate-sequence.js";
import { createSamplingMemory } from "./sampling.js";

/** Rows are filled again when this share of them is free: prompts are computed faster together. */
const REFILL_SHARE = 1 / 8;
/** A batch shrinks when half of its rows are free for good, and so many tokens may come yet: another size may have to be compiled. */
const WORTH_SHRINKING = 64;

/** A request with samples that are not in work yet. */
interface Waiting {
  request: ResolvedRequest;
  /** Samples that are in work or done. */
  started: number;
}

/**
 * Generate texts, many at a time: a row of the batch whose text is complete is given to the next request. Samples of one
 * request share the computation of its prompt. What comes out for a request does not depend on the others, on the size
 * of the batch or on the order of work, up to rounding (about 1e-6 in log-probabilities).
 *
 * @returns one for each sample, ordered by request and sample
 * @throws before any work: bad-input (an empty prompt, an id outside the vocabulary, a prompt that leaves no room in the
 *   context, an option out of its range, stop strings without a tokenizer); while working: interrupted, execution
 */
export async function generate(
  model: HostModel,
  requests: readonly GenerationRequest[],
  options: GenerateOptions = {},
): Promise<Generation[]> {
  const resolved = resolveRequests(model.config, requests, options);
  const results: Generation[] = [];
  if (resolved.length === 0) return results;
  const finish = (generation: Generation) => {
    results.push(generation);
    options.onFinish?.(generation);
  };

  const queue: Waiting[] = resolved.map((request) => ({ request, started: 0 }));
  const { capacity, batchSize } = batchPlan(model, resolved, options.batchSize);
  const sizes = rowBuckets(batchSize);
  const rows = bucketOf(Math.min(batchSize, waitingSamples(queue)), sizes);
  const programs = generationPrograms(model, options.session);
  const steps = createStepRunner(model, programs, options.session, expectedSteps(resolved, rows));
  const batch = createBatch({ model, programs, steps, rows, capacity });
  const memory = createSamplingMemory(model.config.vocabularySize);
  try {
    for (;;) {
      checkSignal(options.signal);
      while (queue.length > 0 && worthFilling(batch, queue)) {
        for (const group of nextGroups(model, batch, queue)) await admit(group);
      }
      const active = batch.rows - freeRows(batch);
      if (active === 0) break;
      if (queue.length === 0 && active <= batch.rows / 2 && tokensLeft(batch) >= WORTH_SHRINKING) {
        batch.resize(bucketOf(active, sizes));
      }
      extendAll(await batch.step());
    }
  } finally {
    await steps.release();
  }
  return results.sort((a, b) => a.request - b.request || a.sample - b.sample);

  function extendAll(scores: NextScores): void {
    for (let row = 0; row < batch.rows; row++) {
      const sequence = batch.sequences[row];
      const done = sequence && extendSequence(sequence, scores, row, memory, options);
      if (!done) continue;
      batch.sequences[row] = undefined;
      finish(done);
    }
  }

  /** Compute prompts and begin texts with them; those that do not end at once get a row. */
  async function admit(group: readonly Admission[]): Promise<void> {
    checkSignal(options.signal);
    const { cache, scores } = await batch.prefill(group.map(({ request }) => request));
    for (const [row, { request, first, count }] of group.entries()) {
      for (let sample = first; sample < first + count; sample++) {
        const sequence = startSequence(request, sample, options);
        const done = extendSequence(sequence, scores, row, memory, options);
        if (done) finish(done);
        else batch.place(sequence, cache, row);
      }
    }
  }
}

/** Samples of a request that are begun together. */
interface Admission {
  request: ResolvedRequest;
  first: number;
  count: number;
}

/** Steps that the work takes where no text ends before its limit. */
function expectedSteps(requests: readonly ResolvedRequest[], rows: number): number {
  const longest = Math.max(...requests.map(({ limit }) => limit));
  const tokens = requests.reduce((sum, { limit, samples }) => sum + limit * samples, 0);
  return Math.max(longest, Math.ceil(tokens / rows));
}

/** Take what fits into the free rows off the queue, in groups whose prompts are computed together. */
function nextGroups(model: HostModel, batch: Batch, queue: Waiting[]): Admission[][] {
  const buckets = promptBuckets(model);
  const groups = new Map<string, Admission[][]>();
  for (let free = freeRows(batch); free > 0 && queue.length > 0; ) {
    const waiting = queue[0]!;
    const { request, started } = waiting;
    const left = request.samples - started;
    // Samples are not torn apart, so that their prompt is computed once, unless the batch is too small for them.
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
    ofKey.at(-1)!.push({ request, first: started, count });
  }
  return [...groups.values()].flat();
}

function worthFilling(batch: Batch, queue: readonly Waiting[]): boolean {
  const free = freeRows(batch);
  const { request, started } = queue[0]!;
  const together = Math.min(request.samples - started, batch.rows);
  return free >= Math.max(together, Math.min(batch.rows * REFILL_SHARE, waitingSamples(queue)));
}

const waitingSamples = (queue: readonly Waiting[]): number =>
  queue.reduce((sum, { request, started }) => sum + request.samples - started, 0);

function freeRows({ sequences }: Batch): number {
  let free = 0;
  for (const sequence of sequences) if (!sequence) free++;
  return free;
}

/** The most tokens that one of the texts in work may get yet. */
function tokensLeft({ sequences }: Batch): number {
  return sequences.reduce(
    (most, sequence) => Math.max(most, sequence ? sequence.request.limit - sequence.ids.length : 0),
    0,
  );
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new ThoughtbookError("interrupted", "generating text was interrupted", {
    hint: "Run it again.",
    cause: signal.reason,
  });
}

/** Free the memory of everything that was compiled for generating with models of a configuration. */
export async function disposeGenerationPrograms(config: ModelConfig): Promise<void> {
  await Promise.all([disposePrograms(config), disposeFrozen(config)]);
}

/** What {@link streamGenerate} gives: pieces of text as they come, and each complete text at its end. */
export type GenerationEvent = { type: "text"; piece: TextPiece } | { type: "finish"; generation: Generation };

/** {@link generate} as a sequence of events. Leaving the loop ends the work. */
export async function* streamGenerate(
  model: HostModel,
  requests: readonly GenerationRequest[],
  options: Omit<GenerateOptions, "onText" | "onFinish"> = {},
): AsyncGenerator<GenerationEvent, void, undefined> {
  const events: GenerationEvent[] = [];
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let ended = false;
  let wake = () => {};
  const tell = (event: GenerationEvent) => {
    events.push(event);
    wake();
  };
  const work = generate(model, requests, {
    ...options,
    signal,
    onText: options.tokenizer && ((piece) => tell({ type: "text", piece })),
    onFinish: (generation) => tell({ type: "finish", generation }),
  });
  const end = work.then(
    () => undefined,
    (error: unknown) => error,
  );
  void end.then(() => {
    ended = true;
    wake();
  });
  try {
    for (;;) {
      while (events.length > 0) yield events.shift()!;
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const error = await end;
    if (error !== undefined) throw error;
  } finally {
    stop.abort();
    await end;
    await nextTurn();
  }
}

/**
 * Embeddings of token ids, for prompts that mix them with a soft prompt.
 *
 * @param before embeddings to put in front, `[length, hidden]`
 * @returns `[length + ids, hidden]`
 * @throws bad-input for an id outside the vocabulary, or a width that is not the model's
 */
export function promptEmbeddings(
  { config, weights }: HostModel,
  ids: readonly number[],
  before?: TensorData<"float32">,
): TensorData<"float32"> {
  checkIds(ids, config, "the prompt");
  const width = config.hiddenSize;
  if (before && (before.shape.length !== 2 || before.shape[1] !== width)) {
    throw new ThoughtbookError(
      "bad-input",
      `the soft prompt is [${before.shape.join(", ")}], expected [length, ${width}]`,
      {
        hint: "Train it for this model.",
      },
    );
  }
  const start = before?.shape[0] ?? 0;
  const data = new Float32Array((start + ids.length) * width);
  if (before) data.set(before.data);
  const table = weights[config.family === "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight"]!.data;
  for (const [i, id] of ids.entries()) data.set(table.subarray(id * width, (id + 1) * width), (start + i) * width);
  return { shape: [start + ids.length, width], dtype: "float32", data };
}
