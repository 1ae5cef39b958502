import * as tf from "@tensorflow/tfjs";
import { addConstant, addNode, addSplat, type ElementType, type Graph, uniformValue, type Value } from "../graph.js";
import type { Lowering, Lowerings } from "./lowering.js";

/** Whether a value is one number everywhere that adding, or multiplying by, leaves the other operand as it is. */
const NEUTRAL: Readonly<Record<string, { left?: number; right?: number }>> = {
  Add: { left: 0, right: 0 },
  Sub: { right: 0 },
  Mul: { left: 1, right: 1 },
  Div: { right: 1 },
};

/** The result shape of two operands under broadcasting. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  return tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
}

/** A binary ONNX operator with broadcasting; `dtype` is that of the first operand unless told. */
export function binary(graph: Graph, op: string, a: Value, b: Value, dtype: ElementType = a.dtype): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const neutral = NEUTRAL[op];
  if (neutral && sameShape(a.shape, shape) && neutral.right !== undefined && uniformValue(b) === neutral.right)
    return a;
  if (neutral && sameShape(b.shape, shape) && neutral.left !== undefined && uniformValue(a) === neutral.left) return b;
  return addNode(graph, op, [scalarIfSplat(graph, a, b, shape), scalarIfSplat(graph, b, a, shape)], { shape, dtype });
}

/** A scalar constant of the dtype of `like`. */
export function scalar(graph: Graph, number: number, like: Value): Value {
  if (like.dtype === "float32") return addConstant(graph, Float32Array.of(number), [], "float32");
  if (like.dtype === "int32") return addConstant(graph, Int32Array.of(number), [], "int32");
  return addConstant(graph, Uint8Array.of(number), [], "bool");
}

// Broadcasting a number is free; a constant of full size is memory traffic.
function scalarIfSplat(graph: Graph, value: Value, other: Value, shape: readonly number[]): Value {
  if (value.splat === undefined || value.dtype === "int64" || !sameShape(other.shape, shape)) return value;
  return addSplat(graph, value.splat, [], value.dtype);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

const simple =
  (op: string, dtype?: ElementType): Lowering =>
  (graph, { a, b }) =>
    binary(graph, op, a!, b!, dtype);

export const arithmetic: Lowerings = {
  Add: simple("Add"),
  Sub: simple("Sub"),
  Multiply: simple("Mul"),
  RealDiv: simple("Div"),
  Maximum: simple("Max"),
  Minimum: simple("Min"),
  Pow: simple("Pow"),
  Greater: simple("Greater", "bool"),
  GreaterEqual: simple("GreaterOrEqual", "bool"),
  Less: simple("Less", "bool"),
  LessEqual: simple("LessOrEqual", "bool"),
  Equal: simple("Equal", "bool"),
  LogicalAnd: simple("And"),
  LogicalOr: simple("Or"),
  NotEqual: (graph, { a, b }) => {
    const equal = binary(graph, "Equal", a!, b!, "bool");
    return addNode(graph, "Not", [equal], equal);
  },
  SquaredDifference: (graph, { a, b }) => {
    const difference = binary(graph, "Sub", a!, b!);
    return binary(graph, "Mul", difference, difference);
  },
  AddN: (graph, inputs) => {
    const values = Object.values(inputs);
    return values.slice(1).reduce((sum, value) => binary(graph, "Add", sum, value), values[0]!);
  },
};
