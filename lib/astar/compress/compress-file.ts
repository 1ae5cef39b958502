import { rm } from "node:fs/promises";
import { z } from "zod";
import {
  openRun,
  type ProgressDisplay,
  readJsonl,
  sha256File,
  startProgress,
  ThoughtbookError,
  writeWhole,
} from "../../core/index.js";
import { numericalPath, UNNAMED_PATH } from "../../llm/index.js";
import {
  type ChainRow,
  countOutcome,
  emptyTally,
  type ReadChainRowsOptions,
  type RowTally,
  readChainRows,
} from "../chains/chain-rows.js";
import type { SkipReason } from "../chains/row-formats.js";
import { checkTags, THOUGHT_TAGS } from "../chains/tags.js";
import { type TrainingOptions, trainingConversation } from "../chains/training-row.js";
import { openImportanceCache } from "../importance/cache.js";
import type { ImportanceCache } from "../importance/importance.js";
import { type KeptQuality, keptQuality } from "../paths/kept-quality.js";
import { checkedShare } from "./baselines.js";
import { type CompressMode, type CompressOptions, checkCompressOptions, compressRows, needsOf } from "./compress.js";
import type { CompressedRow } from "./compressed-row.js";

export interface CompressFileOptions extends Omit<CompressOptions, "isDone" | "signals" | "shareOf"> {
  /** Parquet, JSONL, JSON or CSV. */
  data: string;
  read?: Omit<ReadChainRowsOptions, "tags" | "signal"> | undefined;
  /**
   * Identifies what counts tokens, such as the hash of the model whose tokenizer it is. An unfinished output does not
   * resume with another one.
   */
  counter?: string | undefined;
  /**
   * JSONL file in the ShareGPT layout. While the work is unfinished, the folder OUTPUT.run beside it holds the finished
   * rows.
   */
  output: string;
  /** File of the scorer's signals, created if missing. */
  cache: string;
  /** Write the rows also as conversations to train a model like the given one on, to this file. */
  training?: ({ file: string } & TrainingOptions) | undefined;
  sink?: boolean | undefined;
  /**
   * Share of tokens to keep, for baselines of a given size; or compressed rows, to keep as much of each row as they do.
   */
  share?: number | undefined;
  like?: string | undefined;
  /** Called with each row that is left out. */
  onSkipped?: ((place: string, reason: SkipReason, detail: string) => void) | undefined;
  display?: ProgressDisplay | undefined;
}

/**
 * Summary of a compressed file. Shares are from 0 to 1. Precision and recall are given where rows mark necessary steps.
 */
export interface CompressionSummary extends KeptQuality {
  mode: string;
  rows: RowTally;
  /** Number of searches by how they ended. */
  statuses: Record<string, number>;
  acceptedShare: number;
  /** Best-first only: rows for which no cheaper path can be accepted. */
  provenShare?: number;
  /** Steps and tokens of the kept thoughts, over all rows together. */
  keptSteps: number;
  keptTokens: number;
  /** Mean of `rate` over rows, as the released code prints it. */
  meanRate: number;
  /** Means per row. */
  searchSteps: number;
  scored: number;
  verified: number;
  weighed: number;
  /** Rows of which the scorer saw only a truncated part, and rows with a path too long for the validator. */
  cut: number;
  tooLong: number;
}

interface CompressionRecord extends CompressedRow {
  index: number;
}

/**
 * Compress a file of chains of thought. Finished rows are stored as they come; calling it again resumes from there and
 * gives the same bytes as an uninterrupted run.
 *
 * @throws bad-input (options; an unfinished output with other settings), interrupted, corrupt-data, not-found, file-system;
 *   as `compressRows`
 *
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { compressFile } from "thoughtbook/astar";
 * import { countRoughly, problemRecord, wordProblems } from "thoughtbook/data";
 *
 * const problems = [...wordProblems({ seed: 1, operations: 3 }, 4)];
 * const fields = ["id", "question", "answer", "paragraphs", "plainChain"] as const;
 * await writeFile("chains.jsonl", problems.map((problem) => JSON.stringify(problemRecord(problem, fields))).join("\n"));
 * const { rows } = await compressFile({
 *   data: "chains.jsonl",
 *   read: { format: "word-problems" },
 *   mode: "last",
 *   share: 0.5,
 *   countTokens: countRoughly,
 *   output: "compressed.jsonl",
 *   cache: "signals.jsonl",
 * });
 * console.log(rows.used); // 4
 * ```
 */
export async function compressFile(options: CompressFileOptions): Promise<CompressionSummary> {
  const { data, output, cache: cacheFile, sink, share, like, scorer, mode, tags } = options;
  const shares = like === undefined ? undefined : await sharesOf(like);
  const shareOf = shares ? ({ id }: ChainRow) => shares.get(id) : share === undefined ? undefined : () => share;
  // Check before any file is created.
  checkCompressOptions({ ...options, shareOf });
  if (share !== undefined) checkedShare(share);
  const dataHash = await sha256File(data);
  checkTags(tags ?? THOUGHT_TAGS);
  const cache = needsOf(mode).importance
    ? await openImportanceCache(cacheFile, scorer!, { sink, data: { data: dataHash } })
    : undefined;
  try {
    return await compressInRun(options, {
      cache,
      shareOf,
      run: { config: await settingsOf(options, dataHash), folder: `${output}.run` },
    });
  } finally {
    await cache?.close();
  }
}

interface Opened {
  cache: ImportanceCache | undefined;
  shareOf: CompressOptions["shareOf"];
  run: { config: Record<string, unknown>; folder: string };
}

