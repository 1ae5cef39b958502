import { checkInterrupt, checkWhole, interruptible } from "../../core/index.js";
import { checkAnswers } from "../../search/index.js";
import { allSteps, checkQueue, spanOf, union } from "../paths/step-set.js";
import type { SearchResult, SearchStatus, StepNode } from "./search-result.js";

export interface WalkOptions {
  /** Number of steps of the chain. */
  n: number;
  /** Steps by importance, the most important first. */
  queue: readonly number[];
  /** Number of children of a node: W of the paper. */
  expandSize: number;
  /**
   * Number of neighbours on either side that are added with a step. Default: 1, as in the released code and the paper.
   */
  neighbours?: number | undefined;
  /** Paths are verified from this k on. */
  minSteps: number;
  /** At this k the search gives up and keeps all steps. */
  maxSteps: number;
  /** Whether the solution has an answer to verify by. Without one the first path that would be verified is returned. */
  boxedSolution: boolean;
  /** f of each set, asked for all children of a node at once, in the order of the queue. */
  cost(sets: number[][]): Promise<number[]>;
  /** Whether the question with these steps leads to the answer. */
  valid(set: number[]): Promise<boolean>;
  /** Aborts the search with an error. */
  signal?: AbortSignal | undefined;
}

/** Differences between A*-Thought's code and its paper. */
interface WalkRules {
  first(step: number, n: number, neighbours: number): number[];
  /** Whether a neighbour that would add nothing leaves the queue, which counts as a search step. */
  prunes: boolean;
  /** Steps kept when the queue is empty; the last path was never verified. */
  exhausted: "all steps" | "last path";
}

const RELEASED: WalkRules = { first: spanOf, prunes: true, exhausted: "all steps" };
const PAPER: WalkRules = { first: (step) => [step], prunes: false, exhausted: "last path" };

/**
 * Search of A*-Thought's released code, with its quirks. It is not A*: one path grows by the best of `expandSize` steps
 * of the queue with its neighbours, and nothing is ever taken back. Children that were not chosen stay in the queue and
 * may come up again; k counts prunings as well, so it may skip `minSteps` or `maxSteps`; where the search gives up or
 * runs out of steps it keeps them all. The calls of `cost` and `valid` are those of the original, repeats included:
 * pass memoised functions.
 *
 * @throws bad-input; interrupted; execution if `cost` gives NaN or another number of values
 */
export const faithfulSearch = (options: WalkOptions): Promise<SearchResult> => walk(options, RELEASED);

/**
 * Algorithm 1 of the paper (arXiv 2505.24550): as {@link faithfulSearch}, but the first path is the most important step
 * without its neighbours (k = 1), nothing is pruned, and an empty queue leaves the path as it is then, not verified.
 *
 * @throws like faithfulSearch
 */
export const paperSearch = (options: WalkOptions): Promise<SearchResult> => walk(options, PAPER);

async function walk(options: WalkOptions, rules: WalkRules): Promise<SearchResult> {
  checkOptions(options);
  const { n, expandSize, neighbours = 1, minSteps, maxSteps, boxedSolution, cost, valid } = options;
  const signal = interruptible(options.signal);
  const queue = [...options.queue];
  const nodes: StepNode[] = [];
  let [statesScored, validations, expansions, k] = [0, 0, 0, 1];
  const end = (status: SearchStatus, kept: readonly number[], searchSteps: number): SearchResult => ({
    status,
    kept: [...kept],
    searchSteps,
    statesScored,
    validations,
    tree: { nodes },
  });

  const root = queue.shift();
  if (root === undefined) return end("exhausted", allSteps(n), maxSteps);
  nodes.push({ state: rules.first(root, n, neighbours), parent: null, chosen: true });
  let current = 0;
  while (queue.length > 0) {
    const node = nodes[current]!;
    if (k >= maxSteps) return end("step limit", allSteps(n), maxSteps);
    if (k >= minSteps) {
      if (!boxedSolution) return end("unverified", node.state, k);
      checkInterrupt(signal, "the search");
      validations++;
      const accepted = await valid([...node.state]);
      node.verdict = accepted ? "accepted" : "rejected";
      if (accepted) return end("accepted", node.state, k);
    }

    const proposed = queue.slice(0, expandSize);
    const children = proposed.map((step) => union(node.state, spanOf(step, n, neighbours)));
    checkInterrupt(signal, "the search");
    const costs = checkAnswers("cost", await cost(children.map((set) => [...set])), children.length, "sets of steps");
    statesScored += children.length;
    node.expanded = expansions++;
    // The first among equal costs, which stands earlier in the queue.
    const best = costs.reduce((least, f, at) => (f < costs[least]! ? at : least), 0);
    const parent = current;
    for (const [at, kept] of children.entries()) {
      const f = costs[at]!;
      if (at === best) current = nodes.length;
      nodes.push({ state: kept, parent, ...(Number.isFinite(f) ? { f } : {}), chosen: at === best });
    }
    queue.splice(best, 1);
    k += 1 + (rules.prunes ? prune(queue, nodes[current]!.state, proposed[best]!, n) : 0);
  }
  if (rules.exhausted === "last path") return end("exhausted", nodes[current]!.state, k);
  return end("exhausted", allSteps(n), maxSteps);
}

/** Remove the neighbours of a step from the queue whose own neighbours are all in the path; returns how many. */
function prune(queue: number[], path: readonly number[], step: number, n: number): number {
  const kept = new Set(path);
  const covered = [-1, 1]
    .map((side) => ({ near: step + side, far: step + 2 * side }))
    .filter(({ near, far }) => far >= 0 && far < n && kept.has(near) && kept.has(far))
    .map(({ near }) => queue.indexOf(near))
    .filter((at) => at >= 0)
    .sort((a, b) => b - a);
  for (const at of covered) queue.splice(at, 1);
  return covered.length;
}

function checkOptions({ n, queue, expandSize, neighbours = 1, minSteps, maxSteps }: WalkOptions): void {
  checkQueue(queue, n);
  checkWhole("neighbours", neighbours, 0);
  checkWhole("expandSize", expandSize, 1);
  checkWhole("minSteps", minSteps, 0);
  checkWhole("maxSteps", maxSteps, 0);
}
