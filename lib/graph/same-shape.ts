import type { Dependencies } from "./dependencies.js";

/** Larger graphs are compared in their order only: no decomposition is so large. */
const MOST_NODES = 24;

/**
 * Whether two graphs are the same but for the order of their nodes: isomorphic. Nodes are matched one after another among those
 * with as many dependencies and dependents.
 *
 * @example
 * ```ts
 * import { sameShape } from "thoughtbook/graph";
 *
 * console.log(sameShape([[], [0], [], [1, 2]], [[], [], [1], [0, 2]])); // true
 * ```
 */
export function sameShape(one: Dependencies, other: Dependencies): boolean {
  if (one.length !== other.length) return false;
  if (one.length > MOST_NODES) return one.every((needed, at) => sameSet(needed, other[at]!));
  const [kinds, otherKinds] = [kindsOf(one), kindsOf(other)];
  if ([...kinds].sort().join() !== [...otherKinds].sort().join()) return false;
  const match: number[] = [];
  // Dependencies come first, so that a node's are matched before it.
  const place = (at: number): boolean =>
    at === one.length ||
    other.some((needed, to) => {
      if (match.includes(to) || kinds[at] !== otherKinds[to]) return false;
      if (
        !sameSet(
          one[at]!.map((each) => match[each]!),
          needed,
        )
      )
        return false;
      match.push(to);
      if (place(at + 1)) return true;
      match.pop();
      return false;
    });
  return place(0);
}

const sameSet = (one: readonly number[], other: readonly number[]): boolean =>
  new Set(one).size === new Set(other).size && one.every((each) => other.includes(each));

/** Of each node: its depth, and its numbers of dependencies and dependents. */
function kindsOf(graph: Dependencies): string[] {
  const depth: number[] = [];
  for (const needed of graph) depth.push(Math.max(-1, ...needed.map((each) => depth[each] ?? 0)) + 1);
  return graph.map((needed, at) => {
    const dependents = graph.filter((each) => each.includes(at)).length;
    return `${depth[at]}/${new Set(needed).size}/${dependents}`;
  });
}
