import { float, MICROSOFT, type OnnxModel, type ValueInfo } from "../../tensor/index.js";
import type { Activation, Gpt2Config, RotaryConfig } from "../config/config.js";
import type { Checkpoint } from "../weights/checkpoint.js";
import { type AttentionContext, addAttention, attentionContext, opsetOf, pastName, presentName } from "./attention.js";
import { addOperator, createExportGraph, type ExportGraph, freshName, int64Constant } from "./graph.js";
import type { QuantizedBits } from "./quantize-blocks.js";
import { addLinear, addVocabulary, addWeight, createBuild, type ExportBuild } from "./weights.js";

export interface ExportModelOptions {
  /** Bits of a number in the linear layers, with embeddings in 8. Default: float32. */
  bits?: QuantizedBits | undefined;
  /**
   * Add the input `num_logits_to_keep`, an int64 number: compute only the logits of this many last tokens, 0 for all.
   * transformers.js passes it from 4.0 on; long prompts with large vocabularies then need much less memory.
   */
  numLogitsToKeep?: boolean | undefined;
}

/**
 * Export a model as an ONNX graph with a key-value cache, under the names that Hugging Face's exporters use and
 * transformers.js expects. Batch, time and cache have any size. Weights are read when the graph is written.
 *
 * Inputs: `input_ids` and `position_ids` `[batch, time]`, `attention_mask` `[batch, total]` (int64; padding on the left),
 * `past_key_values.N.key` and `.value` `[batch, keyValueHeads, past, headDimension]`. Outputs: `logits`
 * `[batch, time, vocab]`, `present.N.key` and `.value`.
 */
export function exportModel(
  checkpoint: Checkpoint,
  { bits, numLogitsToKeep = false }: ExportModelOptions = {},
): OnnxModel {
  const { config } = checkpoint;
  const graph = createExportGraph();
  const build = createBuild(checkpoint, graph, bits);
  const context = attentionContext(graph, config);
  const { embedded, addLogits } = addVocabulary(build);
  const hidden =
    config.family === "gpt2"
      ? gpt2Layers(build, config, context, embedded)
      : rotaryLayers(build, config, context, embedded);
  const logits = addLogits(numLogitsToKeep ? lastRows(graph, hidden) : hidden);
  addOperator(graph, "Identity", [logits], { outputs: ["logits"] });

  const ids = (name: string, time: string): ValueInfo => ({ name, dtype: "int64", shape: ["batch_size", time] });
  const caches = (name: typeof pastName, time: string): ValueInfo[] =>
    Array.from({ length: config.layers }, (_, layer) =>
      (["key", "value"] as const).map(
        (part): ValueInfo => ({
          name: name(layer, part),
          dtype: "float32",
          shape: ["batch_size", config.keyValueHeads, time, config.headDimension],
        }),
      ),
    ).flat();
  const count: ValueInfo = { name: KEPT, dtype: "int64", shape: [] };
  return {
    name: config.family,
    opset: opsetOf(config),
    nodes: graph.nodes,
    tensors: graph.tensors,
    inputs: [
      ids("input_ids", "sequence_length"),
      ids("attention_mask", "total_sequence_length"),
      ids("position_ids", "sequence_length"),
      ...caches(pastName, "past_sequence_length"),
      ...(numLogitsToKeep ? [count] : []),
    ],
    outputs: [
      {
        name: "logits",
        dtype: "float32",
        shape: ["batch_size", numLogitsToKeep ? KEPT : "sequence_length", config.vocabularySize],
      },
      ...caches(presentName, "total_sequence_length"),
    ],
  };
}

const KEPT = "num_logits_to_keep";

/** Hidden states of the last tokens; of all tokens for 0, because -0 is the start. */
function lastRows(graph: ExportGraph, hidden: string): string {
  const start = addOperator(graph, "Neg", [addOperator(graph, "Reshape", [KEPT, int64Constant(graph, [1])])]);
  const end = int64Constant(graph, [Number.MAX_SAFE_INTEGER]);
  return addOperator(graph, "Slice", [hidden, start, end, int64Constant(graph, [1])]);
}

