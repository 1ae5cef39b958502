import type { Graph, Node, Value } from "../graph.js";

/** A traced graph with those of its nodes that are still there. */
export interface CleanGraph {
  /** Where new constants and values come from. */
  graph: Graph;
  nodes: readonly Node[];
  outputs: readonly Value[];
}

/** What every pass is and does: the same outputs from fewer or cheaper nodes. */
export type Pass = (graph: CleanGraph) => CleanGraph;
