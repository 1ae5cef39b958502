import { createRandom } from "../core/index.js";
import { isTokenModel, type LanguageModel } from "../llm/index.js";
import type { TokenCounter } from "./compressed-row.js";
import type { ChainRow } from "./rows.js";
import { joinSteps, STEP_SEPARATOR } from "./split-steps.js";
import { allSteps, badInput } from "./step-set.js";

/**
 * What searches are compared with. `full`: all steps; `solution-only`: none; `necessary`: those that the data knows the
 * answer needs. As many tokens as asked for: `random` steps, those of highest `importance`, the `last` ones, or of the
 * whole thought the tokens that say most (`token-skip`).
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
  seed: number | string;
  countTokens: TokenCounter;
}

/**
 * The steps that a baseline keeps, ascending. Modes of a given size take steps in their order as long as the number of
 * tokens comes nearer to the one asked for; at least one step, so that a thought remains.
 *
 * @throws bad-input for `necessary` where the data does not know, or a mode without its share or order
 */
export function baselineSteps(row: ChainRow, { mode, order, share, seed, countTokens }: BaselineOptions): number[] {
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
      return nearest(row, createRandom(`random steps/${seed}/${row.id}`).shuffle(all), share, countTokens);
    case "last":
      return nearest(row, all.toReversed(), share, countTokens);
    case "importance":
      if (order) return nearest(row, order, share, countTokens);
      throw badInput("the importance of the steps is missing", "Give a scorer.");
  }
}

function nearest(
  { steps, thought }: ChainRow,
  order: readonly number[],
  share: number | undefined,
  countTokens: TokenCounter,
): number[] {
  const wanted = checkedShare(share) * countTokens(thought);
  const kept: number[] = [];
  let tokens = 0;
  for (const step of order) {
    const more = tokens + countTokens(steps[step]!);
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
 * A thought pruned token by token, as TokenSkip does (Xia et al. 2025): the share of tokens that say most is kept, in their
 * order. TokenSkip asks a classifier of its own for that; here a token says as much as a causal model is surprised by it
 * after the question (Selective Context, Li et al. 2023).
 *
 * @throws bad-input for a model without scores or a tokenizer in reach
 */
export async function prunedThoughts(
  scorer: LanguageModel,
  rows: readonly ChainRow[],
  shareOf: (row: ChainRow) => number | undefined,
  signal?: AbortSignal,
): Promise<string[]> {
  const tokenizer = isTokenModel(scorer) ? scorer.tokenizer : undefined;
  if (!tokenizer) throw badInput(`the tokenizer of ${scorer.name} is out of reach`, "Take a checkpoint as the scorer.");
  const requests = rows.map(({ question, steps }) => ({
    prompt: { ids: tokenizer.encode(question, { addSpecialTokens: false }) },
    continuation: {
      ids: tokenizer.encode(`${STEP_SEPARATOR}${joinSteps(steps)}`, { addSpecialTokens: false, continues: true }),
    },
  }));
  const room = scorer.contextLength ?? Number.POSITIVE_INFINITY;
  for (const { prompt, continuation } of requests) {
    // The end of a thought that is longer than the context is not kept.
    continuation.ids = continuation.ids.slice(0, Math.max(1, room - prompt.ids.length));
  }
  const scores = await scorer.score(requests, { signal });
  return rows.map((row, i) => {
    const { ids, logProbs } = scores[i]!;
    const wanted = Math.max(1, Math.round(checkedShare(shareOf(row)) * ids.length));
    const telling = [...ids.keys()].sort((a, b) => logProbs[a]! - logProbs[b]! || a - b).slice(0, wanted);
    return tokenizer.decode(telling.sort((a, b) => a - b).map((at) => ids[at]!)).trim();
  });
}
