import { setImmediate as nextTurn } from "node:timers/promises";
import { checkWhole, ThoughtbookError } from "../../core/index.js";
import { bucketOf, type SessionOptions } from "../../tensor/index.js";
import { brokenScores } from "../network/broken-weights.js";
import type { HostModel } from "../network/host-model.js";
import { BATCH_SIZE, type Batch, createBatch, mostRows, roomFor, rowBuckets } from "./batch.js";
import type { NextScores } from "./programs.js";
import {
  type Admission,
  expectedSteps,
  freeRows,
  nextGroups,
  textsInWork,
  type Waiting,
  waitingSamples,
  worthFilling,
} from "./queue.js";
import { type GenerateOptions, type Generation, type GenerationRequest, resolveRequests } from "./request.js";
import { createSamplingMemory } from "./sampling.js";
import { extendSequence, startSequence } from "./sequence.js";
import type { Runner } from "./runner.js";
import { createStepTasks } from "./step-tasks.js";
import { createSubmission, isWanted, type SubmittedText } from "./submission.js";
import { createTracedRunner } from "./traced-runner.js";

/**
 * A batch shrinks when half of its rows are free, and at least this many tokens are still to come: another size may
 * have to be compiled.
 */
const WORTH_SHRINKING = 64;
/** While more texts may come, half of the rows, or of the capacity, must have been unused for this many steps. */
const PATIENCE = 16;

