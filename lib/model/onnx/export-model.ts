import type { OnnxModel, ValueInfo } from "../../tensor/index.js";
import { type Checkpoint, readParameter } from "../weights/checkpoint.js";
import { addAttention, attentionContext, opsetOf, pastName, presentName } from "./attention.js";
import { addOperator, createExportGraph, type ExportGraph, int64Constant } from "./graph.js";
import { addLayers } from "./layers.js";
import type { QuantizedBits } from "./quantize-blocks.js";
import { addVocabulary, createBuild } from "./weights.js";

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
  const read = async (name: string) => (await readParameter(checkpoint, name)).data;
  const build = createBuild({ config, graph, bits, read });
  const context = attentionContext(graph, config);
  const { embedded, addLogits } = addVocabulary(build);
  const hidden = addLayers(build, embedded, {
    positions: "position_ids",
    attend: (projected, layer) => addAttention(graph, config, context, projected, layer),
  });
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
