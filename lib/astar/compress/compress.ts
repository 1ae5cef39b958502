import { badInput, interruptible } from "../../core/index.js";
import { type LanguageModel, requireCapability } from "../../llm/index.js";
import { gatherCalls } from "../../rollouts/index.js";
import type { ChainRow } from "../chains/chain-rows.js";
import type { ThoughtTags } from "../chains/tags.js";
import { dropImportance } from "../importance/drop.js";
import { type Importance, type ImportanceOptions, randomImportance, rankSteps } from "../importance/formulas.js";
import { importanceSignals, type SignalOptions } from "../importance/importance.js";
import { type BaselineMode, baselineSteps, prunedThoughts, SIZED_MODES, sizedSteps } from "./baselines.js";
import {
  type KeptSteps,
  SEARCH_DEFAULTS,
  SEARCH_MODES,
  type SearchMode,
  type SearchSettings,
  searchRow,
} from "./compress-row.js";
import { type CompressedRow, compressedRow, type TokenCounter } from "./compressed-row.js";

export type CompressMode = SearchMode | BaselineMode;

export interface CompressOptions {
  mode: CompressMode;
  /** Model that weighs the steps; for searches and the modes `importance` and `token-skip`. */
  scorer?: LanguageModel | undefined;
  /** Model that scores and solves paths; for searches. */
  validator?: LanguageModel | undefined;
  /** How importance follows from attention and NLL. */
  importance?: Omit<ImportanceOptions, "seed"> | undefined;
  /** Options of the scorer's signals: cache, sentences, sink. */
  signals?: Pick<SignalOptions, "cache" | "sentences" | "sink"> | undefined;
  search?: Partial<Omit<SearchSettings, "seed">> | undefined;
  /** Share of a thought's tokens to keep, for baselines of a given size. */
  shareOf?: ((row: ChainRow) => number | undefined) | undefined;
  countTokens: TokenCounter;
  tags?: ThoughtTags | undefined;
  /** Default: 0. */
  seed?: number | undefined;
  /**
   * Whether a row, by its position among all rows, exists from an earlier run. A group that exists completely is
   * skipped.
   */
  isDone?: ((index: number) => boolean) | undefined;
  signal?: AbortSignal | undefined;
}

export interface Compressed {
  /** Position among all rows, from 0. */
  index: number;
  row: ChainRow;
  result: KeptSteps;
  compressed: CompressedRow;
}

/**
 * Rows whose searches run concurrently. Which rows share model calls never depends on what was done before, so a
 * resumed run gives the same numbers. Near the end of a group few searches are left to share a call, which large groups
 * make up for; but a killed run loses a whole group, which is expensive with a large model.
 */
const GROUP_OF_SMALL_MODEL = 512;
const GROUP_OF_LARGE_MODEL = 128;
/** Number of parameters from which on a model counts as large here. */
const LARGE = 20e6;

/**
 * Compress chains of thought in order: weigh the steps, search or choose the ones to keep, write the rows.
 *
 * @throws bad-input for a mode without what it needs; interrupted; as the models, the searches and the cache
 */
export async function* compressRows(
  rows: Iterable<ChainRow> | AsyncIterable<ChainRow>,
  given: CompressOptions,
): AsyncGenerator<Compressed, void, undefined> {
  checkCompressOptions(given);
  const options = { ...given, signal: interruptible(given.signal) };
  const { mode, scorer, validator, importance, signals, signal, isDone = () => false } = options;
  // A random order needs no model, and drops are measured group by group.
  const isWeighed = needsCache({ mode, importance });
  const weighed = isWeighed
    ? weigh(importanceSignals(scorer!, rows, { ...signals, signal }), options)
    : unweighed(rows, options);
  const isSmall = (validator?.parameterCount ?? LARGE) < LARGE;
  const size = isSmall ? GROUP_OF_SMALL_MODEL : GROUP_OF_LARGE_MODEL;
  let first = 0;
  for await (const group of inGroups(weighed, size)) {
    const isNeeded = group.some((_, i) => !isDone(first + i));
    if (isNeeded) yield* compressGroup(group, first, options);
    first += group.length;
  }
}

const isSearchMode = (mode: CompressMode): mode is SearchMode => (SEARCH_MODES as readonly string[]).includes(mode);

/** Which models a mode uses, and whether it uses the importance of steps. */
export function needsOf(mode: CompressMode): { validator: boolean; scorer: boolean; importance: boolean } {
  const validator = isSearchMode(mode);
  const importance = validator || mode === "importance";
  return { validator, importance, scorer: importance || mode === "token-skip" };
}

