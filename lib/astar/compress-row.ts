import type { LanguageModel, Prompt } from "../llm/index.js";
import { OPERATIONS, operationPrompt } from "../operations/index.js";
import { bestFirstSearch } from "./best-first-search.js";
import type { Importance } from "./importance-formulas.js";
import { openPathCosts, type PathCosts } from "./path-cost.js";
import { type PathTags, releasedTags, THINK_TAGS } from "./path-parts.js";
import type { ChainRow } from "./rows.js";
import type { SearchTree } from "./search-tree.js";
import { joinSteps } from "./split-steps.js";
import { createPathVerifier, type PathVerifier, thoughtPrompt } from "./verify-path.js";
import { faithfulSearch, paperSearch, type WalkOptions } from "./walk-search.js";

/** The searches of A*-Thought. */
export const SEARCH_MODES = ["faithful", "paper", "best-first"] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

export interface SearchSettings {
  /** Weight of the thought in the costs. Default: 0.1. */
  beta: number;
  /** Children of a node in the walks. Default: 2. */
  expandSize: number;
  /** Steps on either side that come with a step of the walks. Default: 1. */
  neighbours: number;
  /** Default: 5 and 20, as in the released code. */
  minSteps: number;
  maxSteps: number;
  /** Solutions written to verify a path, and how many must be right (default: more than half). */
  samples: number;
  needed?: number | undefined;
  /** The most tokens of a solution. */
  maxNewTokens: number;
  seed: number;
  /**
   * How the validator is asked: as the operation `think` asks it, or `released`: the bare question and the tags that the
   * released code chooses by the validator's name.
   */
  prompting: "operation" | "released";
}

export const SEARCH_DEFAULTS: SearchSettings = {
  beta: 0.1,
  expandSize: 2,
  neighbours: 1,
  minSteps: 5,
  maxSteps: 20,
  samples: 1,
  maxNewTokens: 256,
  seed: 0,
  prompting: "operation",
};

/** What became of a chain. */
export interface KeptSteps {
  /** Ascending. */
  kept: number[];
  /** `accepted`, `unverified`, `step limit`, `exhausted`; of baselines `not searched`. */
  status: string;
  searchSteps: number;
  /** Paths that the model scored, and paths that it was asked to solve. */
  scored: number;
  verified: number;
  tree?: SearchTree;
  /** The shorter thought, where it is not made of whole steps. */
  thought?: string;
}

/**
 * Search the steps of a chain that are to be kept. Costs and verification are the validator's; what was asked before is
 * not asked again.
 *
 * @throws as the searches, `openPathCosts`, `createPathVerifier`
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
  return { kept, status, searchSteps, tree, scored: costs.scored, verified: verifier.asked };
}

interface Asking {
  /** What comes before the thought. */
  prompt: Prompt;
  tags: PathTags;
  /** Up to where the solution begins. */
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
  { expandSize, neighbours, minSteps, maxSteps }: SearchSettings,
  { costs, verifier, signal }: Instruments,
) {
  const boxedSolution = answer !== undefined;
  const shared = { n: steps.length, queue, minSteps, boxedSolution, signal };
  if (mode === "best-first") {
    return bestFirstSearch({
      ...shared,
      costs: costs.stepTokens,
      valid: (sets) => verifier.verify(sets, { signal }),
      monotone: true,
      maxValidations: maxSteps,
    });
  }
  const walk: WalkOptions = {
    ...shared,
    expandSize,
    neighbours,
    maxSteps,
    cost: async (sets) => (await costs.of(sets, { signal })).map(({ f }) => f),
    valid: async (set) => (await verifier.verify([set], { signal }))[0]!,
  };
  return mode === "paper" ? paperSearch(walk) : faithfulSearch(walk);
}
