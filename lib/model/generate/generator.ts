import { setImmediate as nextTurn } from "node:timers/promises";
import { checkWhole, ThoughtbookError } from "../../core/index.js";
import { bucketOf, type SessionOptions } from "../../tensor/index.js";
import { brokenScores } from "../network/broken-weights.js";
import type { HostModel } from "../network/host-model.js";
import { type Waiting, waitingFor } from "./admission.js";
import { type Batch, type Beginning, createBatch } from "./batch.js";
import type { Cache } from "./cache.js";
import { blockKeys, type KnownBeginning } from "./prefix-store.js";
import { openPrefixes, PREFIX_MEMORY } from "./prefixes.js";
import type { NextScores } from "./programs.js";
import { createQuantisedRunner } from "./quantised-runner.js";
import {
  expectedSteps,
  freeRows,
  type Group,
  nextGroups,
  putBack,
  textsInWork,
  waitingSamples,
  worthFilling,
} from "./queue.js";
import { type Reading, startReading } from "./reading.js";
import { createReadingPace } from "./reading-pace.js";
import {
  type GenerateOptions,
  type Generation,
  type GenerationRequest,
  type ResolvedRequest,
  resolveRequests,
} from "./request.js";
import type { Runner } from "./runner.js";
import { createSamplingMemory } from "./sampling.js";
import { extendSequence, startSequence } from "./sequence.js";
import { BATCH_SIZE, fittingTexts, roomFor, rowBuckets } from "./sizes.js";
import { createStepTasks } from "./step-tasks.js";
import { createSubmission, isWanted, type Submission, type SubmittedText } from "./submission.js";
import { createTracedRunner } from "./traced-runner.js";

/**
 * A batch shrinks when half of its rows are free, and at least this many tokens are still to come: another size may
 * have to be compiled.
 */
const WORTH_SHRINKING = 64;
/** While more texts may come, half of the rows, or of the capacity, must have been unused for this many steps. */
const PATIENCE = 16;

/** Milliseconds of reading prompts between two steps, while someone watches a text come; else. */
const TURN_WATCHED = 400;
const TURN = 2000;

export interface GeneratorOptions extends Pick<GenerateOptions, "batchSize" | "prefixMemory"> {
  /**
   * Maximum tokens of prompts that are read at once, at least 16. Default: by the model's size, as many as take about 0.3
   * s, at most 2,048. Longer prompts are read in pieces between the steps of other texts.
   */
  pieceTokens?: number | undefined;
  /**
   * Whether the weights are the same as long as the generator is open. If not (the default), what texts share is dropped
   * when a checksum of the weights tells that they have been changed since.
   */
  fixedWeights?: boolean | undefined;
  /** Options of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** Options shared by the requests of one submission. */
export type SubmitOptions = Omit<GenerateOptions, keyof GeneratorOptions>;

/** Tokens of prompts since a generator was opened, once for all samples of a request. */
export interface PromptCounts {
  tokens: number;
  /** How many of them were taken from other texts. */
  shared: number;
  /** How many were computed, padding not counted. */
  computed: number;
}

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
  readonly prompts: Readonly<PromptCounts>;
  /** Accept no more requests; resolves when all requested work is done. */
  close(): Promise<void>;
}

/**
 * Open a generator for a model. Nothing is computed, and no memory allocated, while there is no request.
 *
 * @throws bad-input for a batch size that is no whole number above 0
 */
