/**
 * A directed graph of sub-questions as Atom of Thoughts writes it: entry k lists the 0-based indices of the
 * sub-questions whose answers sub-question k needs. A valid one is a DAG in topological order: every index is smaller
 * than k. Paper: AoT §3.2, edges j → k only for j < k.
 */
export type Dependencies = readonly (readonly number[])[];

export interface GraphProblem {
  node: number;
  kind: "out-of-range" | "not-earlier" | "repeated";
  message: string;
}

/**
 * Find what keeps the dependencies from being a DAG in topological order. A cycle needs an edge that does not point to
 * an earlier node, so an order without such edges makes the graph acyclic.
 */
export function graphProblems(dependencies: Dependencies): GraphProblem[] {
  return dependencies.flatMap((needed, node) =>
    needed.flatMap((index, position): GraphProblem[] => {
      const edge = `node ${node} depends on ${index}`;
      if (!Number.isInteger(index) || index < 0 || index >= dependencies.length) {
        return [{ node, kind: "out-of-range", message: `${edge}, but nodes go from 0 to ${dependencies.length - 1}` }];
      }
      if (index >= node) return [{ node, kind: "not-earlier", message: `${edge}, which does not come before it` }];
      if (needed.indexOf(index) < position) return [{ node, kind: "repeated", message: `${edge} twice` }];
      return [];
    }),
  );
}

/**
 * The layer of each node: 0 for a node without dependencies, else one more than the highest layer it depends on.
 * @throws RangeError if the dependencies are not a DAG in topological order.
 */
export function layers(dependencies: Dependencies): number[] {
  const problem = graphProblems(dependencies)[0];
  if (problem) throw new RangeError(`not a valid graph: ${problem.message}`);
  const layer: number[] = [];
  for (const needed of dependencies) layer.push(Math.max(-1, ...needed.map((index) => layer[index]!)) + 1);
  return layer;
}

/**
 * The depth of the graph: the number of edges on its longest path; 0 for a graph without edges.
 * The released AoT code takes the longest of the *shortest* paths, which is smaller where an edge skips a layer.
 */
export const longestPath = (dependencies: Dependencies): number => Math.max(0, ...layers(dependencies));

/** The nodes that need no other answer: AoT's independent sub-questions. */
export const sources = (dependencies: Dependencies): number[] =>
  dependencies.flatMap((needed, node) => (needed.length === 0 ? [node] : []));

export interface GraphStatistics {
  nodes: number;
  edges: number;
  /** Edges on the longest path. */
  depth: number;
  /** Nodes in the largest layer. */
  width: number;
  /** Sources ÷ nodes. */
  independentShare: number;
  /** Edges from a layer to one that is not the next. */
  skippingEdges: number;
}

/** Descriptive statistics of a question graph. */
export function graphStatistics(dependencies: Dependencies): GraphStatistics {
  const layer = layers(dependencies);
  const sizes = layer.reduce<number[]>((counts, at) => {
    counts[at] = (counts[at] ?? 0) + 1;
    return counts;
  }, []);
  const nodes = dependencies.length;
  return {
    nodes,
    edges: dependencies.reduce((sum, needed) => sum + needed.length, 0),
    depth: Math.max(0, ...layer),
    width: Math.max(0, ...sizes),
    independentShare: nodes === 0 ? 0 : sources(dependencies).length / nodes,
    skippingEdges: dependencies.reduce(
      (sum, needed, node) => sum + needed.filter((index) => layer[node]! - layer[index]! > 1).length,
      0,
    ),
  };
}
