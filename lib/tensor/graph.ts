import { badInput } from "../core/index.js";
import { sizeOf } from "./tensor-data.js";

/** Element types inside a graph: those of TensorFlow.js, int8 of weights in blocks, and int64, which ONNX wants for many indices. */
export type ElementType = "float32" | "int32" | "bool" | "int64" | "int8";

export type ConstantData = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** A float attribute. Plain numbers are integer attributes, as ONNX distinguishes the two. */
export interface FloatAttribute {
  readonly float: number;
}

export type Attribute = number | string | FloatAttribute | readonly number[] | readonly string[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** A value of the graph: an input, a constant or the output of one node. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: ElementType;
  /** Row-major values of a constant. */
  readonly constant?: ConstantData;
  /** A constant that is one number everywhere; it is never stored at full size. */
  readonly splat?: number;
}

export interface Node {
  readonly op: string;
  /** Empty for ONNX itself, `com.microsoft` for ONNX Runtime's own operators. */
  readonly domain: string;
  /** `null` is an optional input left out. */
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

export interface Graph {
  nodes: Node[];
  nextId: number;
  /** Small constants by content, so that equal ones are one value. */
  readonly constants: Map<string, Value>;
}

export interface OutputSpec {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

/** Operators of ONNX Runtime that are not in the ONNX standard. */
export const MICROSOFT = "com.microsoft";

/** Larger constants are refused: they would be copied into the program, where an input costs nothing. */
const MAXIMUM_CONSTANT_BYTES = 256 * 1024 * 1024;
const INTERN_UP_TO = 1024;

export function createGraph(): Graph {
  return { nodes: [], nextId: 0, constants: new Map() };
}

export function float(value: number): FloatAttribute {
  return { float: value };
}

/** A fresh value that no node produces yet: an input. */
export function newValue(graph: Graph, shape: readonly number[], dtype: ElementType): Value {
  return { id: graph.nextId++, shape, dtype };
}

/** Append a node with one output. */
export function addNode(
  graph: Graph,
  op: string,
  inputs: readonly (Value | null)[],
  output: OutputSpec,
  attributes: Attributes = {},
  domain = "",
): Value {
  return addNodes(graph, op, inputs, [output], attributes, domain)[0]!;
}

/** Append a node with several outputs. */
export function addNodes(
  graph: Graph,
  op: string,
  inputs: readonly (Value | null)[],
  outputs: readonly OutputSpec[],
  attributes: Attributes = {},
  domain = "",
): Value[] {
  const values = outputs.map(({ shape, dtype }) => newValue(graph, shape, dtype));
  graph.nodes.push({ op, domain, inputs, attributes, outputs: values });
  return values;
}

/**
 * A constant of the graph.
 *
 * @throws ThoughtbookError above 256 MB: such a tensor belongs among the inputs
 */
export function addConstant(graph: Graph, data: ConstantData, shape: readonly number[], dtype: ElementType): Value {
  if (data.byteLength > MAXIMUM_CONSTANT_BYTES) {
    throw badInput(
      `a tensor of shape [${shape.join(", ")}] (${Math.round(data.byteLength / 2 ** 20)} MB) is used by a compiled function without being one of its inputs`,
      "Pass it as an input: inputs of any size cost nothing a call.",
    );
  }
  if (data.length > INTERN_UP_TO) return { ...newValue(graph, shape, dtype), constant: data };
  const key = `${dtype}[${shape.join()}]${data.join()}${data instanceof Float32Array ? signsOfZeros(data) : ""}`;
  const known = graph.constants.get(key);
  if (known) return known;
  const value = { ...newValue(graph, shape, dtype), constant: data };
  graph.constants.set(key, value);
  return value;
}

/** A constant that is the same number everywhere. */
export function addSplat(
  graph: Graph,
  number: number,
  shape: readonly number[],
  dtype: Exclude<ElementType, "int64">,
): Value {
  const key = `splat ${dtype}[${shape.join()}]${Object.is(number, -0) ? "-0" : number}`;
  const known = graph.constants.get(key);
  if (known) return known;
  const value = { ...newValue(graph, shape, dtype), splat: number };
  graph.constants.set(key, value);
  return value;
}

/** A constant list of int64 numbers, as ONNX wants for axes, shapes and repeats. */
export function int64s(graph: Graph, numbers: readonly number[], shape: readonly number[] = [numbers.length]): Value {
  return addConstant(graph, BigInt64Array.from(numbers, BigInt), shape, "int64");
}

export function isConstant(value: Value): boolean {
  return value.constant !== undefined || value.splat !== undefined;
}

/** The values of a constant at full size. */
export function constantData(value: Value): ConstantData {
  if (value.constant !== undefined) return value.constant;
  const size = sizeOf(value.shape);
  if (value.dtype === "float32") return new Float32Array(size).fill(value.splat!);
  if (value.dtype === "int32") return new Int32Array(size).fill(value.splat!);
  return new Uint8Array(size).fill(value.splat!);
}

/** The number a constant has everywhere, if it has one. */
export function uniformValue(value: Value): number | undefined {
  if (value.splat !== undefined) return value.splat;
  if (value.constant?.length === 1) return Number(value.constant[0]);
  return undefined;
}

// -0 and 0 print alike, but 1/-0 is not 1/0.
function signsOfZeros(data: Float32Array): string {
  return data.some((x) => Object.is(x, -0)) ? Array.from(data, (x) => (Object.is(x, -0) ? "-" : "+")).join("") : "";
}
