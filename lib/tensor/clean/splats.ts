import { addSplat, int64s, type Node, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import type { Pass } from "./pass.js";

/** Above this many numbers a constant that is one number everywhere is filled in by the runtime, not stored. */
const STORED_UP_TO = 1024;

/** Let the runtime make large uniform constants, such as the zeros a scattered sum starts from. */
export const fillSplats: Pass = ({ graph, nodes, outputs }) => {
  const filled = new Map<Value, Value>();
  const kept: Node[] = [];
  const fill = (value: Value): Value => {
    if (value.splat === undefined || value.dtype === "int64" || sizeOf(value.shape) <= STORED_UP_TO) return value;
    const known = filled.get(value);
    if (known) return known;
    const result: Value = { id: graph.nextId++, shape: value.shape, dtype: value.dtype };
    const number = addSplat(graph, value.splat, [], value.dtype);
    const inputs = [number, int64s(graph, value.shape)];
    kept.push({ op: "Expand", domain: "", inputs, attributes: {}, outputs: [result] });
    filled.set(value, result);
    return result;
  };
  for (const node of nodes) kept.push({ ...node, inputs: node.inputs.map((value) => value && fill(value)) });
  return { graph, nodes: kept, outputs: outputs.map(fill) };
};
