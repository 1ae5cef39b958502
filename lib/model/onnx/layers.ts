import { float, MICROSOFT } from "../../tensor/index.js";
import type { Activation, Gpt2Config, RotaryConfig } from "../config/config.js";
import type { Projected } from "./attention.js";
import { addOperator, type ExportGraph, freshName, int64Constant } from "./graph.js";
import { addJoinedLinear, addLinear, addWeight, type ExportBuild } from "./weights.js";

export interface LayerParts {
  /** Append the attention of a layer over its cache and the new tokens: `[batch, time, heads · headDimension]`. */
  attend(projected: Projected, layer: number): string;
  /** `[batch, time]` int64: places of the tokens, for models that learned them. */
  positions: string;
}

/**
 * Append all layers and the final norm.
 *
 * @param embedded `[batch, time, hidden]`
 * @returns hidden states of the same shape
 */
export function addLayers(build: ExportBuild, embedded: string, parts: LayerParts): string {
  const { config } = build;
  return config.family === "gpt2"
    ? gpt2Layers(build, config, embedded, parts)
    : rotaryLayers(build, config, embedded, parts);
}

function rotaryLayers(build: ExportBuild, config: RotaryConfig, embedded: string, { attend }: LayerParts): string {
  const { graph } = build;
  let residual: Residual = { hidden: embedded, added: "" };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const linear = (name: string, x: string) => addLinear(build, `${prefix}.${name}`, x);
    const headNorm = (name: string, x: string, heads: number) =>
      config.queryKeyNorm ? addHeadNorm(build, `${prefix}.self_attn.${name}`, x, heads) : x;
    const before = addNorm(build, `${prefix}.input_layernorm`, residual);
    const packed = config.queryKeyNorm
      ? undefined
      : addJoinedLinear(
          build,
          ["q_proj", "k_proj", "v_proj"].map((name) => `${prefix}.self_attn.${name}`),
          before.normed,
        );
    const projected =
      packed === undefined
        ? {
            q: headNorm("q_norm", linear("self_attn.q_proj", before.normed), config.heads),
            k: headNorm("k_norm", linear("self_attn.k_proj", before.normed), config.keyValueHeads),
            v: linear("self_attn.v_proj", before.normed),
          }
        : { q: packed, k: "", v: "" };
    const attended = linear("self_attn.o_proj", attend(projected, layer));
    const middle = addNorm(build, `${prefix}.post_attention_layernorm`, { hidden: before.sum, added: attended });
    const gate = ACTIVATIONS[config.activation](graph, linear("mlp.gate_proj", middle.normed));
    const inner = addOperator(graph, "Mul", [gate, linear("mlp.up_proj", middle.normed)]);
    residual = { hidden: middle.sum, added: linear("mlp.down_proj", inner) };
  }
  return addNorm(build, "model.norm", residual).normed;
}

function gpt2Layers(
  build: ExportBuild,
  config: Gpt2Config,
  embedded: string,
  { attend, positions: places }: LayerParts,
): string {
  const { graph } = build;
  const positions = addOperator(graph, "Gather", [addWeight(build, "transformer.wpe.weight"), places]);
  let residual: Residual = { hidden: embedded, added: positions };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `transformer.h.${layer}`;
    const linear = (name: string, x: string) => addLinear(build, `${prefix}.${name}`, x);
    const before = addNorm(build, `${prefix}.ln_1`, residual);
    const [q, k, v] = [`q.${layer}`, `k.${layer}`, `v.${layer}`] as const;
    const joined = linear("attn.c_attn", before.normed);
    addOperator(graph, "Split", [joined], { attributes: { axis: -1, num_outputs: 3 }, outputs: [q, k, v] });
    const attended = linear("attn.c_proj", attend({ q, k, v }, layer));
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
  const { graph, config } = build;
  const { family, normEpsilon } = config;
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
  const { graph, config } = build;
  const { headDimension } = config;
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
