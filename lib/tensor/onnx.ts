import { PbfWriter } from "pbf";
import { type Attribute, type ConstantData, constantData, type Node, type Value } from "./graph.js";

/** A program ready to be written: inputs, nodes in order, and named outputs. */
export interface Program {
  inputs: readonly { name: string; value: Value }[];
  nodes: readonly Node[];
  outputs: readonly { name: string; value: Value }[];
}

/** TensorProto.DataType of ONNX. */
const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

/** Element types in a model file: those of graphs, bytes for quantized weights, and half precision. */
export type OnnxElementType = keyof typeof ELEMENT_TYPES;

/** ONNX operator set and the oldest intermediate representation that knows it. */
const OPSET = 21;
const IR_VERSION = 10;
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7, strings: 8 } as const;

/**
 * Name of an extra output of each program, a sequence of no tensors. onnxruntime-node copies every output into a new
 * array, even one it wrote straight into ours; it stops at the first output it cannot convert, which is this one.
 */
export const NO_COPY_OUTPUT = "no_copy";

const NO_COPY_NODE: NamedNode = {
  op: "SequenceEmpty",
  domain: "",
  attributes: {},
  inputs: [],
  outputs: [NO_COPY_OUTPUT],
};

/**
 * A program as an ONNX model (protocol buffer, onnx.proto3 of ONNX 1.17).
 *
 * An output that is an input, a constant or another output already goes through an `Identity`, as ONNX asks for one
 * producer a name.
 */
export function encodeOnnx({ inputs, nodes, outputs }: Program): Uint8Array {
  const names = new Map<Value, string>(inputs.map(({ name, value }) => [value, name]));
  const produced = new Set(nodes.flatMap((node) => node.outputs));
  const aliases: { from: Value; to: string }[] = [];
  for (const { name, value } of outputs) {
    if (names.has(value) || !produced.has(value)) aliases.push({ from: value, to: name });
    else names.set(value, name);
  }
  const nameOf = (value: Value): string => names.get(value) ?? `v${value.id}`;

  const pbf = new PbfWriter();
  writeModelHead(pbf);
  pbf.writeMessage(
    MODEL_GRAPH,
    (_, graph) => {
      graph.writeMessage(1, writeNode, NO_COPY_NODE);
      const constants = new Map<Value, Value>();
      const collect = (value: Value | null) => {
        if (value && (value.constant !== undefined || value.splat !== undefined)) constants.set(value, value);
      };
      for (const node of nodes) {
        node.inputs.forEach(collect);
        graph.writeMessage(1, writeNode, {
          ...node,
          inputs: node.inputs.map((value) => (value ? nameOf(value) : "")),
          outputs: node.outputs.map(nameOf),
        });
      }
      for (const { from, to } of aliases) {
        collect(from);
        graph.writeMessage(1, writeNode, {
          op: "Identity",
          domain: "",
          attributes: {},
          inputs: [nameOf(from)],
          outputs: [to],
        });
      }
      graph.writeStringField(2, "program");
      for (const value of constants.keys()) {
        graph.writeMessage(GRAPH_INITIALIZER, writeTensor, {
          name: nameOf(value),
          shape: value.shape,
          dtype: value.dtype,
          data: constantData(value),
        });
      }
      for (const { name, value } of inputs) graph.writeMessage(11, writeValueInfo, { name, ...value });
      graph.writeMessage(12, writeSequenceInfo, NO_COPY_OUTPUT);
      for (const { name, value } of outputs) graph.writeMessage(12, writeValueInfo, { name, ...value });
    },
    undefined,
  );
  return pbf.finish();
}

/** Fields of ModelProto and GraphProto whose content may be written piece by piece. */
export const MODEL_GRAPH = 7;
export const GRAPH_INITIALIZER = 5;

/** All of a model but its graph. */
export function writeModelHead(pbf: PbfWriter, opset = OPSET): void {
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, "thoughtbook");
  pbf.writeMessage(8, writeOpset, { domain: "", version: opset });
  pbf.writeMessage(8, writeOpset, { domain: "com.microsoft", version: 1 });
}

/** A graph with values by name, whose inputs and outputs may have symbols for sizes; its initializers are written apart. */
export interface NamedGraph {
  name: string;
  /** ONNX operator set that the nodes are of. Default: {@link OPSET}. */
  opset?: number | undefined;
  /** For `createSession`, which writes outputs into memory of the caller: add the output {@link NO_COPY_OUTPUT}. */
  noCopy?: boolean | undefined;
  nodes: readonly NamedNode[];
  inputs: readonly ValueInfo[];
  outputs: readonly ValueInfo[];
}

