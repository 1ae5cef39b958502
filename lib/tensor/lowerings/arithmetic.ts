import tf = require("@tensorflow/tfjs");

import {
  addConstant,
  addNode,
  addSplat,
  type ElementType,
  type Graph,
  int64s,
  uniformValue,
  type Value,
} from "../graph.js";
import { cast, commonType, numeric } from "./cast.js";
import type { Lowering, Lowerings } from "./lowering.js";

/**
 * Whether a value is one number everywhere that adding, or multiplying by, leaves the other operand as it is. (Zero does
 * so to all numbers but -0, which it would make 0.)
 */
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
  if (like.dtype === "int64") return int64s(graph, [number], []);
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

/** Both operands as the type that holds the values of both. */
export function sameType(graph: Graph, a: Value, b: Value): [Value, Value] {
  const dtype = commonType(a, b);
  return [cast(graph, a, dtype), cast(graph, b, dtype)];
}

/** Operands of one numeric type, and a result of the type of the first, as TensorFlow.js's cpu backend has it. */
const arithmeticOf =
  (compute: (graph: Graph, a: Value, b: Value) => Value): Lowering =>
  (graph, { a, b }) => {
    const [left, right] = sameType(graph, numeric(graph, a!), numeric(graph, b!));
    return cast(graph, compute(graph, left, right), a!.dtype);
  };

const simple = (op: string): Lowering => arithmeticOf((graph, a, b) => binary(graph, op, a, b));

export const arithmetic: Lowerings = {
  Add: simple("Add"),
  Sub: simple("Sub"),
  Multiply: simple("Mul"),
  Maximum: simple("Max"),
  Minimum: simple("Min"),
  BitwiseAnd: simple("BitwiseAnd"),
  RealDiv: (graph, { a, b }) =>
    cast(graph, binary(graph, "Div", cast(graph, a!, "float32"), cast(graph, b!, "float32")), a!.dtype),
  SquaredDifference: arithmeticOf((graph, a, b) => {
    const difference = binary(graph, "Sub", a, b);
    return binary(graph, "Mul", difference, difference);
  }),
  AddN: (graph, inputs) => {
    const values = Object.values(inputs);
    const sum = values.map((value) => numeric(graph, value)).reduce((sum, value) => binary(graph, "Add", sum, value));
    return cast(graph, sum, values[0]!.dtype);
  },
};
