import { addNode, addSplat, type ElementType, type Graph, int64s, type Value } from "../graph.js";

const ONNX_TYPE: Readonly<Record<ElementType, number>> = { float32: 1, int8: 3, int32: 6, int64: 7, bool: 9 };

/**
 * Convert element types; a conversion to the same type is no node. Numbers become integers as JavaScript's `Int32Array`
 * makes them: towards zero, modulo 2³², NaN and infinities to 0.
 */
export function cast(graph: Graph, x: Value, dtype: ElementType): Value {
  if (x.dtype === dtype) return x;
  // The low half of an int64 is what Int32Array keeps; the processor's conversion to int32 gives -2³¹ for all the rest.
  if (x.dtype === "float32" && dtype === "int32") {
    const wide = convert(graph, x, "int64");
    // Changes nothing, but keeps ONNX Runtime from making one conversion of the two.
    const same = addNode(graph, "BitwiseAnd", [wide, int64s(graph, [-1], [])], wide);
    return convert(graph, same, "int32");
  }
  if (x.splat !== undefined && (x.dtype === "bool" || dtype === "float32") && dtype !== "int64")
    return addSplat(graph, x.splat, x.shape, dtype);
  return convert(graph, x, dtype);
}

function convert(graph: Graph, x: Value, dtype: ElementType): Value {
  return addNode(graph, "Cast", [x], { shape: x.shape, dtype }, { to: ONNX_TYPE[dtype] });
}

/** Compute with a value as another type and convert the result back to the type of the value. */
export function through(graph: Graph, x: Value, dtype: ElementType, compute: (x: Value) => Value): Value {
  return cast(graph, compute(cast(graph, x, dtype)), x.dtype);
}

/** Integers in place of truth values, for operators that have no variant for those. */
export function numeric(graph: Graph, x: Value): Value {
  return x.dtype === "bool" ? cast(graph, x, "int32") : x;
}

const RANK: readonly ElementType[] = ["bool", "int32", "int64", "float32"];

/** The type that holds the values of both, as TensorFlow.js's `upcastType`. */
export function commonType(a: Value, b: Value): ElementType {
  return RANK.indexOf(a.dtype) > RANK.indexOf(b.dtype) ? a.dtype : b.dtype;
}
