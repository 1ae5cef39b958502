import type { StepNode } from "../../lib/dist/astar/search/search-result.js";

/** All subsets of n steps, ascending in the value of their bits. */
export const subsets = (n: number): number[][] =>
  Array.from({ length: 2 ** n }, (_, bits) => Array.from({ length: n }, (_, i) => i).filter((i) => (bits >> i) & 1));

export const includesAll = (set: readonly number[], part: readonly number[]): boolean =>
  part.every((step) => set.includes(step));

export const total = (set: readonly number[], costs: readonly number[]): number =>
  set.reduce((sum, step) => sum + costs[step]!, 0);

/** The nodes that a walk went on to, in its order. */
export const chosenPath = (nodes: readonly StepNode[]): number[][] =>
  nodes.filter(({ chosen }) => chosen).map(({ state }) => state);
