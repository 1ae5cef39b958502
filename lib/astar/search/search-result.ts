import type { SearchTree, TreeNode } from "../../search/index.js";

/**
 * How a search ended:
 * - accepted: the kept steps were verified
 * - unverified: there was no answer to verify by
 * - step limit: it was given up
 * - exhausted: there was nothing left to try
 */
export type SearchStatus = "accepted" | "unverified" | "step limit" | "exhausted";

/** A set of kept steps as a state of a search: indices from 0, ascending. */
export type StepNode = TreeNode<number[]>;

/** What every search gives. */
export interface SearchResult {
  status: SearchStatus;
  /** Indices of steps, ascending. */
  kept: number[];
  /** The k of the papers in the walks; the number of expanded nodes in the best-first search. */
  searchSteps: number;
  /** How many sets were given to `cost`, repeated ones included; in the best-first search, how many were looked at. */
  statesScored: number;
  /** How many sets were given to `valid`, repeated ones included. */
  validations: number;
  tree: SearchTree<number[]>;
}
