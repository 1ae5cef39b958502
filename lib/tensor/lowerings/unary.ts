import { addNode, type Graph, type Value } from "../graph.js";
import { scalar } from "./arithmetic.js";
import type { Lowering, Lowerings } from "./lowering.js";

/** A unary ONNX operator that keeps shape and dtype. */
export function unary(graph: Graph, op: string, x: Value): Value {
  return addNode(graph, op, [x], x);
}

const simple =
  (op: string): Lowering =>
  (graph, { x }) =>
    unary(graph, op, x!);

const ONNX_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

/** Convert element types; a conversion to the same type is no node. */
export function cast(graph: Graph, x: Value, dtype: keyof typeof ONNX_TYPE): Value {
  return x.dtype === dtype ? x : addNode(graph, "Cast", [x], { shape: x.shape, dtype }, { to: ONNX_TYPE[dtype] });
}

export const unaries: Lowerings = {
  Neg: simple("Neg"),
  Exp: simple("Exp"),
  Log: simple("Log"),
  Relu: simple("Relu"),
  Sqrt: simple("Sqrt"),
  Sigmoid: simple("Sigmoid"),
  Tanh: simple("Tanh"),
  Identity: (_, { x }) => x!,
  Square: (graph, { x }) => addNode(graph, "Mul", [x!, x!], x!),
  Rsqrt: (graph, { x }) => unary(graph, "Reciprocal", unary(graph, "Sqrt", x!)),
  Step: (graph, { x }, { alpha }) => {
    const positive = addNode(graph, "Greater", [x!, scalar(graph, 0, x!)], { shape: x!.shape, dtype: "bool" });
    const step = cast(graph, positive, x!.dtype);
    if (!alpha) return step;
    const rest = addNode(
      graph,
      "Mul",
      [addNode(graph, "Sub", [scalar(graph, 1, x!), step], x!), scalar(graph, Number(alpha), x!)],
      x!,
    );
    return addNode(graph, "Add", [step, rest], x!);
  },
  Cast: (graph, { x }, { dtype }) => cast(graph, x!, dtype as "float32" | "int32" | "bool"),
};
