import { checkInterrupt, checkWhole, sum } from "../core/index.js";
import { bestEnd } from "./beam-search.js";
import {
  checkPriors,
  checkValues,
  choosePath,
  type SearchFound,
  type SearchLimits,
  type SearchProblem,
  type TreeNode,
} from "./tree.js";

export interface TreeSearchOptions {
  /** Weight of the prior against the value, c of PUCT. Default: 1.25, as in AlphaZero. */
  exploration?: number | undefined;
  /**
   * Leaves expanded at the same time; those after the first are selected as if the earlier ones had failed. Default: 1.
   */
  width?: number | undefined;
}

/** A node with the state of the selection. */
interface Branch {
  children: number[];
  /** Sum of the values backed up through the node. */
  total: number;
  visits: number;
  /** Pending walks through the node, whose value is not known yet. */
  pending: number;
  /** No open state below: complete, or all children are closed. */
  closed: boolean;
  /** All open states below are being expanded in this round. */
  busy: boolean;
}

/**
 * Monte Carlo tree search with the selection of AlphaZero (Silver et al. 2017, PUCT): from the root down take the child
 * of highest Q + c · P · √N / (1 + n), where Q is the mean of the values backed up through the child (its parent's
 * while there are none), P its prior, normalised over the siblings (uniform where none is given), n its visits and N
 * its parent's. The leaf is expanded; its children are valued in one call, and each value is backed up to the root. A
 * complete state is valued once: the selection skips nodes with nothing open below them.
 *
 * `value` and `visits` of a node in the tree are the means and counts of the search; those of a complete state are its own.
 *
 * @throws bad-input for options and priors out of range; interrupted; execution if `value` gives another number of values, or one that
 *   is not finite
 *
 * @example
 * ```ts
 * import { treeSearch } from "thoughtbook/search";
 *
 * // Reach 5 by adding 1 or 2; the fewer steps, the better.
 * const found = await treeSearch<readonly number[]>(
 *   {
 *     root: [],
 *     key: (steps) => steps.join("+"),
 *     isEnd: (steps) => steps.reduce((sum, step) => sum + step, 0) >= 5,
 *     expand: async (steps) => [1, 2].map((step) => ({ state: [...steps, step], prior: 0.5 })),
 *     value: async (states) => states.map((steps) => 1 / (1 + steps.length)),
 *   },
 *   {},
 *   { expansions: 30 },
 * );
 * console.log(found.best?.length); // 3
 * ```
 */
export async function treeSearch<State>(
  problem: SearchProblem<State>,
  { exploration = 1.25, width = 1 }: TreeSearchOptions,
  limits: SearchLimits,
): Promise<SearchFound<State>> {
  checkWhole("width", width, 1);
  checkWhole("expansions", limits.expansions, 1);
  const nodes: TreeNode<State>[] = [];
  const branches: Branch[] = [];
  const met = new Set<string>();
  const add = (state: State, parent: number | null, prior: number | undefined): number | undefined => {
    const key = problem.key(state);
    if (met.has(key)) return undefined;
    met.add(key);
    nodes.push({ state, parent, ...(prior === undefined ? {} : { prior }), chosen: false });
    branches.push({ children: [], total: 0, visits: 0, pending: 0, closed: problem.isEnd(state), busy: false });
    return nodes.length - 1;
  };
  const walk = (from: number, step: (branch: Branch) => void) => {
    for (let at: number | null = from; at !== null; at = nodes[at]!.parent) step(branches[at]!);
  };
  const credit = (at: number, value: number) =>
    walk(at, (branch) => {
      branch.total += value;
      branch.visits++;
    });
  const closeUpwards = (leaf: number) => {
    for (let at: number | null = leaf; at !== null; at = nodes[at]!.parent) {
      if (!branches[at]!.children.every((child) => branches[child]!.closed)) return;
      branches[at]!.closed = true;
    }
  };
  const occupy = (leaf: number) => {
    for (let at: number | null = leaf; at !== null; at = nodes[at]!.parent) {
      if (!branches[at]!.children.every((child) => branches[child]!.closed || branches[child]!.busy)) return;
      branches[at]!.busy = true;
    }
  };

  const root = add(problem.root, null, undefined)!;
  const [rootValue] = checkValues(await problem.value([problem.root]), 1);
  credit(root, rootValue!);
  let expansions = 0;
  while (!branches[root]!.closed && expansions < limits.expansions && !limits.isSpent?.()) {
    checkInterrupt(limits.signal, "the search");
    const leaves: number[] = [];
    while (leaves.length < Math.min(width, limits.expansions - expansions) && !branches[root]!.busy) {
      const leaf = descend(nodes, branches, root, exploration);
      leaves.push(leaf);
      walk(leaf, (branch) => branch.pending++);
      occupy(leaf);
    }
    const families = await Promise.all(leaves.map((leaf) => problem.expand(nodes[leaf]!.state)));
    const added: number[] = [];
    for (const [at, children] of families.entries()) {
      const leaf = leaves[at]!;
      nodes[leaf]!.expanded = expansions++;
      walk(leaf, (branch) => {
        branch.pending--;
        branch.busy = false;
      });
      checkPriors(children);
      for (const { state, prior } of children) {
        const child = add(state, leaf, prior);
        if (child === undefined) continue;
        branches[leaf]!.children.push(child);
        added.push(child);
      }
    }
    if (added.length > 0) {
      checkInterrupt(limits.signal, "the search");
      const values = await problem.value(added.map((at) => nodes[at]!.state));
      for (const [at, value] of checkValues(values, added.length).entries()) credit(added[at]!, value);
    }
    for (const leaf of leaves) closeUpwards(leaf);
  }
  for (const [at, { total, visits }] of branches.entries())
    Object.assign(nodes[at]!, { visits, value: total / visits });
  const tree = { nodes };
  const best = bestEnd(nodes, problem);
  choosePath(tree, best ?? root);
  return { best: best === undefined ? undefined : nodes[best]!.state, tree };
}

/** The open leaf that the selection leads to. */
function descend<State>(
  nodes: readonly TreeNode<State>[],
  branches: readonly Branch[],
  root: number,
  exploration: number,
): number {
  let at = root;
  while (branches[at]!.children.length > 0) {
    const { children, visits, pending } = branches[at]!;
    const priors = children.map((child) => nodes[child]!.prior ?? 1);
    const total = sum(priors);
    let [best, highest] = [at, Number.NEGATIVE_INFINITY];
    for (const [index, child] of children.entries()) {
      const branch = branches[child]!;
      if (branch.closed || branch.busy) continue;
      // A pending walk counts as one with value 0, so that the walks of one round diverge.
      const count = branch.visits + branch.pending;
      const q = branch.total / count;
      const prior = total > 0 ? priors[index]! / total : 1 / children.length;
      const score = q + (exploration * prior * Math.sqrt(visits + pending)) / (1 + count);
      if (score > highest) [best, highest] = [child, score];
    }
    at = best;
  }
  return at;
}