export interface GeneratorOptions {
  /** Maximum number of texts in progress at the same time. Default: 64, or fewer where their keys and values would take above 1 GiB. */
  batchSize?: number | undefined;
  /** Options of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** Options shared by the requests of one submission. */
export type SubmitOptions = Omit<GenerateOptions, keyof GeneratorOptions>;

/** Generates texts for many callers in one batch: texts join and leave it from step to step (continuous batching). */
export interface TextGenerator {
  /**
   * Generate texts as `generate` does, together with those of other calls, which do not change the result.
   *
   * @returns one for each sample, ordered by request and sample
   * @throws bad-input before any work; interrupted (by its signal: its rows are free at the next step), execution, or
   *   what a callback throws: other calls go on
   */
  submit(requests: readonly GenerationRequest[], options?: SubmitOptions): Promise<Generation[]>;
  /**
   * Run other tasks, such as scoring, between two decoding steps. While there are texts in progress, such tasks take at
   * most half of the time.
   */
  between<T>(task: () => Promise<T>): Promise<T>;
  /** Number of texts that have a row of the batch. */
  readonly active: number;
  /** Number of texts that wait for a row. */
  readonly waiting: number;
  /** Accept no more requests; resolves when all requested work is done. */
  close(): Promise<void>;
}

/**
 * Open a generator for a model. Nothing is computed, and no memory allocated, while there is no request.
 *
 * @throws bad-input for a batch size that is no whole number above 0
 */
export function openGenerator(model: HostModel, { batchSize, session }: GeneratorOptions = {}): TextGenerator {
  checkWhole("batchSize", batchSize, 1);
  const memory = createSamplingMemory(model.config.vocabularySize);
  const tasks = createStepTasks();
  let queue: Waiting[] = [];
  let batch: Batch | undefined;
  let runner: Runner | undefined;
  /** Consecutive steps in which half of the batch was unused. */
  let idleSteps = 0;
  let closing = false;
  let working: Promise<void> | undefined;

  const activeRows = () => (batch ? batch.rows - freeRows(batch) : 0);

  async function work(): Promise<void> {
    // Requests made in the same turn of the event loop start together.
    await nextTurn();
    for (;;) {
      dropUnwanted();
      await tasks.run(activeRows() > 0 || queue.length > 0);
      await fill();
      const active = activeRows();
      if (active > 0) await advance(batch!, active);
      else if (queue.length === 0 && tasks.waiting === 0) break;
    }
    batch = undefined;
    working = undefined;
  }

  /** Free the rows of texts that nobody waits for any more. */
  function dropUnwanted(): void {
    queue = queue.filter(({ submission }) => isWanted(submission));
    for (const [row, sequence] of batch?.sequences.entries() ?? []) {
      if (sequence && !isWanted(sequence.submission)) batch!.sequences[row] = undefined;
    }
  }

  /** Give rows to waiting requests, if that is worthwhile now. */
  async function fill(): Promise<void> {
    while (queue.length > 0) {
      try {
        // Checked each time: the next requests may be longer than those that have just ended with their prompts.
        batch = makeRoom();
      } catch (error) {
        for (const { submission } of queue) submission.fail(error);
        queue = [];
        return;
      }
      if (!worthFilling(batch, queue)) return;
      for (const group of nextGroups(model, batch, queue)) await admit(batch, group);
      dropUnwanted();
    }
  }

  /** Requests to start next. */
  const nextTexts = () => queue.slice(0, batchSize ?? BATCH_SIZE).map(({ request }) => request);

  /** Create a batch with room for what waits: as many rows as there are texts, up to the maximum. */
  function makeRoom(): Batch {
    const capacity = Math.max(roomFor(model, nextTexts()), batch?.capacity ?? 1);
    const most = batchSize ?? mostRows(model, capacity);
    const wanted = Math.min(most, activeRows() + waitingSamples(queue));
    const rows = Math.max(bucketOf(wanted, rowBuckets(most)), batch?.rows ?? 1);
    if (batch) {
      if (rows > batch.rows || capacity > batch.capacity) batch.resize(rows, capacity);
      return batch;
    }
    idleSteps = 0;
    // If more requests may come, use the programs that are fast in the long run.
    const expected = closing ? expectedSteps(queue, rows) : Number.POSITIVE_INFINITY;
    runner ??= createTracedRunner(model, session, expected);
    return createBatch({ model, runner, rows, capacity });
  }

  /** Compute prompts and start texts with them; those that do not end at once get a row. */
  async function admit(batch: Batch, group: readonly Admission[]): Promise<void> {
    const wanted = group.filter(({ submission }) => isWanted(submission));
    if (wanted.length === 0) return;
    try {
      const { cache, scores } = await batch.prefill(wanted.map(({ request }) => request));
      for (const [row, { request, submission, first, count }] of wanted.entries()) {
        for (let sample = first; sample < first + count && !submission.ended; sample++) {
          const sequence = { ...startSequence(request, sample, submission.options), submission };
          if (!extend(sequence, scores, row)) batch.place(sequence, cache, row);
        }
      }
    } catch (error) {
      for (const { submission } of wanted) submission.fail(error);
    }
  }

  /** Drop rows and capacity that are no longer needed: a step costs the same with free ones. */
  function shrink(batch: Batch, active: number): void {
    const texts = textsInWork(batch);
    const isFew = queue.length === 0 && active <= batch.rows / 2 && texts.some(({ limit }) => limit >= WORTH_SHRINKING);
    const room = roomFor(model, [...texts, ...nextTexts()]);
    const isRoomy = room < batch.capacity && (!closing || queue.length >= batch.rows);
    idleSteps = isFew || isRoomy ? idleSteps + 1 : 0;
    // If no more requests can come, rows will not be needed again.
    if (idleSteps <= (closing && isFew ? 0 : PATIENCE)) return;
    idleSteps = 0;
    const rows = isFew ? bucketOf(active, rowBuckets(batch.rows)) : batch.rows;
    batch.resize(rows, isRoomy ? room : batch.capacity);
  }

  /** Generate one new token for each text in progress. */
  async function advance(batch: Batch, active: number): Promise<void> {
    shrink(batch, active);
    try {
      const scores = await tasks.timed(() => batch.step());
      for (const [row, sequence] of batch.sequences.entries()) {
        if (sequence && extend(sequence, scores, row)) batch.sequences[row] = undefined;
      }
    } catch (error) {
      for (const sequence of batch.sequences) sequence?.submission.fail(error);
    }
  }

  /** Returns whether the text no longer needs its row: it is complete, or its submission has failed. */
  function extend(sequence: SubmittedText, scores: NextScores, row: number): boolean {
    const { submission } = sequence;
    try {
      if (!submission.ended && !Number.isFinite(scores.normaliser.data[row])) {
        throw brokenScores(model, `request ${sequence.request.index}`);
      }
      const text = submission.ended ? undefined : extendSequence(sequence, scores, row, memory, submission.options);
      if (text) submission.finish(text);
      return text !== undefined || submission.ended;
    } catch (error) {
      submission.fail(error);
      return true;
    }
  }

  function refuseWhenClosed(): void {
    if (!closing) return;
    throw new ThoughtbookError("interrupted", "the generator is closed", { hint: "Open another one." });
  }

  return {
    async submit(requests, options = {}) {
      refuseWhenClosed();
      const resolved = resolveRequests(model.config, requests, options);
      if (resolved.length === 0) return [];
      const submission = createSubmission(resolved, options);
      // Put texts of similar length side by side: a step costs its capacity. The longest first: the last ones, which
      // have the batch nearly to themselves, then finish soon.
      const byLength = resolved.toSorted((a, b) => b.length - a.length);
      queue.push(...byLength.map((request) => ({ request, submission, started: 0 })));
      working ??= work();
      return submission.texts;
    },
    async between(task) {
      refuseWhenClosed();
      const result = tasks.add(task);
      working ??= work();
      return result;
    },
    get active() {
      return activeRows();
    },
    get waiting() {
      return waitingSamples(queue);
    },
    async close() {
      closing = true;
      await working;
      await runner?.release();
      runner = undefined;
    },
  };
}
