import { MICROSOFT } from "../../tensor/index.js";
import { addOperator, addTensors, bytesOf, type ExportGraph, int64Constant } from "./graph.js";
import { type QuantizedBits, quantizeBlocks, quantizedSizes } from "./quantize-blocks.js";

/** A quantized weight of a graph: names and sizes of its tensors. */
export interface QuantizedWeight {
  values: string;
  scales: string;
  /** Empty: 8 or 128 stands for 0. */
  zeros: string;
  /** Numbers of a block. */
  blockSize: number;
  /** Rows. */
  out: number;
  /** Columns. */
  input: number;
  bits: QuantizedBits;
}

/** Block size of Hugging Face's and ONNX Runtime's own quantizers. */
const BLOCK = 32;
/** Accuracy level of MatMulNBits: 4 computes in int8, with activations quantized block by block. */
const INT8_ACTIVATIONS = 4;

/**
 * Add a weight `[out, in]` as blocks of small integers.
 * @param read its numbers, row-major
 */
export function addQuantized(
  graph: ExportGraph,
  name: string,
  { out, input, bits }: Pick<QuantizedWeight, "out" | "input" | "bits">,
  read: () => Promise<Float32Array>,
): QuantizedWeight {
  const { blocks, blockBytes, zeroBytes } = quantizedSizes(input, bits, BLOCK);
  const [values, scales, zeros] = addTensors(
    graph,
    [
      { name: `${name}.values`, shape: [out, blocks, blockBytes], dtype: "uint8" },
      { name: `${name}.scales`, shape: [out, blocks], dtype: "float32" },
      { name: `${name}.zeros`, shape: [out, zeroBytes], dtype: "uint8" },
    ],
    async () => {
      const matrix = quantizeBlocks(await read(), input, bits, BLOCK);
      return [matrix.values, bytesOf(matrix.scales), matrix.zeros];
    },
  ) as [string, string, string];
  return { values, scales, zeros, blockSize: BLOCK, out, input, bits };
}

/** Append `x · weightᵀ + bias`; an empty bias is none. */
export function quantizedMatMul(graph: ExportGraph, x: string, weight: QuantizedWeight, bias: string): string {
  const { values, scales, zeros, blockSize, out, input, bits } = weight;
  return addOperator(graph, "MatMulNBits", [x, values, scales, zeros, "", bias], {
    domain: MICROSOFT,
    attributes: { N: out, K: input, bits, block_size: blockSize, accuracy_level: INT8_ACTIVATIONS },
  });
}

/** Whether rows can be looked up in a weight with this many columns: the operator supports no partial block. */
export const canLookUp = (columns: number): boolean => columns % BLOCK === 0;

/** Append the lookup of rows: `[batch, time]` int64 → `[batch, time, in]`. */
export function quantizedLookup(
  graph: ExportGraph,
  { values, scales, zeros, blockSize, out, input, bits }: QuantizedWeight,
  ids: string,
): string {
  const shape = int64Constant(graph, [out, (input * bits) / 8]);
  return addOperator(
    graph,
    "GatherBlockQuantized",
    [addOperator(graph, "Reshape", [values, shape]), ids, scales, zeros],
    {
      domain: MICROSOFT,
      attributes: { bits, block_size: blockSize, gather_axis: 0, quantize_axis: 1 },
    },
  );
}
