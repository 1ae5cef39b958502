import { checkInterrupt, checkWhole, interruptible, ThoughtbookError } from "../../core/index.js";
import {
  bucketOf,
  bucketSizes,
  emptyTensor,
  padRows,
  type SessionOptions,
  type TensorData,
} from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { type TokenLogProb, topTokens } from "../generate/sampling-top.js";
import { brokenScores } from "../network/broken-weights.js";
import type { HostModel } from "../network/host-model.js";
import { checkIds, modelInputs } from "../network/model-inputs.js";
import {
  BATCH_TOKENS,
  columnOf,
  planRows,
  type ScoreRow,
  type ScoreText,
  sharedRows,
  singleRows,
} from "./packed-rows.js";
import { createPieceReader, LONGEST_WHOLE, PIECE_TOKENS, type PieceReader, turnTokens } from "./pieces.js";
import { scorePrograms } from "./programs.js";
import { quantisedCalls, type ScoreCalls } from "./quantised-calls.js";

/** Ids to score: all except the first one, or those of a continuation given a prompt. */
export type ScoreSequence = readonly number[] | { prompt: readonly number[]; continuation: readonly number[] };

export interface ScoreOptions {
  /**
   * Maximum sequences computed at once. Default: as many as have 2,048 tokens together; a shared prefix of neighbours
   * is then computed once, where that is less work.
   */
  batchSize?: number | undefined;
  /** Ends the work between two batches, or pieces of a long text, with an error. */
  signal?: AbortSignal | undefined;
  /**
   * Runs each part of the work, such as between the steps of a generator. Parts are then smaller: of about a quarter of a
   * second. Default: they follow each other.
   */
  turn?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  /** Called after each batch with the number of sequences scored so far. */
  onProgress?: ((done: number) => void) | undefined;
  /** Options of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** Maximum logits in memory at once: 32 MiB, twice while they are made log-probabilities. */
const LOGITS = 2 ** 23;

/**
 * Compute the natural logarithm of the probability that the model gives each token after those before it.
 *
 * @returns for each sequence one number per token except the first, or per token of the continuation
 * @throws before any work: bad-input (an empty sequence, prompt or continuation, an id outside the vocabulary, a sequence
 *   longer than the context); while working: interrupted, execution (also for scores that are no numbers, as of weights
 *   that are none)
 *
 * @example
 * ```ts
 * import { loadTokenizer, openCheckpoint, readParameters, resolveModel, score } from "thoughtbook/model";
 *
 * const folder = await resolveModel("mini");
 * const checkpoint = await openCheckpoint(folder);
 * const model = { config: checkpoint.config, weights: await readParameters(checkpoint) };
 * const ids = (await loadTokenizer(folder)).encode("12*3=36");
 * const [logProbs = []] = await score(model, [ids]);
 * console.log(logProbs.length === ids.length - 1); // true
 * ```
 */
export async function score(
  model: HostModel,
  sequences: readonly ScoreSequence[],
  options: ScoreOptions = {},
): Promise<Float32Array[]> {
  const scores = await scoreTexts(model, sequences, options);
  return scores.map(({ logProbs }) => logProbs);
}

export interface TopScore {
  /** As returned by `score`. */
  logProbs: Float32Array;
  /** For each of these positions the most probable tokens, the best first. */
  top: (readonly TokenLogProb[])[];
}

export interface AttendedScore {
  /** As returned by `score`. */
  logProbs: Float32Array;
  /**
   * Attention mass of each token of the prompt (of a bare sequence, of its first token): summed over heads and queries.
   */
  attention: Float32Array;
}

/**
 * {@link score}, also returning the attention of the continuation's tokens, as queries, to each token of the prompt in
 * the last layer. Each query distributes a mass of 1 per head, so a continuation of m tokens gives at most heads · m.
 *
 * @throws like {@link score}
 */
export async function scoreWithAttention(
  model: HostModel,
  sequences: readonly ScoreSequence[],
  options: ScoreOptions = {},
): Promise<AttendedScore[]> {
  return scoreTexts(model, sequences, { ...options, attention: true });
}

/**
 * {@link score}, also returning the most probable tokens at each position. It takes more memory and time: the scores of
 * the whole vocabulary.
 *
 * @param count tokens per position
 * @throws like {@link score}
 */
export async function scoreWithTop(
  model: HostModel,
  sequences: readonly ScoreSequence[],
  count: number,
  options: ScoreOptions = {},
): Promise<TopScore[]> {
  checkWhole("topLogProbs", count, 0);
  return scoreTexts(model, sequences, { ...options, topCount: count });
}

interface WorkOptions extends ScoreOptions {
  /** Number of most probable tokens per position. Default: none. */
  topCount?: number;
  /** Whether to sum the attention to the prompts. */
  attention?: boolean;
}

async function scoreTexts(
  model: HostModel,
  sequences: readonly ScoreSequence[],
  { topCount = 0, attention = false, ...options }: WorkOptions,
): Promise<(TopScore & AttendedScore)[]> {
  const { config } = model;
  const signal = interruptible(options.signal);
  const texts = sequences.map((sequence, index) => readSequence(sequence, index, config));
  const results = texts.map(({ ids, from }) => ({
    logProbs: new Float32Array(ids.length - from),
    top: Array.from({ length: topCount > 0 ? ids.length - from : 0 }, (): TokenLogProb[] => []),
    attention: new Float32Array(attention ? from : 0),
  }));
  const scored = [...texts.keys()].filter((index) => results[index]!.logProbs.length > 0);
  checkWhole("batchSize", options.batchSize, 1);
  const programs: ScoreCalls = model.quantised
    ? quantisedCalls(model.quantised)
    : scorePrograms(model, options.session);
  const chunk = headChunk(config.vocabularySize);
  const { turn = (work) => work() } = options;
  // The last token is only a target, unless its attention is requested.
  const columnsOfText = (index: number) => texts[index]!.ids.length - (attention ? 0 : 1);
  const longestWhole = options.turn ? turnTokens(config, Math.min(LONGEST_WHOLE, config.maxPositions)) : LONGEST_WHOLE;
  const isLong = (index: number) => columnsOfText(index) > longestWhole;
  const short = scored.filter((index) => !isLong(index));
  const toScore = short.map((index) => texts[index]!);
  const isShared = !attention && !model.quantised && options.batchSize === undefined;
  const mostColumns = options.turn ? longestWhole : BATCH_TOKENS;
  const allRows = isShared
    ? sharedRows(toScore, { width: config.hiddenSize, longest: Math.min(config.maxPositions, mostColumns) })
    : singleRows(short.map(columnsOfText));
  let done = sequences.length - scored.length;
  const finish = (indices: readonly number[]) => {
    for (const index of indices) {
      // Of finite weights no score is infinite.
      if (!results[index]!.logProbs.every(Number.isFinite)) throw brokenScores(model, `sequence ${index}`);
    }
    done += indices.length;
    options.onProgress?.(done);
  };
  for (const { indices, length, rows } of planRows(allRows, config.maxPositions, options.batchSize, mostColumns)) {
    const batch = indices.map((index) => {
      const row = allRows[index]!;
      const members = row.texts.map((place) => ({ text: toScore[place]!, result: results[short[place]!]! }));
      return { ...row, members };
    });
    await turn(async () => {
      checkInterrupt(signal, "scoring");
      const hidden = attention
        ? await attendedBodyOf(model, programs, batch, { length, rows })
        : await bodyOf(model, programs, batch, { length, rows });
      await headOf(model, programs, hidden, { places: placesOf(batch, length), chunk, topCount });
    });
    finish(indices.flatMap((index) => allRows[index]!.texts.map((place) => short[place]!)));
  }
  const long = scored.filter(isLong);
  const longest = Math.max(0, ...long.map(columnsOfText));
  const readers = new Map<number, PieceReader>();
  for (const index of long) {
    const { ids, from } = texts[index]!;
    const result = results[index]!;
    // Of the text alone, so that its numbers do not depend on others.
    const size = options.turn ? Math.min(PIECE_TOKENS, turnTokens(config, ids.length)) : PIECE_TOKENS;
    const reader = readers.get(size) ?? createPieceReader(model, { session: options.session, size, longest, turn });
    readers.set(size, reader);
    await reader.read(
      attention ? ids : ids.slice(0, -1),
      from - 1,
      async ({ start, count, hidden, mass }) => {
        checkInterrupt(signal, "scoring");
        const places: Place[] = [];
        for (let i = Math.max(from, start + 1); i <= Math.min(start + count, ids.length - 1); i++) {
          places.push({ from: i - 1 - start, result, at: i - from, target: ids[i]! });
        }
        for (let place = 0; mass && place < from; place++) result.attention[place]! += mass[place]!;
        await headOf(model, programs, hidden, { places, chunk, topCount });
      },
      attention ? from : undefined,
    );
    finish([index]);
  }
  return results;
}

/** A row with its texts, and where their results go. */
interface WorkRow extends ScoreRow {
  members: { text: ScoreText; result: TopScore & AttendedScore }[];
}

/** The part of a model's configuration that decides which sequences are valid. */
export type SequenceLimits = Pick<ModelConfig, "vocabularySize" | "maxPositions">;

/** Validate sequences as {@link score} does before any work, without the weights. Throws bad-input. */
export function checkSequences(config: SequenceLimits, sequences: readonly ScoreSequence[]): void {
  for (const [index, sequence] of sequences.entries()) readSequence(sequence, index, config);
}

function readSequence(sequence: ScoreSequence, index: number, config: SequenceLimits): ScoreText {
  const parts = "prompt" in sequence ? sequence : undefined;
  const ids = parts ? [...parts.prompt, ...parts.continuation] : (sequence as readonly number[]);
  const empty = parts
    ? parts.prompt.length === 0
      ? "its prompt is"
      : parts.continuation.length === 0 && "its continuation is"
    : ids.length === 0 && "it is";
  if (empty) {
    throw new ThoughtbookError("bad-input", `sequence ${index} cannot be scored: ${empty} empty`, {
      hint: "The first token of a text has no score: put the token that begins a text before it.",
    });
  }
  checkIds(ids, config, `sequence ${index}`);
  if (ids.length > config.maxPositions) {
    throw new ThoughtbookError(
      "bad-input",
      `sequence ${index} has ${ids.length} tokens, more than the model's context of ${config.maxPositions}`,
      { hint: "Shorten it, or choose a model with a longer context." },
    );
  }
  return { ids, from: parts ? parts.prompt.length : 1 };
}

interface Layout {
  length: number;
  rows: number;
}

function bodyOf(
  model: HostModel,
  programs: ScoreCalls,
  batch: readonly WorkRow[],
  { length, rows }: Layout,
): Promise<TensorData> {
  const pad = (values: readonly ArrayLike<number>[]) => padRows(values, { length, rows, value: 0 });
  const columns = batch.map(columnsOf);
  const tensors = {
    ...modelInputs(model),
    ids: pad(columns.map(({ ids }) => ids)),
    positions: pad(columns.map(({ positions }) => positions)),
  };
  if (batch[0]!.prefix > 0) {
    const segments = pad(columns.map(({ segments }) => segments));
    // All own parts continue the first part of the row.
    const prefixes = pad(columns.map(({ segments }) => segments.map(() => 1)));
    return programs.sharedBody({ ...tensors, segments, prefixes }) as Promise<TensorData>;
  }
  return programs.body(tensors) as Promise<TensorData>;
}

/** Columns of a row: ids, positions, and the number of the part, 1 for the shared prefix. */
function columnsOf({ prefix, members }: WorkRow): { ids: number[]; positions: number[]; segments: number[] } {
  const ids = [...members[0]!.text.ids.slice(0, prefix)];
  const positions = [...ids.keys()];
  const segments = ids.map(() => 1);
  for (const [member, { text }] of members.entries()) {
    for (let place = prefix; place < text.ids.length - 1; place++) {
      ids.push(text.ids[place]!);
      positions.push(place);
      segments.push(member + 2);
    }
  }
  return { ids, positions, segments };
}

/** Run the body and add the attention of each continuation to its prompt to the results. */
async function attendedBodyOf(
  model: HostModel,
  programs: ScoreCalls,
  batch: readonly WorkRow[],
  { length, rows }: Layout,
): Promise<TensorData> {
  const only = batch.map(({ members }) => members[0]!);
  const pad = (values: readonly ArrayLike<number>[]) => padRows(values, { length, rows, value: 0 });
  const { hidden, mass } = await programs.attendedBody({
    ...modelInputs(model),
    ids: pad(only.map(({ text }) => text.ids)),
    positions: pad(only.map(({ text }) => [...text.ids.keys()])),
    queries: pad(only.map(({ text: { ids, from } }) => ids.map((_, place) => (place < from ? 0 : 1)))),
  });
  const masses = mass!.data as Float32Array;
  for (const [row, { result }] of only.entries()) {
    result.attention.set(masses.subarray(row * length, row * length + result.attention.length));
  }
  return hidden as TensorData;
}

/** A position whose next token is scored: its row among the hidden states, and where the score goes. */
interface Place {
  from: number;
  result: TopScore;
  at: number;
  target: number;
}

function placesOf(batch: readonly WorkRow[], length: number): Place[] {
  const places: Place[] = [];
  for (const [index, row] of batch.entries()) {
    for (const [member, { text, result }] of row.members.entries()) {
      for (let i = text.from; i < text.ids.length; i++) {
        const from = index * length + columnOf(row, member, i - 1);
        places.push({ from, result, at: i - text.from, target: text.ids[i]! });
      }
    }
  }
  return places;
}

interface HeadWork {
  places: readonly Place[];
  /** Positions computed at once. */
  chunk: number;
  topCount: number;
}

/** Run the output layer on the requested positions only, a few at a time. */
async function headOf(
  model: HostModel,
  { head, logProbs }: ScoreCalls,
  hidden: TensorData,
  { places, chunk, topCount }: HeadWork,
): Promise<void> {
  const { hiddenSize: width, vocabularySize } = model.config;
  const sizes = bucketSizes({ longest: chunk, multipleOf: Math.min(16, chunk) });
  for (let done = 0; done < places.length; done += chunk) {
    const part = places.slice(done, done + chunk);
    const count = bucketOf(part.length, sizes);
    const rows = emptyTensor([count, width], "float32");
    const targets = emptyTensor([count], "int32");
    targets.data.fill(-1);
    for (const [i, { from, target }] of part.entries()) {
      rows.data.set((hidden.data as Float32Array).subarray(from * width, (from + 1) * width), i * width);
      targets.data[i] = target;
    }
    const inputs = { ...modelInputs(model), hidden: rows };
    if (topCount > 0) {
      const { data } = (await logProbs(inputs)) as TensorData<"float32">;
      for (const [i, { result, at, target }] of part.entries()) {
        result.logProbs[at] = data[i * vocabularySize + target]!;
        result.top[at] = topTokens(data, i * vocabularySize, vocabularySize, topCount);
      }
    } else {
      const losses = (await head({ ...inputs, targets })) as TensorData;
      for (const [i, { result, at }] of part.entries()) result.logProbs[at] = -losses.data[i]!;
    }
  }
}

/** Number of positions that the output layer computes at once. */
function headChunk(vocabularySize: number): number {
  return Math.max(16, Math.min(BATCH_TOKENS, 2 ** Math.floor(Math.log2(LOGITS / vocabularySize))));
}
