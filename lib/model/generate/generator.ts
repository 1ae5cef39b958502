import { setImmediate as nextTurn } from "node:timers/promises";
import { checkWhole, ThoughtbookError } from "../../core/index.js";
import { bucketOf, type SessionOptions } from "../../tensor/index.js";
import { brokenScores } from "../network/broken-weights.js";
import type { HostModel } from "../network/host-model.js";
import { BATCH_SIZE, type Batch, createBatch, mostRows, roomFor, rowBuckets } from "./batch.js";
import { createStepRunner, type StepRunner } from "./frozen.js";
import { generationPrograms, type NextScores } from "./programs.js";
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
import { createStepTasks } from "./step-tasks.js";
import { createSubmission, isWanted, type SubmittedText } from "./submission.js";

/** A batch loses rows when half of them are free, and so many tokens may come yet: another size may have to be compiled. */
const WORTH_SHRINKING = 64;
/** Where more texts may come, half of the rows, or some of the room in them, must not have been needed for so many steps. */
const PATIENCE = 16;

export interface GeneratorOptions {
  /** The most texts in work at a time. Default: 64, or fewer where their keys and values would take above 1 GiB. */
  batchSize?: number | undefined;
  /** Of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** Options of the requests that are given together. */
export type SubmitOptions = Omit<GenerateOptions, keyof GeneratorOptions>;

/** Generates texts for whoever asks, in one batch: texts join it and leave it from step to step (continuous batching). */
export interface TextGenerator {
  /**
   * Generate texts as `generate` does, together with those of other calls, which do not change what comes out.
   *
   * @returns one for each sample, ordered by request and sample
   * @throws bad-input before any work; interrupted (by its signal: its rows are free at the next step), execution, or
   *   what a callback throws: other calls go on
   */
  submit(requests: readonly GenerationRequest[], options?: SubmitOptions): Promise<Generation[]>;
  /**
   * Do other work with the processor, such as scoring, between two steps. While there are texts in work, such tasks
   * take half of the time at most.
   */
  between<T>(task: () => Promise<T>): Promise<T>;
  /** Texts that have a row of the batch. */
  readonly active: number;
  /** Texts that wait for one. */
  readonly waiting: number;
  /** Take no more requests; resolves when all is done that was asked for. */
  close(): Promise<void>;
}

/**
 * Open a generator for a model. Nothing is computed, and no memory taken, while there is no request.
 *
 * @throws bad-input for a batch size that is no whole number above 0
 */
export function openGenerator(model: HostModel, { batchSize, session }: GeneratorOptions = {}): TextGenerator {
  checkWhole("batchSize", batchSize, 1);
  const programs = generationPrograms(model, session);
  const memory = createSamplingMemory(model.config.vocabularySize);
  const tasks = createStepTasks();
  let queue: Waiting[] = [];
  let batch: Batch | undefined;
  let steps: StepRunner | undefined;
  /** Steps in a row in which half of the batch was not needed. */
  let idleSteps = 0;
  let closing = false;
  let working: Promise<void> | undefined;

  const activeRows = () => (batch ? batch.rows - freeRows(batch) : 0);

  async function work(): Promise<void> {
    // What is asked for in the same turn begins together.
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

  /** Free the places of texts that nobody waits for any more. */
  function dropUnwanted(): void {
    queue = queue.filter(({ submission }) => isWanted(submission));
    for (const [row, sequence] of batch?.sequences.entries() ?? []) {
      if (sequence && !isWanted(sequence.submission)) batch!.sequences[row] = undefined;
    }
  }

  /** Give rows to waiting requests, as far as that is worth it now. */
  async function fill(): Promise<void> {
    while (queue.length > 0) {
      try {
        // Each time: those that come up now may be longer than those that have ended with their prompts.
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

  /** What is to begin next. */
  const nextTexts = () => queue.slice(0, batchSize ?? BATCH_SIZE).map(({ request }) => request);

  /** A batch that has room for what waits: as many rows as there are texts, up to the most. */
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
    // Who may be asked for more takes the programs that are fast in the long run.
    const expected = closing ? expectedSteps(queue, rows) : Number.POSITIVE_INFINITY;
    steps ??= createStepRunner(model, programs, session, expected);
    return createBatch({ model, programs, steps, rows, capacity });
  }

  /** Compute prompts and begin texts with them; those that do not end at once get a row. */
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

  /** Give rows and room up that are not needed any more: a step costs as much with free ones. */
  function shrink(batch: Batch, active: number): void {
    const texts = textsInWork(batch);
    const isFew = queue.length === 0 && active <= batch.rows / 2 && texts.some(({ limit }) => limit >= WORTH_SHRINKING);
    const room = roomFor(model, [...texts, ...nextTexts()]);
    const isRoomy = room < batch.capacity && (!closing || queue.length >= batch.rows);
    idleSteps = isFew || isRoomy ? idleSteps + 1 : 0;
    // Where no more can be asked for, rows will not be needed again.
    if (idleSteps <= (closing && isFew ? 0 : PATIENCE)) return;
    idleSteps = 0;
    const rows = isFew ? bucketOf(active, rowBuckets(batch.rows)) : batch.rows;
    batch.resize(rows, isRoomy ? room : batch.capacity);
  }

  /** One new token for each text in work. */
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

  /** Gives whether the text needs no row any more: it is complete, or its submission has failed. */
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
      // Texts of like length side by side: a step costs what there is room for. The longest first: the last ones, which
      // have the batch nearly to themselves, are then soon done.
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
      await steps?.release();
      steps = undefined;
    },
  };
}
