import { badInput, createRandom } from "../../core/index.js";
import { type LanguageModel, tokenizerOf } from "../../llm/index.js";
import type { ChainRow } from "../chains/chain-rows.js";
import { joinSteps, STEP_SEPARATOR } from "../chains/split-steps.js";
import { allSteps } from "../paths/step-set.js";
import type { TokenCounter } from "./compressed-row.js";

/**
 * Baselines for the searches. `full`: all steps; `solution-only`: none; `necessary`: the steps that the data marks as
 * needed for the answer. With a given number of tokens: `random` steps, the steps of highest `importance`, the `last`
 * ones, or the most informative tokens of the whole thought (`token-skip`).
 */
export const BASELINE_MODES = [
  "full",
  "solution-only",
  "necessary",
  "random",
  "importance",
  "last",
  "token-skip",
] as const;
export type BaselineMode = (typeof BASELINE_MODES)[number];

/** Baselines that keep a given share of the tokens. */
export const SIZED_MODES: readonly string[] = ["random", "importance", "last", "token-skip"];

export interface BaselineOptions {
  mode: Exclude<BaselineMode, "token-skip">;
  /** Steps by importance, the highest first; for the mode `importance`. */
  order?: readonly number[] | undefined;
  /** Share of the thought's tokens to keep, from 0 to 1; for the modes that need one. */
  share?: number | undefined;
  /** Tokens by which earlier rows came out too short (too long if negative), to be compensated here. Default: 0. */
  owed?: number | undefined;
  seed: number | string;
  countTokens: TokenCounter;
}

/**
 * Choose the steps that a baseline keeps, ascending. Modes of a given size take steps in their order as long as the
 * number of tokens comes nearer to the target; at least one step, so that a thought remains. The next row compensates
 * for what this one is too long or too short: see {@link sizedSteps}.
 *
 * @throws bad-input for `necessary` where the data does not know, or a mode without its share or order
 */
export function baselineSteps(row: ChainRow, options: BaselineOptions): number[] {
  const { mode, order, seed } = options;
  const { steps, necessary } = row;
  const all = allSteps(steps.length);
  switch (mode) {
    case "full":
      return all;
    case "solution-only":
      return [];
    case "necessary":
      if (necessary) return all.filter((step) => necessary[step]);
      throw badInput(`${row.id} does not say which steps are necessary`, "Only our own word problems do.");
    case "random":
      return nearest(row, createRandom(`random steps/${seed}/${row.id}`).shuffle(all), options);
    case "last":
      return nearest(row, all.toReversed(), options);
    case "importance":
      if (order) return nearest(row, order, options);
      throw badInput("the importance of the steps is missing", "Give a scorer.");
  }
}

/**
 * Choose the steps that a baseline of a given size keeps of consecutive rows. Each row compensates for those before it,
 * so that together they keep the target number of tokens, to within a step.
 *
 * @throws like baselineSteps
 */
export function sizedSteps(
  rows: readonly ChainRow[],
  optionsOf: (row: ChainRow, at: number) => Omit<BaselineOptions, "owed">,
): number[][] {
  let owed = 0;
  return rows.map((row, at) => {
    const options = optionsOf(row, at);
    const { share, countTokens } = options;
    const kept = baselineSteps(row, { ...options, owed });
    owed +=
      checkedShare(share) * countTokens(row.thought) - countTokens(joinSteps(kept.map((step) => row.steps[step]!)));
    return kept;
  });
}

function nearest(
  { steps, thought }: ChainRow,
  order: readonly number[],
  { share, owed = 0, countTokens }: Pick<BaselineOptions, "share" | "owed" | "countTokens">,
): number[] {
  const wanted = checkedShare(share) * countTokens(thought) + owed;
  const kept: number[] = [];
  const separator = countTokens(STEP_SEPARATOR);
  let tokens = 0;
  for (const step of order) {
    const more = tokens + (kept.length > 0 ? separator : 0) + countTokens(steps[step]!);
    if (kept.length > 0 && Math.abs(more - wanted) >= Math.abs(tokens - wanted)) break;
    kept.push(step);
    tokens = more;
  }
  return kept.sort((a, b) => a - b);
}

/** @throws bad-input for a share that is missing or out of range */
export function checkedShare(share: number | undefined): number {
  if (share !== undefined && share >= 0 && share <= 1) return share;
  throw badInput(`the share to keep is ${share}, expected a number from 0 to 1`, "Say how many tokens are to be kept.");
}

/**
 * Prune a thought token by token, as TokenSkip does (Xia et al. 2025): keep the given share of the most informative
 * tokens, in their order. TokenSkip asks a classifier of its own; here a token is as informative as it is surprising to
 * a causal model after the question (Selective Context, Li et al. 2023). Of a question longer than half of the context
 * only the last tokens are used; the end of a thought that does not fit beside it is dropped.
 *
 * @throws bad-input for a model without scores or without an accessible tokenizer
 */
export async function prunedThoughts(
  scorer: LanguageModel,
  rows: readonly ChainRow[],
  shareOf: (row: ChainRow) => number | undefined,
  signal?: AbortSignal,
): Promise<string[]> {
  const tokenizer = tokenizerOf(scorer, "the selection of tokens");
  const requests = rows.map(({ question, steps }) => ({
    prompt: { ids: tokenizer.encode(question, { addSpecialTokens: false }) },
    continuation: {
      ids: tokenizer.encode(`${STEP_SEPARATOR}${joinSteps(steps)}`, { addSpecialTokens: false, continues: true }),
    },
  }));
  const room = scorer.contextLength ?? Number.POSITIVE_INFINITY;
  for (const { prompt, continuation } of requests) {
    prompt.ids = prompt.ids.slice(-Math.floor(room / 2));
    continuation.ids = continuation.ids.slice(0, room - prompt.ids.length);
  }
  const scores = await scorer.score(requests, { signal });
  return rows.map((row, i) => {
    const { ids, logProbs } = scores[i]!;
    const wanted = Math.max(1, Math.round(checkedShare(shareOf(row)) * ids.length));
    const chosen = [...ids.keys()].sort((a, b) => logProbs[a]! - logProbs[b]! || a - b).slice(0, wanted);
    return tokenizer.decode(chosen.sort((a, b) => a - b).map((at) => ids[at]!)).trim();
  });
}
