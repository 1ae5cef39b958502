import type { ChainRow } from "../chains/chain-rows.js";
import { joinSteps } from "../chains/split-steps.js";
import { THOUGHT_TAGS, type ThoughtTags, writeTagged } from "../chains/tags.js";
import type { KeptSteps } from "./compress-row.js";

/** Counts the tokens of a text. */
export type TokenCounter = (text: string) => number;

/** A compressed row in the ShareGPT layout, as the released data has it, with the results of the search. */
export interface CompressedRow {
  id: string;
  system: string;
  conversations: [{ from: "user"; value: string }, { from: "assistant"; value: string }];
  /**
   * Compression rate: tokens of the shorter thought ÷ tokens of the whole one, 4 digits; 1 if the shorter one has none.
   */
  rate: number;
  /** Number of search steps. */
  search_steps: number;
  /** How the search ended. */
  status: string;
  /** Number of paths that the validator scored, and that it was asked to solve. */
  scored: number;
  verified: number;
  /** Pairs of a step and question or solution that the scorer weighed; equal steps count once. */
  weighed: number;
  /** Steps, questions and solutions of which the scorer saw only the end; paths too long for the validator. */
  cut: number;
  too_long: number;
  /** Best-first only: whether no cheaper path can be accepted. */
  proven?: boolean;
  /** Indices of the kept steps, ascending, and the number of steps. */
  kept: number[];
  steps: number;
  /** Tokens of the whole thought, of the shorter one, and of the solution. */
  tokens: { before: number; after: number; solution: number };
}

/** What a row keeps, the steps in any order. */
export type CompressionResult = Omit<KeptSteps, "kept" | "tree"> & {
  kept: readonly number[];
  weighed: number;
  cut: number;
};

export interface CompressedRowOptions {
  countTokens: TokenCounter;
  /** Default: {@link THOUGHT_TAGS}. */
  tags?: ThoughtTags | undefined;
}

/** Write a row with the kept steps, in their order, and the solution after them. */
export function compressedRow(
  row: ChainRow,
  { kept, searchSteps, status, scored, verified, weighed, cut, tooLong, ...rest }: CompressionResult,
  { countTokens, tags = THOUGHT_TAGS }: CompressedRowOptions,
): CompressedRow {
  const places = [...new Set(kept)].sort((a, b) => a - b);
  const thought = rest.thought ?? joinSteps(places.map((place) => row.steps[place]!));
  const tokens = {
    before: countTokens(row.thought),
    after: countTokens(thought),
    solution: countTokens(row.solution),
  };
  return {
    id: row.id,
    system: row.system,
    conversations: [
      { from: "user", value: row.question },
      { from: "assistant", value: writeTagged({ thought, solution: row.solution }, tags) },
    ],
    rate: compressionRate(tokens.after, tokens.before),
    search_steps: searchSteps,
    status,
    ...{ scored, verified, weighed, cut, too_long: tooLong },
    ...(rest.proven === undefined ? {} : { proven: rest.proven }),
    kept: places,
    steps: row.steps.length,
    tokens,
  };
}

/** Tokens kept ÷ tokens before, rounded to 4 digits; 1 if none are kept, as in the released code. */
export function compressionRate(tokens: number, before: number): number {
  return tokens === 0 || before === 0 ? 1 : Math.round((tokens / before) * 1e4) / 1e4;
}
