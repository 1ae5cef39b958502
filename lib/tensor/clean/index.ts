import type { Graph, Node, Value } from "../graph.js";
import { shareCommonNodes } from "./common-nodes.js";
import { dropDeadNodes } from "./dead-nodes.js";
import { mergeReshapes } from "./reshapes.js";
import { mergeScalars } from "./scalars.js";
import { fillSplats } from "./splats.js";

export interface CleanGraph {
  /** Where new constants and values come from. */
  graph: Graph;
  nodes: readonly Node[];
  outputs: readonly Value[];
}

/** What every pass is and does: the same outputs from fewer or cheaper nodes. */
export type Pass = (graph: CleanGraph) => CleanGraph;

const PASSES: readonly Pass[] = [
  dropDeadNodes,
  shareCommonNodes,
  mergeReshapes,
  mergeScalars,
  shareCommonNodes,
  dropDeadNodes,
  fillSplats,
];

/** Make a traced graph smaller without changing what it computes. Constants have been folded while tracing. */
export function cleanGraph(graph: Graph, outputs: readonly Value[]): CleanGraph {
  return PASSES.reduce((program, pass) => pass(program), { graph, nodes: graph.nodes, outputs } as CleanGraph);
}
