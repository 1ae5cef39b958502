import { sum } from "../../core/index.js";
import { float, MICROSOFT, type OnnxModel, type ValueInfo } from "../../tensor/index.js";
import { attentionScale, type ModelConfig } from "../config/config.js";
import type { Projected } from "../onnx/attention.js";
import {
  addOperator,
  addTensors,
  bytesOf,
  createExportGraph,
  type ExportGraph,
  int64Constant,
  joinBytes,
} from "../onnx/graph.js";
import { addLayers } from "../onnx/layers.js";
import { type QuantizedWeight, quantizedMatMul } from "../onnx/quantized.js";
import { addLinear, addWeight, createBuild, type ExportBuild, embeddingsName } from "../onnx/weights.js";
import { parameterShapes } from "../weights/shapes.js";
import { type ByteBlocks, joinBlocks, toByteBlocks } from "./requantise.js";
import type { QuantisedSource } from "./source.js";

/** TensorProto.DataType of ONNX. */
const INT64 = 7;
/** GroupQueryAttention rotates heads whose width is a multiple of it by itself. */
const ROTATED_WIDTHS = 16;

const rotatesItself = ({ family, headDimension }: ModelConfig): boolean =>
  family !== "gpt2" && headDimension % ROTATED_WIDTHS === 0;

/** Names of the inputs of the body, in the order of a call. */
export const BODY_INPUTS = ["embedded", "positions", "ends", "total", "last", "cos", "sin"] as const;

export const pastNames = ({ layers }: ModelConfig): string[] => cacheNames(layers, "past");
export const presentNames = ({ layers }: ModelConfig): string[] => cacheNames(layers, "present");

const cacheNames = (layers: number, prefix: string): string[] =>
  ["key", "value"].flatMap((part) => Array.from({ length: layers }, (_, layer) => `${prefix}.${layer}.${part}`));

/**
 * Everything between the embeddings of tokens and the output layer, for any number of rows and tokens.
 *
 * Inputs: `embedded` `[rows, time, hidden]`, `positions` `[rows, time]` int32, `ends` `[rows]` int32 (place of each row's
 * last token), `total` `[1]` int32 (the most tokens of a row, with the cache), `last` `[count]` int32 (tokens wanted, counted
 * over all rows · time), `cos` and `sin` `[places, headDimension / 2]`, `past.N.key` and `.value` `[rows, keyValueHeads,
 * capacity, headDimension]`. Outputs: `hidden` `[count, hidden]` after the last norm, and the cache, in the memory of the
 * past.
 */
export function bodyGraph(source: QuantisedSource): OnnxModel {
  const { config } = source;
  const build = buildOf(source);
  const { graph } = build;
  const positions = addOperator(graph, "Cast", ["positions"], { attributes: { to: INT64 } });
  const hidden = addLayers(build, "embedded", {
    positions,
    attend: (projected, layer) => addCachedAttention(graph, config, projected, layer, positions),
  });
  const flat = addOperator(graph, "Reshape", [hidden, int64Constant(graph, [-1, config.hiddenSize])]);
  addOperator(graph, "Gather", [flat, "last"], { outputs: ["hidden"] });
  const cache = (names: readonly string[]): ValueInfo[] =>
    names.map((name) => ({
      name,
      dtype: "float32",
      shape: ["rows", config.keyValueHeads, "capacity", config.headDimension],
    }));
  const angles = (name: string): ValueInfo => ({
    name,
    dtype: "float32",
    shape: ["places", config.headDimension / 2],
  });
  return {
    name: "body",
    noCopy: true,
    nodes: graph.nodes,
    tensors: graph.tensors,
    inputs: [
      { name: "embedded", dtype: "float32", shape: ["rows", "time", config.hiddenSize] },
      { name: "positions", dtype: "int32", shape: ["rows", "time"] },
      { name: "ends", dtype: "int32", shape: ["rows"] },
      { name: "total", dtype: "int32", shape: [1] },
      { name: "last", dtype: "int32", shape: ["count"] },
      angles("cos"),
      angles("sin"),
      ...cache(pastNames(config)),
    ],
    outputs: [
      { name: "hidden", dtype: "float32", shape: ["count", config.hiddenSize] },
      ...cache(presentNames(config)),
    ],
  };
}

/** The output layer: `hidden` `[count, hidden]` gives `logProbs` `[count, vocab]` and `normaliser` `[count]`. */
export function headGraph(source: QuantisedSource): OnnxModel {
  const { config } = source;
  const build = buildOf(source);
  const { graph } = build;
  const logits = addLogits(build);
  addOperator(graph, "LogSoftmax", [logits], { attributes: { axis: -1 }, outputs: ["logProbs"] });
  const first = (x: string) => addOperator(graph, "Gather", [x, int64Constant(graph, 0)], { attributes: { axis: 1 } });
  addOperator(graph, "Sub", [first(logits), first("logProbs")], { outputs: ["normaliser"] });
  return {
    name: "head",
    noCopy: true,
    nodes: graph.nodes,
    tensors: graph.tensors,
    inputs: [{ name: "hidden", dtype: "float32", shape: ["count", config.hiddenSize] }],
    outputs: [
      { name: "logProbs", dtype: "float32", shape: ["count", config.vocabularySize] },
      { name: "normaliser", dtype: "float32", shape: ["count"] },
    ],
  };
}

