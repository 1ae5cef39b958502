import { addConstant, addSplat, type ElementType, type Graph, type Value } from "../graph.js";

/** A constant list of int32 numbers, for indices. */
export function int32s(graph: Graph, numbers: ArrayLike<number>, shape: readonly number[] = [numbers.length]): Value {
  return addConstant(graph, Int32Array.from(numbers), shape, "int32");
}

/** A constant tensor of float32 numbers. */
export function float32s(graph: Graph, numbers: ArrayLike<number>, shape: readonly number[]): Value {
  return addConstant(graph, Float32Array.from(numbers), shape, "float32");
}

/** One number everywhere, of a type that tensors have. */
export function filled(graph: Graph, number: number, shape: readonly number[], dtype: ElementType): Value {
  return addSplat(graph, number, shape, dtype as Exclude<ElementType, "int64">);
}
