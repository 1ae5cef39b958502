import { checkInterrupt, checkWhole } from "../core/index.js";
import {
  checkPriors,
  checkValues,
  choosePath,
  type SearchFound,
  type SearchLimits,
  type SearchProblem,
  type TreeNode,
} from "./tree.js";

export interface BeamOptions {
  /** States kept after each round, those of highest value. */
  width: number;
}

/**
 * Beam search: expand all states of the beam at the same time, value all new states in one call, and keep the `width`
 * best of them for the next round. Complete states leave the beam. It ends when the beam is empty or a limit is
 * reached; a round that would exceed the limit on expansions expands the best states only.
 *
 * @throws bad-input for options and priors out of range; interrupted; execution if `value` gives another number of values, or one that
 *   is not finite
 *
 * @example
 * ```ts
 * import { beamSearch } from "thoughtbook/search";
 *
 * // Spell a word with as many letters "b" as possible.
 * const found = await beamSearch(
 *   {
 *     root: "",
 *     key: (text) => text,
 *     isEnd: (text) => text.length === 3,
 *     expand: async (text) => ["a", "b"].map((letter) => ({ state: text + letter })),
 *     value: async (texts) => texts.map((text) => text.split("b").length / 4),
 *   },
 *   { width: 2 },
 *   { expansions: 10 },
 * );
 * console.log(found.best); // bbb
 * ```
 */
export async function beamSearch<State>(
  problem: SearchProblem<State>,
  { width }: BeamOptions,
  limits: SearchLimits,
): Promise<SearchFound<State>> {
  checkWhole("width", width, 1);
  checkWhole("expansions", limits.expansions, 1);
  const [rootValue] = checkValues(await problem.value([problem.root]), 1);
  const nodes: TreeNode<State>[] = [{ state: problem.root, parent: null, value: rootValue!, chosen: true }];
  const met = new Set([problem.key(problem.root)]);
  let beam = problem.isEnd(problem.root) ? [] : [0];
  let expansions = 0;
  while (beam.length > 0 && expansions < limits.expansions && !limits.isSpent?.()) {
    checkInterrupt(limits.signal, "the search");
    const parents = beam.slice(0, limits.expansions - expansions);
    const families = await Promise.all(parents.map((parent) => problem.expand(nodes[parent]!.state)));
    const first = nodes.length;
    for (const [at, children] of families.entries()) {
      const parent = parents[at]!;
      Object.assign(nodes[parent]!, { expanded: expansions++, chosen: true });
      checkPriors(children);
      for (const { state, prior } of children) {
        const key = problem.key(state);
        if (met.has(key)) continue;
        met.add(key);
        nodes.push({ state, parent, ...(prior === undefined ? {} : { prior }), chosen: false });
      }
    }
    const added = nodes.slice(first);
    if (added.length === 0) break;
    checkInterrupt(limits.signal, "the search");
    const values = checkValues(await problem.value(added.map(({ state }) => state)), added.length);
    for (const [at, node] of added.entries()) node.value = values[at]!;
    beam = added
      .map((_, at) => first + at)
      .filter((at) => !problem.isEnd(nodes[at]!.state))
      .sort((a, b) => nodes[b]!.value! - nodes[a]!.value! || a - b)
      .slice(0, width);
  }
  const tree = { nodes };
  const best = bestEnd(nodes, problem);
  if (best !== undefined) choosePath(tree, best);
  return { best: best === undefined ? undefined : nodes[best]!.state, tree };
}

/** Index of the complete node of highest value, the first one among equals. */
export function bestEnd<State>(
  nodes: readonly TreeNode<State>[],
  { isEnd }: Pick<SearchProblem<State>, "isEnd">,
): number | undefined {
  let best: number | undefined;
  for (const [at, { state, value }] of nodes.entries()) {
    if (value === undefined || !isEnd(state)) continue;
    if (best === undefined || value > nodes[best]!.value!) best = at;
  }
  return best;
}