function addLogits(build: ExportBuild): string {
  const { graph, config } = build;
  if (!config.tiedEmbeddings) return addLinear(build, "lm_head", "hidden");
  const name = embeddingsName(config);
  const blocks = build.blocks?.(name);
  if (blocks !== undefined) return quantizedMatMul(graph, "hidden", blocks, "");
  return addOperator(graph, "Gemm", ["hidden", addWeight(build, name)], { attributes: { transB: 1 } });
}

/** Width from which on all products are in 8 bits. */
const WIDE = 768;

/**
 * Whether a weight's product is in float32 all the same. On SmolLM2-135M, 576 wide, queries, keys and values make a third of
 * the error and a seventh of the work; on Qwen2.5-0.5B, 896 wide, the whole error is a third of that model's.
 */
const staysExact = ({ hiddenSize }: ModelConfig, name: string): boolean =>
  hiddenSize < WIDE && /\.self_attn\.[qkv]_proj\./.test(name);

function buildOf(source: QuantisedSource): ExportBuild {
  const { config } = source;
  const graph = createExportGraph();
  const isInBlocks = (name: string) => source.blockSize(name) > 0 && !staysExact(config, name);
  return createBuild({
    config,
    graph,
    bits: undefined,
    read: (name) => source.readFloats(name),
    blocks: (name) => (isInBlocks(name) ? addBlocks(graph, source, [name]) : undefined),
    joined: (names) =>
      rotatesItself(config) && names.every(isInBlocks) && new Set(names.map((name) => sizeOf(source, name))).size === 1
        ? addBlocks(graph, source, names)
        : undefined,
  });
}

/** Numbers of a block in wide models. */
const WIDE_BLOCKS = 64;

/**
 * Numbers of a block. Larger blocks are faster, at one row by a tenth, but activations are rounded in the same blocks: on
 * Qwen2.5-0.5B the error goes from 0.019 over 0.029 to 0.043 with 32, 64 and 128 numbers, on SmolLM2-135M it doubles.
 */
function blockSizeFor({ hiddenSize }: ModelConfig, stored: number, input: number): number {
  let size = stored;
  if (hiddenSize < WIDE) return size;
  while (size < WIDE_BLOCKS && input % (2 * size) === 0) size *= 2;
  return size;
}

/** Rows and columns of a linear layer, whichever its weight has first. */
function sizesOf(config: ModelConfig, name: string): [out: number, input: number] {
  const [rows, columns] = parameterShapes(config)[name] as [number, number];
  const isTransposed = config.family === "gpt2" && name.includes(".h.");
  return isTransposed ? [columns, rows] : [rows, columns];
}

const sizeOf = (source: QuantisedSource, name: string): number =>
  blockSizeFor(source.config, source.blockSize(name), sizesOf(source.config, name)[1]);

/** Add a weight of 8 bits, or the rows of several of the same columns and block size as one. */
function addBlocks(graph: ExportGraph, source: QuantisedSource, names: readonly string[]): QuantizedWeight {
  const [name] = names as [string];
  const input = sizesOf(source.config, name)[1];
  const out = sum(names.map((each) => sizesOf(source.config, each)[0]));
  const blockSize = sizeOf(source, name);
  const [values, scales] = addTensors(
    graph,
    [
      { name: `${name}.values`, shape: [out, input / blockSize, blockSize], dtype: "uint8" },
      { name: `${name}.scales`, shape: [out, input / blockSize], dtype: "float32" },
    ],
    async () => {
      const parts: ByteBlocks[] = [];
      for (const each of names) {
        const stored = source.blockSize(each);
        const asStored = toByteBlocks(await source.readBlocks(each));
        parts.push(blockSize === stored ? asStored : joinBlocks(asStored, stored, blockSize / stored));
      }
      return [joinBytes(parts.map(({ quants }) => quants)), joinBytes(parts.map(({ scales }) => bytesOf(scales)))];
    },
  ) as [string, string];
  return { values, scales, zeros: "", blockSize, out, input, bits: 8 };
}

function addCachedAttention(
  graph: ExportGraph,
  config: ModelConfig,
  { q, k, v }: Projected,
  layer: number,
  positions: string,
): string {
  const { heads, keyValueHeads, family } = config;
  const rotates = family !== "gpt2";
  const itself = rotatesItself(config);
  const turn = (x: string, count: number) =>
    rotates && !itself
      ? addOperator(graph, "RotaryEmbedding", [x, positions, "cos", "sin"], {
          domain: MICROSOFT,
          attributes: { num_heads: count },
        })
      : x;
  const past = (part: string) => `past.${layer}.${part}`;
  const angles = itself ? ["cos", "sin"] : [];
  const inputs = [turn(q, heads), turn(k, keyValueHeads), v, past("key"), past("value"), "ends", "total", ...angles];
  return addOperator(graph, "GroupQueryAttention", inputs, {
    domain: MICROSOFT,
    attributes: {
      num_heads: heads,
      kv_num_heads: keyValueHeads,
      do_rotary: Number(itself),
      scale: float(attentionScale(config, layer)),
    },
    outputs: [`attention.${layer}`, `present.${layer}.key`, `present.${layer}.value`],
  });
}