async function compressInRun(
  options: CompressFileOptions,
  { cache, shareOf, run: { config, folder } }: Opened,
): Promise<CompressionSummary> {
  const { data, read, output, training, sink, mode, tags, signal, onSkipped, seed = 0 } = options;
  const run = await openRun<CompressionRecord>({
    ...{ folder, config, seed },
    unnamed: { scorerPath: UNNAMED_PATH, validatorPath: UNNAMED_PATH },
    idOf: ({ index }) => String(index),
  });
  const progress = startProgress("compressing", { unit: "rows", display: options.display });
  const tally = emptyTally();
  const necessary: ChainRow["necessary"][] = [];
  async function* used(): AsyncGenerator<ChainRow> {
    for await (const outcome of readChainRows(data, { ...read, tags, signal })) {
      countOutcome(tally, outcome);
      if (!outcome.used) {
        onSkipped?.(outcome.place, outcome.reason, outcome.detail);
        continue;
      }
      necessary.push(outcome.row.necessary);
      yield outcome.row;
    }
  }
  try {
    const compressed = compressRows(used(), {
      ...options,
      signals: { cache, sink },
      shareOf,
      isDone: (index) => run.done.has(String(index)),
    });
    for await (const { index, compressed: row } of compressed) {
      if (!run.done.has(String(index))) await run.append({ index, ...row });
      progress.update(run.done.size);
    }
    const rows = await orderedRows(run.records());
    // Check before anything is written: an output without rows must not replace an earlier one.
    const summary = summariseRows(rows, { mode, tally, necessary });
    await writeLines(output, rows);
    if (training) {
      await writeLines(
        training.file,
        rows.map((row) => trainingConversation(row, training, tags)),
      );
    }
    progress.succeed(`${rows.length} rows`);
    await run.close();
    await rm(folder, { recursive: true });
    return summary;
  } catch (error) {
    progress.fail();
    await run.close();
    // Nothing to resume from; the folder would only block the same command with another setting.
    if (run.done.size === 0) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Everything that the rows depend on. */
async function settingsOf(options: CompressFileOptions, data: string): Promise<Record<string, unknown>> {
  const { mode, scorer, validator, importance, search, tags, read, sink, share, like } = options;
  return {
    data,
    ...{ mode, importance, search, tags, read, sink, share, counter: options.counter },
    ...(like === undefined ? {} : { like: await sha256File(like) }),
    ...(scorer ? { scorerPath: numericalPath(scorer) } : {}),
    ...(validator ? { validatorPath: numericalPath(validator) } : {}),
    scorer: await scorer?.hash(),
    validator: validator && ((await validator.hash()) ?? validator.name),
  };
}

const likeSchema = z.object({ id: z.string(), tokens: z.object({ before: z.number(), after: z.number() }) });

/** How much of each thought the compressed rows keep. */
async function sharesOf(file: string): Promise<Map<string, number>> {
  const shares = new Map<string, number>();
  for await (const { value } of readJsonl(file, { schema: likeSchema })) {
    shares.set(value.id, value.tokens.before === 0 ? 1 : value.tokens.after / value.tokens.before);
  }
  return shares;
}

async function orderedRows(records: AsyncIterable<CompressionRecord>): Promise<CompressedRow[]> {
  const all: CompressionRecord[] = [];
  for await (const record of records) all.push(record);
  return all.sort((a, b) => a.index - b.index).map(({ index: _, ...row }) => row);
}

export const writeLines = (file: string, values: readonly object[]): Promise<void> =>
  writeWhole(file, values.map((value) => `${JSON.stringify(value)}\n`).join(""));

export interface SummaryOptions {
  /** Settings of the rows. */
  mode: CompressMode;
  tally: RowTally;
  /** For each row which steps are necessary, where the data says. */
  necessary: readonly ChainRow["necessary"][];
}

/** Summarise the outcome of the rows. @throws bad-input if there are none */
export function summariseRows(
  compressed: readonly CompressedRow[],
  { mode, tally, necessary }: SummaryOptions,
): CompressionSummary {
  if (compressed.length === 0) {
    throw new ThoughtbookError("bad-input", "no row of the data can be used", {
      hint: "See the reasons above; other tags or another format may be meant.",
    });
  }
  const mean = (value: (row: CompressedRow) => number) =>
    compressed.reduce((sum, row) => sum + value(row), 0) / compressed.length;
  const statuses: Record<string, number> = {};
  for (const { status } of compressed) statuses[status] = (statuses[status] ?? 0) + 1;
  return {
    mode,
    rows: tally,
    statuses,
    acceptedShare: (statuses.accepted ?? 0) / compressed.length,
    ...(mode === "best-first" ? { provenShare: mean(({ proven }) => Number(proven ?? false)) } : {}),
    keptSteps: mean(({ kept }) => kept.length) / mean(({ steps }) => steps),
    keptTokens: mean(({ tokens }) => tokens.after) / mean(({ tokens }) => tokens.before),
    meanRate: mean(({ rate }) => rate),
    searchSteps: mean(({ search_steps }) => search_steps),
    scored: mean(({ scored }) => scored),
    verified: mean(({ verified }) => verified),
    weighed: mean(({ weighed }) => weighed),
    cut: compressed.filter(({ cut }) => cut > 0).length,
    tooLong: compressed.filter(({ too_long }) => too_long > 0).length,
    ...qualityOf(mode, compressed, necessary),
  };
}

/** Quality over rows that mark necessary steps, where steps are kept whole. */
function qualityOf(
  mode: CompressMode,
  rows: readonly CompressedRow[],
  necessary: readonly ChainRow["necessary"][],
): KeptQuality {
  if (mode === "token-skip" || mode === "solution-only") return {};
  return keptQuality(
    rows.flatMap(({ kept }, i) => {
      const own = necessary[i];
      return own ? { kept, necessary: own } : [];
    }),
  );
}