export function openGenerator(model: HostModel, options: GeneratorOptions = {}): TextGenerator {
  const { batchSize, prefixMemory = PREFIX_MEMORY, pieceTokens, fixedWeights = false, session } = options;
  checkWhole("batchSize", batchSize, 1);
  checkWhole("prefixMemory", prefixMemory, 0);
  checkWhole("pieceTokens", pieceTokens, 16);
  const memory = createSamplingMemory(model.config.vocabularySize);
  const tasks = createStepTasks();
  const pace = createReadingPace(model.config, pieceTokens);
  const prefixes = openPrefixes(model, JSON.stringify(session), prefixMemory, fixedWeights);
  const counts: PromptCounts = { tokens: 0, shared: 0, computed: 0 };
  let queue: Waiting[] = [];
  let batch: Batch | undefined;
  let runner: Runner | undefined;
  /** Whether the texts that wait may share beginnings: the weights have been compared since they were requested. */
  let sharing = false;
  /** What {@link Prefixes.epoch} was when the work for some texts began. */
  const epochs = new WeakMap<Submission, number>();
  /** Whether the weights may have been changed since the last text was complete. */
  let renewing = false;
  /** Consecutive steps in which half of the batch was unused. */
  let idleSteps = 0;
  let closing = false;
  let working: Promise<void> | undefined;

  const activeRows = () => (batch ? batch.rows - freeRows(batch) : 0);
  const readingsOf = ({ readings }: Batch) => [...new Set(readings.filter((reading) => reading !== undefined))];
  const isWatched = () =>
    batch?.sequences.some((text) => text?.submission.options.onToken || text?.submission.options.onText) ?? false;

  async function work(): Promise<void> {
    // Requests made in the same turn of the event loop start together.
    await nextTurn();
    for (;;) {
      dropUnwanted();
      await tasks.run(activeRows() > 0 || queue.length > 0);
      if (renewing) await renew();
      if (!sharing && queue.length > 0) await compareWeights();
      const watched = isWatched();
      pace.patient = closing && !watched && tasks.waiting === 0;
      const until = performance.now() + (watched ? TURN_WATCHED : TURN);
      await fill(until);
      if (batch && !(watched && performance.now() > until)) await readOn(batch, until);
      if (batch?.sequences.some((text) => text)) await advance(batch);
      else if (queue.length === 0 && tasks.waiting === 0 && activeRows() === 0) break;
    }
    batch = undefined;
    working = undefined;
  }

  /** Leave behind what was made for the weights as they were, before any text of new work has begun. */
  async function renew(): Promise<void> {
    renewing = false;
    // Texts that were admitted in the meantime go on with what they began with.
    if (activeRows() > 0) return;
    const old = runner;
    runner = undefined;
    batch = undefined;
    await old?.release();
  }

  /** Find out whether texts that wait may share beginnings. */
  async function compareWeights(): Promise<void> {
    // Those that are requested meanwhile reset it.
    sharing = true;
    const waiting = [...queue];
    const may = await prefixes.begin(waiting.map(({ request }) => request));
    sharing &&= may;
    if (sharing) for (const { submission } of waiting) epochs.set(submission, epochs.get(submission) ?? prefixes.epoch);
  }

  /** Free the rows of texts that nobody waits for any more. */
  function dropUnwanted(): void {
    queue = queue.filter(({ submission }) => isWanted(submission));
    if (!batch) return;
    const { sequences, readings } = batch;
    for (const rows of [sequences, readings]) {
      for (const [row, each] of rows.entries()) if (each && !isWanted(each.submission)) rows[row] = undefined;
    }
  }

  /** Give rows to waiting requests, if that is worthwhile now. */
  async function fill(until: number): Promise<void> {
    const most = batchSize ?? BATCH_SIZE;
    let begun = false;
    while (queue.length > 0 && !(batch && batch.rows >= most && freeRows(batch) === 0)) {
      // Checked each time: the next requests may be longer than those that have just ended with their prompts.
      const room = makeRoom();
      if (!batch || room === 0 || !worthFilling(batch, queue)) return;
      const store = sharing ? prefixes.store : undefined;
      const together = runner!.prefillAfter !== undefined;
      const groups = nextGroups(queue, { model, batch, room, pace, store, together });
      if (groups.length === 0) return;
      for (const [at, group] of groups.entries()) {
        if (begun && performance.now() > until) {
          putBack(queue, groups.slice(at));
          return;
        }
        begun = true;
        if (group.inPieces) begin(batch, group);
        else await admit(batch, group);
        dropUnwanted();
      }
    }
  }

  /** Requests to start next. */
  const nextTexts = () => queue.slice(0, batchSize ?? BATCH_SIZE).map(({ request }) => request);

  /** Have a batch with room for what waits and fits into memory; returns how many more texts do. */
  function makeRoom(): number {
    try {
      const texts = batch ? textsInWork(batch) : [];
      const most = batchSize ?? BATCH_SIZE;
      const samples: ResolvedRequest[] = [];
      for (const { request, started } of queue) {
        if (samples.length >= most) break;
        for (let left = request.samples - started; left > 0 && samples.length < most; left--) samples.push(request);
      }
      const room = fittingTexts(model, texts, samples, most);
      const capacity = Math.max(roomFor(model, samples.slice(0, room)), batch?.capacity ?? 1);
      const wanted = Math.min(most, texts.length + room);
      const rows = Math.max(bucketOf(wanted, rowBuckets(most)), batch?.rows ?? 1);
      if (!batch) {
        idleSteps = 0;
        // If more requests may come, use the programs that are fast in the long run.
        const expected = closing ? expectedSteps(queue, rows) : Number.POSITIVE_INFINITY;
        runner ??= model.quantised
          ? createQuantisedRunner(model.quantised)
          : createTracedRunner(model, session, expected);
        batch = createBatch({ model, runner, pace, rows, capacity });
      } else if (rows > batch.rows || capacity > batch.capacity) batch.resize(rows, capacity);
      return room;
    } catch (error) {
      for (const { submission } of queue) submission.fail(error);
      queue = [];
      return 0;
    }
  }

  /** A known beginning, to be copied to where a text goes on. */
  const beginningOf = (known: KnownBeginning): Beginning => ({
    length: known.length,
    copyTo: (cache, row) => prefixes.store.copyTo(known, cache, row),
  });

  /** Compute prompts and start texts with them; those that do not end at once get a row. */
  async function admit(batch: Batch, group: Group): Promise<void> {
    const wanted = group.admissions.filter(({ submission }) => isWanted(submission));
    if (wanted.length === 0) return;
    const beginning = beginningOf(group.beginning);
    try {
      const { cache, scores } = await batch.prefill(
        wanted.map(({ request }) => request),
        beginning,
      );
      for (const [row, admission] of wanted.entries()) {
        const { request } = admission;
        if (admission.first === 0) noteRead(admission, beginning.length, request.length - beginning.length);
        let place: number | undefined;
        for (const sequence of startTexts(admission, scores, row)) {
          batch.place(sequence, beginning, cache, row);
          place ??= batch.sequences.indexOf(sequence);
        }
        const { blocks } = admission.waiting;
        if (place !== undefined) keep(admission.submission, blocks, batch.cache, place);
        else if (beginning.length === 0) keep(admission.submission, blocks, cache, row);
      }
    } catch (error) {
      for (const { submission } of wanted) submission.fail(error);
    }
  }

  function begin(batch: Batch, { admissions, beginning }: Group): void {
    for (const admission of admissions) batch.begin(startReading(admission, beginning), beginningOf(beginning));
  }

  /** Read pieces of prompts, those that are nearly read first, until the others have waited long enough. */
  async function readOn(batch: Batch, until: number): Promise<void> {
    const watched = isWatched();
    let took = 0;
    do {
      dropUnwanted();
      const left = ({ request, read }: Reading) => request.length - read;
      const [reading] = readingsOf(batch).sort((a, b) => left(a) - left(b));
      if (!reading) return;
      try {
        // Compiling takes a turn of its own.
        if (await batch.prepare(reading)) {
          if (watched) return;
          continue;
        }
        const start = performance.now();
        const scores = await batch.read(reading);
        took = performance.now() - start;
        if (watched) pace.note(took);
        if (reading.read === reading.request.length) finishReading(batch, reading, scores);
      } catch (error) {
        reading.submission.fail(error);
      }
      // Others that wait may be shorter.
    } while (performance.now() + took < until && queue.length === 0);
    dropUnwanted();
  }

  function finishReading(batch: Batch, reading: Reading, scores: NextScores): void {
    const { request, computed, waiting } = reading;
    const shared = Math.max(0, request.length - computed);
    if (reading.first === 0) noteRead(reading, shared, request.length - shared);
    const row = batch.readings.indexOf(reading);
    keep(reading.submission, waiting.blocks, batch.cache, row);
    batch.settle(reading, startTexts(reading, scores, 0));
  }

  /** Sample the first token of each text of a prompt; returns those that need a row. */
  function startTexts(
    { request, submission, first, count }: Group["admissions"][number],
    scores: NextScores,
    row: number,
  ): SubmittedText[] {
    const texts: SubmittedText[] = [];
    for (let sample = first; sample < first + count && !submission.ended; sample++) {
      const sequence = { ...startSequence(request, sample, submission.options), submission };
      if (!extend(sequence, scores, row)) texts.push(sequence);
    }
    return submission.ended ? [] : texts;
  }

  function noteRead({ request, submission }: Group["admissions"][number], shared: number, computed: number): void {
    counts.tokens += request.length;
    counts.shared += shared;
    counts.computed += computed;
    try {
      submission.options.onPrompt?.({ request: request.index, tokens: request.length, shared });
    } catch (error) {
      submission.fail(error);
    }
  }

  /** Keep what a row holds for texts that begin alike, unless earlier weights gave it. */
  function keep(submission: Submission, blocks: readonly string[], cache: Cache, row: number): void {
    if (epochs.get(submission) === prefixes.epoch) prefixes.store.add(blocks, cache, row);
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
  async function advance(batch: Batch): Promise<void> {
    shrink(batch, activeRows());
    try {
      const scores = await tasks.timed(() => batch.step());
      for (const [row, sequence] of batch.sequences.entries()) {
        if (!sequence || !extend(sequence, scores, row)) continue;
        batch.sequences[row] = undefined;
        keep(sequence.submission, blockKeys(sequence.request, sequence.ids.slice(0, -1)), batch.cache, row);
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
      if (!fixedWeights && activeRows() + queue.length === 0) renewing = true;
      // Put texts of similar length side by side: a step costs its capacity. The longest first: the last ones, which
      // have the batch nearly to themselves, then finish soon.
      const byLength = resolved.toSorted((a, b) => b.length - a.length);
      for (const request of byLength) queue.push(waitingFor(request, submission));
      sharing = false;
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
    get prompts() {
      return { ...counts };
    },
    async close() {
      closing = true;
      await working;
      await runner?.release();
      runner = undefined;
    },
  };
}
