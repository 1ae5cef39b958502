import { float, MICROSOFT } from "../../tensor/index.js";
import { attentionScale, type ModelConfig, type RotaryConfig } from "../config/config.js";
import { ropeFrequencies } from "../config/rope.js";
import { addOperator, addTensors, bytesOf, type ExportGraph, floatConstant, int64Constant } from "./graph.js";

/** Values shared by all layers' attention, by name. */
export interface AttentionContext {
  /** `[batch, 1, time, total]`: 0 for tokens, a large negative number for padding. */
  bias: string;
  /** `[batch]` int32: total - 1 in each row, as padding is counted. */
  lastPositions: string;
  /** int32: tokens in the cache plus new ones. */
  total: string;
  /** `[positions, headDimension / 2]` each; undefined for learned positions. */
  rotary: { cos: string; sin: string } | undefined;
}

/** Queries, keys and values of the new tokens, `[batch, time, heads · headDimension]`. */
export interface Projected {
  q: string;
  k: string;
  v: string;
}

/** Finite, because a row of padding has nothing else to attend to and must not become NaN. */
const FAR_BELOW = -1e9;
/** TensorProto.DataType of ONNX. */
const [FLOAT, INT32] = [1, 6];

export const pastName = (layer: number, part: "key" | "value"): string => `past_key_values.${layer}.${part}`;
export const presentName = (layer: number, part: "key" | "value"): string => `present.${layer}.${part}`;

/**
 * ONNX Runtime's GroupQueryAttention, which WebGPU has too, wants heads of a multiple of 8; ONNX's own Attention takes any,
 * and came with this operator set.
 */
const usesStandardAttention = ({ headDimension }: ModelConfig): boolean => headDimension % 8 !== 0;
export const opsetOf = (config: ModelConfig): number | undefined => (usesStandardAttention(config) ? 23 : undefined);

/** Append what all layers share, computed once from `input_ids` and `attention_mask`. */
export function attentionContext(graph: ExportGraph, config: ModelConfig): AttentionContext {
  const size = (of: string, axis: number) =>
    addOperator(graph, "Shape", [of], { attributes: { start: axis, end: axis + 1 } });
  const [batch, time, total] = [size("input_ids", 0), size("input_ids", 1), size("attention_mask", 1)];
  const cast = (of: string, to: number) => addOperator(graph, "Cast", [of], { attributes: { to } });

  const isPadding = addOperator(graph, "Sub", [floatConstant(graph, 1), cast("attention_mask", FLOAT)]);
  const ofRows = addOperator(graph, "Mul", [isPadding, floatConstant(graph, FAR_BELOW)]);
  const narrow = addOperator(graph, "Unsqueeze", [ofRows, int64Constant(graph, [1, 2])]);
  const shape = [batch, int64Constant(graph, [1]), time, total];
  const last = addOperator(graph, "Sub", [total, int64Constant(graph, [1])]);
  return {
    bias: addOperator(graph, "Expand", [narrow, addOperator(graph, "Concat", shape, { attributes: { axis: 0 } })]),
    lastPositions: cast(addOperator(graph, "Expand", [last, batch]), INT32),
    total: cast(addOperator(graph, "Squeeze", [total]), INT32),
    rotary: config.family === "gpt2" ? undefined : rotaryTables(graph, config),
  };
}

/**
 * Append the attention of a layer over its cache and the new tokens.
 * @returns `[batch, time, heads · headDimension]`
 */
export function addAttention(
  graph: ExportGraph,
  config: ModelConfig,
  { bias, lastPositions, total, rotary }: AttentionContext,
  { q, k, v }: Projected,
  layer: number,
): string {
  const { heads, keyValueHeads } = config;
  // Rotate outside of the operator: in onnxruntime-node 1.30 it miscounts the positions of rows with padding.
  const turn = (x: string, count: number) =>
    rotary === undefined
      ? x
      : addOperator(graph, "RotaryEmbedding", [x, "position_ids", rotary.cos, rotary.sin], {
          domain: MICROSOFT,
          attributes: { num_heads: count },
        });
  const inputs = [turn(q, heads), turn(k, keyValueHeads), v];
  const past = [pastName(layer, "key"), pastName(layer, "value")];
  const outputs = [`attention.${layer}`, presentName(layer, "key"), presentName(layer, "value")];
  const scale = float(attentionScale(config, layer));
  if (usesStandardAttention(config)) {
    const attributes = { q_num_heads: heads, kv_num_heads: keyValueHeads, is_causal: 1, scale };
    return addOperator(graph, "Attention", [...inputs, bias, ...past], { attributes, outputs });
  }
  const attributes = { num_heads: heads, kv_num_heads: keyValueHeads, scale };
  const noAngles = ["", "", ""];
  // The operator counts padding as tokens, and the bias hides it: by itself it supports padding on the right only.
  return addOperator(graph, "GroupQueryAttention", [...inputs, ...past, lastPositions, total, ...noAngles, bias], {
    domain: MICROSOFT,
    attributes,
    outputs,
  });
}

function rotaryTables(graph: ExportGraph, config: RotaryConfig): { cos: string; sin: string } {
  const { headDimension, maxPositions } = config;
  const frequencies = ropeFrequencies(config.rope, headDimension);
  const table = (name: string, of: (angle: number) => number) => {
    const shape = [maxPositions, headDimension / 2];
    return addTensors(graph, [{ name, shape, dtype: "float32" }], async () => [
      bytesOf(rotaryTable(frequencies, maxPositions, of)),
    ])[0]!;
  };
  return { cos: table("rotary.cos", Math.cos), sin: table("rotary.sin", Math.sin) };
}

function rotaryTable(frequencies: Float32Array, positions: number, of: (angle: number) => number): Float32Array {
  const table = new Float32Array(positions * frequencies.length);
  for (let position = 0, i = 0; position < positions; position++) {
    for (const frequency of frequencies) table[i++] = of(position * frequency);
  }
  return table;
}
