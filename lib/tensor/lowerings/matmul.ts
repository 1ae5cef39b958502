import tf = require("@tensorflow/tfjs");

import { addNode, type Graph, MICROSOFT, type Value } from "../graph.js";
import { type FusedTail, fusedTail } from "./activations.js";
import { broadcastShape } from "./arithmetic.js";
import { numeric } from "./cast.js";
import { filled } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { reshape, transpose } from "./shapes.js";

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
  const shape = [...batch, rows, columns];
  if (a.shape.at(transposeA ? -2 : -1) === 0) return filled(graph, 0, shape, a.dtype);
  if (a.dtype !== "float32") {
    const [left, right] = [transposeA ? turned(graph, a) : a, transposeB ? turned(graph, b) : b];
    return addNode(graph, "MatMul", [left, right], { shape, dtype: a.dtype });
  }
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  return addNode(graph, "FusedMatMul", [a, b], { shape, dtype: "float32" }, attributes, MICROSOFT);
}

function turned(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  return transpose(graph, x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

function product(graph: Graph, a: Value, b: Value, attributes: Readonly<Record<string, unknown>>): Value {
  return matMul(graph, numeric(graph, a), numeric(graph, b), {
    transposeA: Boolean(attributes.transposeA),
    transposeB: Boolean(attributes.transposeB),
  });
}

export const matrixProducts: Lowerings = {
  BatchMatMul: (graph, { a, b }, attributes) => product(graph, a!, b!, attributes),
  _FusedMatMul: (graph, { a, b, bias, preluActivationWeights }, attributes) =>
    fusedTail(graph, product(graph, a!, b!, attributes), { ...attributes, bias, preluActivationWeights } as FusedTail),
  Einsum: (graph, inputs, { equation }) => {
    const values = Object.values(inputs);
    const text = String(equation).replace(/\s/g, "");
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(text, values.length);
    const sizes = allDims.map((_, dim) => {
      const term = idDims.findIndex((dims) => dims.includes(dim));
      return values[term]!.shape[idDims[term]!.indexOf(dim)]!;
    });
    const result = text.slice(text.indexOf("->") + 2);
    const shape = Array.from(result, (letter) => sizes[allDims.indexOf(letter)]!);
    if (sizes.includes(0)) return filled(graph, 0, shape, values[0]!.dtype);
    return addNode(graph, "Einsum", values, { shape, dtype: values[0]!.dtype }, { equation: text });
  },
};
