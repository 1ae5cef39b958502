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
  /** The node it was made from, by its place in the tree; null for the first. */
  parent: number | null;
  /** What the search went by, where that is known and finite. */
  f?: number;
  /** The cost of the kept steps, in searches that know it apart. */
  g?: number;
  /** The bound on, or the cost of, what is to come; likewise. */
  h?: number;
  /** Whether the search went on to it. */
  chosen: boolean;
  /** The how manieth node, from 0, to be expanded. */
  expanded?: number;
  /** What its verification said. */
  verdict?: "accepted" | "rejected";
}

/** All nodes in the order in which they were proposed; plain data. */
export interface SearchTree {
  nodes: SearchNode[];
}

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
  tree: SearchTree;
}