function rotaryLayers(build: ExportBuild, config: RotaryConfig, context: AttentionContext, embedded: string): string {
  const { graph } = build;
  let residual: Residual = { hidden: embedded, added: "" };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const linear = (name: string, x: string) => addLinear(build, `${prefix}.${name}`, x);
    const headNorm = (name: string, x: string, heads: number) =>
      config.queryKeyNorm ? addHeadNorm(build, `${prefix}.self_attn.${name}`, x, heads) : x;
    const before = addNorm(build, `${prefix}.input_layernorm`, residual);
    const projected = {
      q: headNorm("q_norm", linear("self_attn.q_proj", before.normed), config.heads),
      k: headNorm("k_norm", linear("self_attn.k_proj", before.normed), config.keyValueHeads),
      v: linear("self_attn.v_proj", before.normed),
    };
    const attended = linear("self_attn.o_proj", addAttention(graph, config, context, projected, layer));
    const middle = addNorm(build, `${prefix}.post_attention_layernorm`, { hidden: before.sum, added: attended });
    const gate = ACTIVATIONS[config.activation](graph, linear("mlp.gate_proj", middle.normed));
    const inner = addOperator(graph, "Mul", [gate, linear("mlp.up_proj", middle.normed)]);
    residual = { hidden: middle.sum, added: linear("mlp.down_proj", inner) };
  }
  return addNorm(build, "model.norm", residual).normed;
}

function gpt2Layers(build: ExportBuild, config: Gpt2Config, context: AttentionContext, embedded: string): string {
  const { graph } = build;
  const positions = addOperator(graph, "Gather", [addWeight(build, "transformer.wpe.weight"), "position_ids"]);
  let residual: Residual = { hidden: embedded, added: positions };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `transformer.h.${layer}`;
    const linear = (name: string, x: string) => addLinear(build, `${prefix}.${name}`, x);
    const before = addNorm(build, `${prefix}.ln_1`, residual);
    const [q, k, v] = [`q.${layer}`, `k.${layer}`, `v.${layer}`] as const;
    const joined = linear("attn.c_attn", before.normed);
    addOperator(graph, "Split", [joined], { attributes: { axis: -1, num_outputs: 3 }, outputs: [q, k, v] });
    const attended = linear("attn.c_proj", addAttention(graph, config, context, { q, k, v }, layer));
    const middle = addNorm(build, `${prefix}.ln_2`, { hidden: before.sum, added: attended });
    const inner = ACTIVATIONS[config.activation](graph, linear("mlp.c_fc", middle.normed));
    residual = { hidden: middle.sum, added: linear("mlp.c_proj", inner) };
  }
  return addNorm(build, "transformer.ln_f", residual).normed;
}

/** Hidden states whose last residual sum is still pending, as the next norm computes it too. */
interface Residual {
  hidden: string;
  /** Output of a layer to add; empty for none. */
  added: string;
}

/** The sum, and its norm over the last axis: an RMS norm, or in GPT-2 a layer norm. */
function addNorm(build: ExportBuild, name: string, { hidden, added }: Residual): { normed: string; sum: string } {
  const { graph, checkpoint } = build;
  const { family, normEpsilon } = checkpoint.config;
  const epsilon = float(normEpsilon);
  const weights = [`${name}.weight`, ...(family === "gpt2" ? [`${name}.bias`] : [])].map((each) =>
    addWeight(build, each),
  );
  const op = family === "gpt2" ? "LayerNormalization" : "SimplifiedLayerNormalization";
  if (added === "") {
    const normed = addOperator(graph, op, [hidden, ...weights], { attributes: { axis: -1, epsilon } });
    return { normed, sum: hidden };
  }
  const normed = freshName(graph, "normed");
  const sum = freshName(graph, "sum");
  addOperator(graph, `Skip${op}`, [hidden, added, ...weights], {
    domain: MICROSOFT,
    attributes: { epsilon },
    outputs: [normed, "", "", sum],
  });
  return { normed, sum };
}

/** The norm of each head of `[batch, time, heads · headDimension]`. */
function addHeadNorm(build: ExportBuild, name: string, x: string, heads: number): string {
  const { graph, checkpoint } = build;
  const { headDimension } = checkpoint.config;
  // In the shape of a Reshape, 0 keeps a size.
  const split = addOperator(graph, "Reshape", [x, int64Constant(graph, [0, 0, heads, headDimension])]);
  const { normed } = addNorm(build, name, { hidden: split, added: "" });
  return addOperator(graph, "Reshape", [normed, int64Constant(graph, [0, 0, heads * headDimension])]);
}

const ACTIVATIONS: Record<Activation, (graph: ExportGraph, x: string) => string> = {
  silu: (graph, x) => addOperator(graph, "QuickGelu", [x], { domain: MICROSOFT, attributes: { alpha: float(1) } }),
  gelu: (graph, x) => addOperator(graph, "Gelu", [x]),
  "gelu-tanh": (graph, x) => addOperator(graph, "Gelu", [x], { attributes: { approximate: "tanh" } }),
  relu: (graph, x) => addOperator(graph, "Relu", [x]),
};
