import type { Node, Value } from "../graph.js";
import type { Pass } from "./pass.js";

/** Merge a reshape of a reshape into one; drop a reshape back to the first shape. */
export const mergeReshapes: Pass = ({ graph, nodes, outputs }) => {
  const origin = new Map<Value, Value>();
  const replaced = new Map<Value, Value>();
  const resolve = (value: Value): Value => replaced.get(value) ?? value;
  const kept: Node[] = [];
  for (const node of nodes) {
    const inputs = node.inputs.map((value) => value && resolve(value));
    if (node.op !== "Reshape") {
      kept.push({ ...node, inputs });
      continue;
    }
    const [output] = node.outputs as [Value];
    const source = origin.get(inputs[0]!) ?? inputs[0]!;
    if (source.shape.length === output.shape.length && source.shape.every((size, i) => size === output.shape[i])) {
      replaced.set(output, source);
      continue;
    }
    origin.set(output, source);
    kept.push({ ...node, inputs: [source, inputs[1]!] });
  }
  return { graph, nodes: kept, outputs: outputs.map(resolve) };
};
