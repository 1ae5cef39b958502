import { addConstant, addNode, addSplat, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { scalar } from "./arithmetic.js";

/** A constant list of int32 numbers, for indices. */
export function int32s(graph: Graph, numbers: ArrayLike<number>, shape: readonly number[] = [numbers.length]): Value {
  return addConstant(graph, Int32Array.from(numbers), shape, "int32");
}

/** A constant tensor of float32 numbers. */
export function float32s(graph: Graph, numbers: ArrayLike<number>, shape: readonly number[]): Value {
  return addConstant(graph, Float32Array.from(numbers), shape, "float32");
}

/** One number everywhere, by a node, so that the program does not carry it at full size. */
export function filled(graph: Graph, number: number, shape: readonly number[], dtype: Value["dtype"]): Value {
  if (dtype !== "int64" && sizeOf(shape) <= 1) return addSplat(graph, number, shape, dtype);
  const one: Value = scalar(graph, number, { id: -1, shape: [], dtype });
  return addNode(graph, "Expand", [one, int64s(graph, shape)], { shape, dtype });
}
