import type { Attributes, NamedNode, OnnxTensors, TensorHead } from "../../tensor/index.js";

/** A graph that is being built for an ONNX file. Values are known by their names. */
export interface ExportGraph {
  nodes: NamedNode[];
  tensors: OnnxTensors[];
  /** Small constants by content, so that equal ones are one tensor. */
  readonly constants: Set<string>;
}

export interface OperatorOptions {
  attributes?: Attributes;
  /** Operator set: ONNX itself by default, or `MICROSOFT`. */
  domain?: string;
  /** Names of the outputs; an empty one is an output left out. Default: one with a fresh name. */
  outputs?: readonly string[];
}

export const createExportGraph = (): ExportGraph => ({ nodes: [], tensors: [], constants: new Set() });

/**
 * Append a node.
 *
 * @param inputs names of values; an empty one is an optional input left out
 * @returns the name of its first output
 */
export function addOperator(
  graph: ExportGraph,
  op: string,
  inputs: readonly string[],
  { attributes = {}, domain = "", outputs = [freshName(graph, op)] }: OperatorOptions = {},
): string {
  graph.nodes.push({ op, domain, inputs, outputs, attributes });
  return outputs[0]!;
}

/** A name that no value has: each of these belongs to a node that is there already or comes next. */
export const freshName = (graph: ExportGraph, op: string): string => `${op}_${graph.nodes.length}`;

/** Add tensors that are read when they are written; gives their names. */
export function addTensors(
  graph: ExportGraph,
  heads: readonly TensorHead[],
  read: OnnxTensors["read"],
): readonly string[] {
  graph.tensors.push({ heads, read });
  return heads.map(({ name }) => name);
}

/** A constant float32 number. */
export function floatConstant(graph: ExportGraph, value: number): string {
  return constant(graph, { name: `float_${value}`, shape: [], dtype: "float32" }, Float32Array.of(value));
}

/** A constant int64 number (shape `[]`), or a list of them. */
export function int64Constant(graph: ExportGraph, value: number | readonly number[]): string {
  const numbers = typeof value === "number" ? [value] : value;
  const shape = typeof value === "number" ? [] : [numbers.length];
  const name = `int64_${numbers.join("_")}${shape.length === 0 ? "" : "_list"}`;
  return constant(graph, { name, shape, dtype: "int64" }, BigInt64Array.from(numbers, BigInt));
}

function constant(graph: ExportGraph, head: TensorHead, data: Float32Array | BigInt64Array): string {
  if (!graph.constants.has(head.name)) {
    graph.constants.add(head.name);
    addTensors(graph, [head], async () => [bytesOf(data)]);
  }
  return head.name;
}

/** The memory of an array, as bytes. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Bytes one after the other; a single part is not copied. */
export const joinBytes = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? parts[0]! : Buffer.concat(parts);
