import type { Node, Value } from "../graph.js";
import type { Pass } from "./pass.js";

/** Compute equal things once: nodes with the same operator, inputs and attributes. */
export const shareCommonNodes: Pass = ({ graph, nodes, outputs }) => {
  const replaced = new Map<Value, Value>();
  const resolve = (value: Value): Value => replaced.get(value) ?? value;
  const known = new Map<string, Node>();
  const kept: Node[] = [];
  for (const node of nodes) {
    const inputs = node.inputs.map((value) => value && resolve(value));
    const key = `${node.domain}:${node.op}(${inputs.map((value) => value?.id ?? "").join()})${JSON.stringify(node.attributes)}`;
    const twin = known.get(key);
    if (twin && twin.outputs.length === node.outputs.length) {
      for (const [i, value] of node.outputs.entries()) replaced.set(value, twin.outputs[i]!);
      continue;
    }
    const resolved = { ...node, inputs };
    known.set(key, resolved);
    kept.push(resolved);
  }
  return { graph, nodes: kept, outputs: outputs.map(resolve) };
};
