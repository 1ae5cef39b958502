import type { Value } from "../graph.js";
import type { Pass } from "./pass.js";

/** Keep only nodes on which an output depends: gradients nobody asked for, work of unused branches. */
export const dropDeadNodes: Pass = ({ graph, nodes, outputs }) => {
  const needed = new Set<Value>(outputs);
  const kept = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((value) => needed.has(value))) continue;
    for (const input of node.inputs) if (input) needed.add(input);
    kept.push(node);
  }
  return { graph, nodes: kept.reverse(), outputs };
};