/** Whether steps are weighed by attention and NLL, whose signals a cache keeps. */
export const needsCache = ({ mode, importance }: Pick<CompressOptions, "mode" | "importance">): boolean =>
  needsOf(mode).importance && importance?.signal !== "random" && importance?.signal !== "drop";

/** @throws bad-input for a mode without what it needs */
export function checkCompressOptions({ mode, scorer, validator, shareOf }: CompressOptions): void {
  if (SIZED_MODES.includes(mode) && !shareOf) {
    throw badInput(`the mode ${mode} needs to know how much to keep`, "Give a share, or compressed rows to be like.");
  }
  const needs = needsOf(mode);
  if (needs.validator) {
    if (!validator) throw badInput(`the mode ${mode} needs a validator`, "Give a model that solves.");
    requireCapability(validator, "score", "A*-Thought");
  }
  if (needs.scorer && !scorer) {
    throw badInput(`the mode ${mode} needs a scorer`, "Give a model that weighs steps.");
  }
}

interface Weighed {
  row: ChainRow;
  importance: Importance | undefined;
  /**
   * Pairs of a step and a condition that the scorer was, or would be, asked about; and how many truncated parts it saw.
   */
  weighed: number;
  cut: number;
}

async function* weigh(
  signals: ReturnType<typeof importanceSignals<ChainRow>>,
  { importance, seed = 0 }: CompressOptions,
): AsyncGenerator<Weighed> {
  for await (const { chain: row, signals: measured } of signals) {
    yield {
      row,
      importance: rankSteps(measured, { ...importance, seed: `${seed}/${row.id}` }),
      weighed: 2 * new Set(row.steps.filter((_, at) => measured.steps[at])).size,
      cut: measured.cutSteps + Number(measured.cutQuestion) + Number(measured.cutSolution),
    };
  }
}

async function* unweighed(
  rows: Iterable<ChainRow> | AsyncIterable<ChainRow>,
  { importance, seed = 0 }: CompressOptions,
): AsyncGenerator<Weighed> {
  for await (const row of rows) {
    const random = importance?.signal === "random" && randomImportance(row.steps, `${seed}/${row.id}`);
    yield { row, importance: random || undefined, weighed: 0, cut: 0 };
  }
}

async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** The group with the drops of its rows, where these are its importance. */
async function withDrops(group: readonly Weighed[], options: CompressOptions): Promise<readonly Weighed[]> {
  const { mode, importance, scorer, signal } = options;
  if (importance?.signal !== "drop" || !needsOf(mode).importance) return group;
  const dropped: Weighed[] = [];
  for (const { row } of group) {
    const { scored, tooLong, ...order } = await dropImportance(scorer!, row, signal);
    dropped.push({ row, importance: order, weighed: scored, cut: tooLong });
  }
  return dropped;
}

async function* compressGroup(given: readonly Weighed[], first: number, options: CompressOptions) {
  const { countTokens, tags } = options;
  const group = await withDrops(given, options);
  const results = await keptOf(group, options);
  for (const [i, { row, weighed, cut }] of group.entries()) {
    const result = results[i]!;
    const compressed = compressedRow(row, { ...result, weighed, cut }, { countTokens, tags });
    yield { index: first + i, row, result, compressed };
  }
}

async function keptOf(
  group: readonly Weighed[],
  { mode, scorer, validator, search, shareOf, countTokens, seed = 0, signal }: CompressOptions,
): Promise<KeptSteps[]> {
  if (isSearchMode(mode)) {
    const settings = { ...SEARCH_DEFAULTS, ...search, seed };
    const gatherer = gatherCalls(validator!, { signal });
    const searches = group.map(({ row, importance }) =>
      gatherer.run((model) => searchRow(model, row, importance!, mode, settings, signal)),
    );
    const results = await Promise.allSettled(searches);
    return results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }
  const rows = group.map(({ row }) => row);
  if (mode === "token-skip") {
    const thoughts = await prunedThoughts(scorer!, rows, (row) => shareOf?.(row), signal);
    return thoughts.map((thought) => ({ ...notSearched([]), thought }));
  }
  const optionsOf = (row: ChainRow, at: number) => {
    return { mode, order: group[at]!.importance?.order, share: shareOf?.(row), seed, countTokens };
  };
  const kept = SIZED_MODES.includes(mode)
    ? sizedSteps(rows, optionsOf)
    : rows.map((row, at) => baselineSteps(row, optionsOf(row, at)));
  return kept.map(notSearched);
}

const notSearched = (kept: number[]): KeptSteps => ({
  kept,
  status: "not searched",
  searchSteps: 0,
  scored: 0,
  verified: 0,
  tooLong: 0,
});
