import type { LanguageModel, Prompt } from "../../llm/index.js";
import { OPERATIONS, operationPrompt } from "../../operations/index.js";
import type { SearchTree } from "../../search/index.js";
import type { ChainRow } from "../chains/chain-rows.js";
import { joinSteps } from "../chains/split-steps.js";
import type { Importance } from "../importance/formulas.js";
import { openPathCosts, type PathCosts } from "../paths/path-cost.js";
import { type PathTags, releasedTags, THINK_TAGS } from "../paths/path-parts.js";
import { createPathVerifier, type PathVerifier, thoughtPrompt } from "../paths/verify-path.js";
import { bestFirstSearch } from "../search/best-first-search.js";
import type { SearchResult } from "../search/search-result.js";
import { faithfulSearch, paperSearch, type WalkOptions } from "../search/walk-search.js";

/** The searches of A*-Thought. */
export const SEARCH_MODES = ["faithful", "paper", "best-first"] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

export interface SearchSettings {
  /** Weight of the thought in the costs. Default: 0.1. */
  beta: number;
  /** Children of a node in the walk searches. Default: 2. */
  expandSize: number;
  /** Neighbours on either side that are added together with a step in the walk searches. Default: 1. */
  neighbours: number;
  /**
   * Walk searches: number of search steps before paths are verified, and after which the search gives up; default: 5
   * and 20, as in the released code. Best-first: minimum number of steps to keep (default: 0), and maximum number of
   * paths to verify (20).
   */
  minSteps?: number | undefined;
  maxSteps: number;
  /**
   * Best-first only: whether acceptance is assumed to be monotone (default: true), and how many open states are kept.
   */
  monotone: boolean;
  beamWidth?: number | undefined;
  /** Solutions generated to verify a path, and how many of them must be right (default: more than half). */
  samples: number;
  needed?: number | undefined;
  /** Maximum tokens of a solution. */
  maxNewTokens: number;
  seed: number;
  /**
   * Prompt for the validator: that of the operation `think`, or `released`: the bare question and the tags that the
   * released code chooses by the validator's name.
   */
  prompting: "operation" | "released";
}

export const SEARCH_DEFAULTS: SearchSettings = {
  beta: 0.1,
  expandSize: 2,
  neighbours: 1,
  maxSteps: 20,
  monotone: true,
  samples: 1,
  maxNewTokens: 256,
  seed: 0,
  prompting: "operation",
};
/** Walk steps before a path is verified, as in the released code. */
export const WALK_MIN_STEPS = 5;

/** Outcome of a chain. */
export interface KeptSteps {
  /** Indices of the kept steps, ascending. */
  kept: number[];
  /** `accepted`, `unverified`, `step limit`, `exhausted`; for baselines `not searched`. */
  status: string;
  searchSteps: number;
  /** Number of paths that the model scored, and that it was asked to solve. */
  scored: number;
  verified: number;
  /** Number of paths too long for the validator's context: they cost ∞, or count as rejected. */
  tooLong: number;
  /** Best-first only: whether no cheaper path can be accepted; false if a limit or the beam ended the search. */
  proven?: boolean;
  tree?: SearchTree<number[]>;
  /** The shorter thought, where it is not made of whole steps. */
  thought?: string;
}

/**
 * Search for the steps of a chain to keep. Costs and verification come from the validator; no path is asked about
 * twice.
 *
 * @throws like the searches, `openPathCosts`, `createPathVerifier`
 */
export async function searchRow(
  validator: LanguageModel,
  row: ChainRow,
  { order }: Pick<Importance, "order">,
  mode: SearchMode,
  settings: SearchSettings,
  signal?: AbortSignal,
): Promise<KeptSteps> {
  const { beta, samples, needed, maxNewTokens, seed } = settings;
  const { prompt, tags, promptWith } = asking(validator, row.question, settings);
  const costs = await openPathCosts(
    validator,
    { prompt, steps: row.steps, solution: row.solution },
    { tags, beta, variant: mode === "faithful" ? "faithful" : "exact", signal },
  );
  const verifier = createPathVerifier(validator, {
    steps: row.steps,
    prompt: promptWith,
    reference: row.answer ?? "",
    samples,
    needed,
    maxNewTokens,
    seed: `${seed}/${row.id}`,
  });
  const found = await runSearch(row, order, mode, settings, { costs, verifier, signal });
  const { kept, status, searchSteps, tree } = found;
  const tooLong = costs.tooLong + verifier.tooLong;
  const proven = found.proven === undefined ? {} : { proven: found.proven };
  return { kept, status, searchSteps, tree, scored: costs.scored, verified: verifier.asked, tooLong, ...proven };
}

interface Asking {
  /** Text before the thought. */
  prompt: Prompt;
  tags: PathTags;
  /** Text up to where the solution begins. */
  promptWith: (kept: readonly string[]) => Prompt;
}

function asking(validator: LanguageModel, question: string, { prompting }: SearchSettings): Asking {
  if (prompting === "operation") {
    return {
      prompt: operationPrompt(validator, OPERATIONS.think, { question }),
      tags: THINK_TAGS,
      promptWith: (kept) => thoughtPrompt(validator, question, kept),
    };
  }
  const tags = releasedTags(validator.name);
  const { thoughtBegin, thoughtEnd, solutionBegin } = tags;
  return {
    prompt: question,
    tags,
    promptWith: (kept) => `${question}${thoughtBegin}${joinSteps(kept)}${thoughtEnd}${solutionBegin}`,
  };
}

interface Instruments {
  costs: PathCosts;
  verifier: PathVerifier;
  signal: AbortSignal | undefined;
}

function runSearch(
  { steps, answer }: ChainRow,
  queue: readonly number[],
  mode: SearchMode,
  { expandSize, neighbours, minSteps, maxSteps, monotone, beamWidth }: SearchSettings,
  { costs, verifier, signal }: Instruments,
): Promise<SearchResult & { proven?: boolean }> {
  const boxedSolution = answer !== undefined;
  const shared = { n: steps.length, queue, boxedSolution, signal };
  if (mode === "best-first") {
    return bestFirstSearch({
      ...shared,
      minSteps,
      costs: costs.stepTokens,
      valid: (sets) => verifier.verify(sets, { signal }),
      monotone,
      beamWidth,
      maxValidations: maxSteps,
    });
  }
  const walk: WalkOptions = {
    ...shared,
    minSteps: minSteps ?? WALK_MIN_STEPS,
    expandSize,
    neighbours,
    maxSteps,
    cost: async (sets) => (await costs.of(sets, { signal })).map(({ f }) => f),
    valid: async (set) => (await verifier.verify([set], { signal }))[0]!,
  };
  return mode === "paper" ? paperSearch(walk) : faithfulSearch(walk);
}
