import type { TreeNode } from "../../search/index.js";

/** A set of kept steps as a state of a search: indices from 0, ascending. */
export type StepNode = TreeNode<readonly number[]>;

/** Whether a tree is of the best-first search, which knows the cost of the kept steps apart. */
export const isBestFirst = (nodes: readonly StepNode[]): boolean => nodes.some(({ g }) => g !== undefined);

/**
 * The nodes with the parents that edges lead from: the node that was expanded to it, so that an edge always adds a step. The
 * best-first search verifies sets to learn from, which no node was expanded to: they have none. A set that was verified first and
 * became a state of the search later hangs from the state it was made from. Parents stand before their children.
 */
export function inLayers(nodes: readonly StepNode[]): StepNode[] {
  if (!isBestFirst(nodes)) return [...nodes];
  const contains = (set: StepNode, part: StepNode) => part.state.every((step) => set.state.includes(step));
  const expanded = nodes
    .flatMap((node, at) => (node.expanded === undefined ? [] : [{ node, at }]))
    .sort((a, b) => a.node.expanded! - b.node.expanded!);
  const parents = nodes.map((node) => {
    const isChild = (one: StepNode) => one.state.length === node.state.length - 1 && contains(node, one);
    const own = node.parent === null ? undefined : nodes[node.parent]!;
    // What was only learned from was verified without an f; a state that nothing accepted contains has neither.
    if (node.f === undefined && node.verdict !== undefined) return null;
    if (own?.expanded !== undefined && isChild(own)) return node.parent;
    const made = expanded.find(({ node: one }) => isChild(one))?.at;
    return made ?? (own?.expanded !== undefined && own !== node && contains(node, own) ? node.parent : null);
  });
  // A child has more steps than its parent.
  const order = nodes.map((_, at) => at).sort((a, b) => nodes[a]!.state.length - nodes[b]!.state.length || a - b);
  const place = new Map(order.map((at, index) => [at, index]));
  return order.map((at) => ({ ...nodes[at]!, parent: parents[at] === null ? null : place.get(parents[at]!)! }));
}
