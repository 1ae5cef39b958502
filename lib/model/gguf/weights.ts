import { ThoughtbookError } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import { parameterShapes } from "../weights/shapes.js";
import { describeMismatch, type GgufPlace } from "../weights/weight-files.js";
import { type GgufFile, requireReadable } from "./file.js";

/** Names of the tensors in a GGUF file for the weights of a Hugging Face folder; those of a layer without its number. */
const ROTARY_NAMES: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};
const GPT2_NAMES: Readonly<Record<string, string>> = {
  "transformer.wte": "token_embd",
  "transformer.wpe": "position_embd",
  "transformer.ln_f": "output_norm",
  lm_head: "output",
  ln_1: "attn_norm",
  "attn.c_attn": "attn_qkv",
  "attn.c_proj": "attn_output",
  ln_2: "ffn_norm",
  "mlp.c_fc": "ffn_up",
  "mlp.c_proj": "ffn_down",
};

/** Tensors that say nothing new: the factors of the rotation, which the configuration has. */
export const ROPE_FACTORS = "rope_freqs.weight";

/** The name that a weight of a Hugging Face folder has in a GGUF file. */
export function ggufName({ family }: Pick<ModelConfig, "family">, weight: string): string {
  const [, layer, name, kind] = /^(?:(?:model\.layers|transformer\.h)\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(weight)!;
  const known = (family === "gpt2" ? GPT2_NAMES : ROTARY_NAMES)[name!]!;
  return `${layer === undefined ? "" : `blk.${layer}.`}${known}.${kind}`;
}

/**
 * How the tensor of a GGUF file differs from the weight. llama.cpp rotates the pairs (2i, 2i + 1) of a head of Llama,
 * where Hugging Face has (i, i + half), so the rows of its queries and keys are in another order; GPT-2's linear layers
 * are [out, in] as those of others.
 */
export function ggufLayout(config: ModelConfig, weight: string): Pick<GgufPlace, "rotatedHeads" | "transposed"> {
  if (config.family === "gpt2") {
    return /\.(c_attn|c_proj|c_fc)\.weight$/.test(weight) ? { transposed: true } : {};
  }
  const projection = config.family === "llama" ? /\.self_attn\.([qk])_proj\./.exec(weight)?.[1] : undefined;
  if (projection === undefined) return {};
  return { rotatedHeads: projection === "q" ? config.heads : config.keyValueHeads };
}

/**
 * Find the weights of a model in a GGUF file.
 *
 * @returns the places by canonical name, those of `parameterShapes`
 * @throws corrupt-data if weights are missing, not expected or of the wrong shape; bad-input if one is of a type that
 *   is not read
 */
export function locateGgufWeights(config: ModelConfig, file: GgufFile): Map<string, GgufPlace> {
  const expected = parameterShapes(config);
  const places = new Map<string, GgufPlace>();
  const shapes: Record<string, readonly number[]> = {};
  const known = new Map(Object.keys(expected).map((weight) => [ggufName(config, weight), weight]));
  for (const [name, { shape }] of file.tensors) {
    if (name === ROPE_FACTORS) continue;
    const weight = known.get(name);
    const layout = weight === undefined ? {} : ggufLayout(config, weight);
    shapes[name] = layout.transposed ? [...shape].reverse() : shape;
    if (weight !== undefined) places.set(weight, { file, name, shape: expected[weight]!, ...layout });
  }
  const wanted = Object.fromEntries([...known].map(([name, weight]) => [name, expected[weight]!]));
  const mismatch = describeMismatch(wanted, shapes);
  if (mismatch !== undefined) {
    throw new ThoughtbookError("corrupt-data", `the weights in ${file.path} do not fit its metadata: ${mismatch}`, {
      hint: "Download the file again, or choose another one of the model.",
    });
  }
  for (const { name } of places.values()) requireReadable(file.path, name, file.tensors.get(name)!);
  return places;
}

/** The row of the file that becomes each row of a weight with rotated heads. */
export function rowOrder(rows: number, heads: number): Uint32Array {
  const size = rows / heads;
  return Uint32Array.from({ length: rows }, (_, row) => {
    const [first, within] = [row - (row % size), row % size];
    return first + (within < size / 2 ? 2 * within : 2 * (within - size / 2) + 1);
  });
}

/** The other way round: the row of a weight that becomes each row of the file. */
export function fileOrder(rows: number, heads: number): Uint32Array {
  const order = new Uint32Array(rows);
  for (const [row, from] of rowOrder(rows, heads).entries()) order[from] = row;
  return order;
}

/** The columns of a matrix as rows. */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column]!;
  }
  return turned;
}

/** Put the rows of an array in another order: row i becomes what row `order[i]` was. */
export function reorderRows<T extends Float32Array | Uint8Array>(data: T, order: Uint32Array): T {
  const width = data.length / order.length;
  const moved = data.slice() as T;
  for (const [row, from] of order.entries()) moved.set(data.subarray(from * width, (from + 1) * width), row * width);
  return moved;
}