export function writeGraph({ name, noCopy = false, nodes, inputs, outputs }: NamedGraph, pbf: PbfWriter): void {
  if (noCopy) pbf.writeMessage(1, writeNode, NO_COPY_NODE);
  for (const node of nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, name);
  for (const input of inputs) pbf.writeMessage(11, writeValueInfo, input);
  if (noCopy) pbf.writeMessage(12, writeSequenceInfo, NO_COPY_OUTPUT);
  for (const output of outputs) pbf.writeMessage(12, writeValueInfo, output);
}

export interface NamedNode extends Omit<Node, "inputs" | "outputs"> {
  inputs: readonly string[];
  outputs: readonly string[];
}

function writeNode({ op, domain, inputs, outputs, attributes }: NamedNode, pbf: PbfWriter): void {
  for (const name of inputs) pbf.writeStringField(1, name);
  for (const name of outputs) pbf.writeStringField(2, name);
  pbf.writeStringField(3, `${op}_${outputs[0]}`);
  pbf.writeStringField(4, op);
  for (const [name, value] of Object.entries(attributes)) pbf.writeMessage(5, writeAttribute, { name, value });
  if (domain !== "") pbf.writeStringField(7, domain);
}

function writeAttribute({ name, value }: { name: string; value: Attribute }, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if (typeof value === "number") {
    pbf.writeVarintField(3, value);
    pbf.writeVarintField(20, ATTRIBUTE.int);
  } else if (typeof value === "string") {
    pbf.writeBytesField(4, new TextEncoder().encode(value));
    pbf.writeVarintField(20, ATTRIBUTE.string);
  } else if ("float" in value) {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, ATTRIBUTE.float);
  } else if (typeof value[0] === "string") {
    for (const text of value) pbf.writeBytesField(9, new TextEncoder().encode(String(text)));
    pbf.writeVarintField(20, ATTRIBUTE.strings);
  } else {
    for (const number of value) pbf.writeVarintField(8, Number(number));
    pbf.writeVarintField(20, ATTRIBUTE.ints);
  }
}

export interface TensorHead {
  name: string;
  shape: readonly number[];
  dtype: OnnxElementType;
}

/** Field of TensorProto with its bytes, row-major and little-endian. */
export const TENSOR_BYTES = 9;

/** All of a tensor but its bytes. */
export function writeTensorHead({ name, shape, dtype }: TensorHead, pbf: PbfWriter): void {
  for (const dimension of shape) pbf.writeVarintField(1, dimension);
  pbf.writeVarintField(2, ELEMENT_TYPES[dtype]);
  pbf.writeStringField(8, name);
}

function writeTensor({ data, ...head }: TensorHead & { data: ConstantData }, pbf: PbfWriter): void {
  writeTensorHead(head, pbf);
  pbf.writeBytesField(TENSOR_BYTES, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** An input or output; a text in its shape is a symbol for a size that a call gives. */
export interface ValueInfo {
  name: string;
  dtype: OnnxElementType;
  shape: readonly (number | string)[];
}

function writeValueInfo({ name, ...type }: ValueInfo, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, (_, message) => message.writeMessage(1, writeTensorType, type), undefined);
}

function writeTensorType({ shape, dtype }: Omit<ValueInfo, "name">, pbf: PbfWriter): void {
  pbf.writeVarintField(1, ELEMENT_TYPES[dtype]);
  pbf.writeMessage(
    2,
    (_, dimensions) => {
      for (const size of shape) dimensions.writeMessage(1, writeDimension, size);
    },
    undefined,
  );
}

function writeDimension(size: number | string, pbf: PbfWriter): void {
  if (typeof size === "number") pbf.writeVarintField(1, size);
  else pbf.writeStringField(2, size);
}

function writeSequenceInfo(name: string, pbf: PbfWriter): void {
  const element = (_: undefined, type: PbfWriter) =>
    type.writeMessage(1, (__, tensor) => tensor.writeVarintField(1, ELEMENT_TYPES.float32), undefined);
  pbf.writeStringField(1, name);
  pbf.writeMessage(
    2,
    (_, type) => type.writeMessage(4, (__, sequence) => sequence.writeMessage(1, element, undefined), undefined),
    undefined,
  );
}

function writeOpset({ domain, version }: { domain: string; version: number }, pbf: PbfWriter): void {
  if (domain !== "") pbf.writeStringField(1, domain);
  pbf.writeVarintField(2, version);
}
