import { addNode, type Graph, MICROSOFT, type Value } from "../graph.js";
import { broadcastShape } from "./arithmetic.js";
import type { Lowerings } from "./lowering.js";
import { reshape } from "./shapes.js";

export interface MatMulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}

/**
 * Matrix product over the last two dimensions with broadcasting over the others, on ONNX Runtime's `FusedMatMul`, which
 * transposes while it packs.
 */
export function matMul(
  graph: Graph,
  a: Value,
  b: Value,
  { transposeA = false, transposeB = false }: MatMulOptions = {},
): Value {
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  // A batch of one matrix runs as one matrix: the batched path of FusedMatMul does not split it over threads as well.
  if (batch.length > 0 && batch.every((size) => size === 1)) {
    const product = matMul(graph, reshape(graph, a, a.shape.slice(-2)), reshape(graph, b, b.shape.slice(-2)), {
      transposeA,
      transposeB,
    });
    return reshape(graph, product, [...batch, rows, columns]);
  }
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  return addNode(
    graph,
    "FusedMatMul",
    [a, b],
    { shape: [...batch, rows, columns], dtype: "float32" },
    attributes,
    MICROSOFT,
  );
}

export const matrixProducts: Lowerings = {
  BatchMatMul: (graph, { a, b }, { transposeA, transposeB }) =>
    matMul(graph, a!, b!, { transposeA: Boolean(transposeA), transposeB: Boolean(transposeB) }),
};
