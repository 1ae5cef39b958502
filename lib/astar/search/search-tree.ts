import { ThoughtbookError } from "../../core/index.js";

/**
 * How a search ended:
 * - accepted: the kept steps were verified
 * - unverified: there was no answer to verify by
 * - step limit: it was given up
 * - exhausted: there was nothing left to try
 */
export type SearchStatus = "accepted" | "unverified" | "step limit" | "exhausted";

/** A state of the search: a set of kept steps, as it was proposed. */
export interface SearchNode {
  /** Indices of steps, ascending. */
  kept: number[];
  /** Index in the tree of the node that it was made from; null for the root. */
  parent: number | null;
  /** Priority f of the search, where known and finite. */
  f?: number;
  /** Cost g of the kept steps, in searches that know it separately. */
  g?: number;
  /** Bound on, or cost of, what remains (h); in searches that know it separately. */
  h?: number;
  /** Whether the search continued with it. */
  chosen: boolean;
  /** Position in expansion order, from 0. */
  expanded?: number;
  /** Result of its verification. */
  verdict?: "accepted" | "rejected";
}

/** All nodes in the order in which they were proposed; plain data. */
export interface SearchTree {
  nodes: SearchNode[];
}

/** Result of every search. */
export interface SearchResult {
  status: SearchStatus;
  /** Indices of steps, ascending. */
  kept: number[];
  /** Walk searches: the papers' k; best-first search: number of expanded nodes. */
  searchSteps: number;
  /** Number of sets given to `cost`, repeats included; best-first search: number of sets examined. */
  statesScored: number;
  /** Number of sets given to `valid`, repeats included. */
  validations: number;
  tree: SearchTree;
}

/** Throws interrupted once the signal says so. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new ThoughtbookError("interrupted", "the search was interrupted", {
    hint: "Run it again.",
    cause: signal.reason,
  });
}

/** Throws execution unless a caller's function returned one number, or other value, per set. */
export function checkAnswers<T>(what: string, answers: readonly T[], expected: number): readonly T[] {
  if (answers.length !== expected || answers.some((answer) => Number.isNaN(answer))) {
    throw new ThoughtbookError("execution", `${what} gave [${answers.join(", ")}] for ${expected} sets of steps`, {
      hint: "It must give one value for each set, and none that is NaN.",
    });
  }
  return answers;
}
