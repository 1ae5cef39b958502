import type { Graph, Value } from "../graph.js";
import { shareCommonNodes } from "./common-nodes.js";
import { dropDeadNodes } from "./dead-nodes.js";
import type { CleanGraph, Pass } from "./pass.js";
import { mergeReshapes } from "./reshapes.js";
import { mergeScalars } from "./scalars.js";
import { fillSplats } from "./splats.js";

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
