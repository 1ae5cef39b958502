import { badInput } from "../../core/index.js";
import type { Activation, ModelConfig } from "../config/config.js";
import { ropeFrequencies } from "../config/rope.js";
import type { GgufEntry } from "./write.js";

/** The activation that llama.cpp has for each family. */
const ACTIVATIONS: Readonly<Record<ModelConfig["family"], Activation>> = {
  llama: "silu",
  qwen2: "silu",
  qwen3: "silu",
  gpt2: "gelu-tanh",
};

/**
 * The keys of a GGUF file that describe an architecture.
 * @throws bad-input for one that llama.cpp does not compute
 */
export function architectureEntries(config: ModelConfig): Record<string, GgufEntry> {
  const { family } = config;
  checkComputed(config);
  const uint32 = (value: number): GgufEntry => ({ type: "uint32", value });
  const float32 = (value: number): GgufEntry => ({ type: "float32", value });
  const keys: Record<string, GgufEntry> = {
    block_count: uint32(config.layers),
    context_length: uint32(config.maxPositions),
    embedding_length: uint32(config.hiddenSize),
    feed_forward_length: uint32(config.intermediateSize),
    "attention.head_count": uint32(config.heads),
    ...(config.family === "gpt2"
      ? { "attention.layer_norm_epsilon": float32(config.normEpsilon) }
      : {
          "attention.head_count_kv": uint32(config.keyValueHeads),
          "attention.layer_norm_rms_epsilon": float32(config.normEpsilon),
          "attention.key_length": uint32(config.headDimension),
          "attention.value_length": uint32(config.headDimension),
          "rope.dimension_count": uint32(config.headDimension),
          "rope.freq_base": float32(config.rope.theta),
          vocab_size: uint32(config.vocabularySize),
          ...(config.rope.kind === "linear"
            ? {
                "rope.scaling.type": { type: "string" as const, value: "linear" },
                "rope.scaling.factor": float32(config.rope.factor),
              }
            : {}),
        }),
  };
  return Object.fromEntries(Object.entries(keys).map(([key, entry]) => [`${family}.${key}`, entry]));
}

function checkComputed(config: ModelConfig): void {
  const refuse = (what: string): never => {
    throw badInput(
      `llama.cpp does not run this model: ${what}`,
      "Export it to ONNX instead: `thoughtbook export onnx`.",
    );
  };
  const expected = ACTIVATIONS[config.family];
  if (config.activation !== expected)
    refuse(`its activation is ${config.activation}, in ${config.family} there it is ${expected}`);
  if (config.family === "gpt2") {
    if (!config.scaleByHeadDimension || config.scaleByLayer) refuse("its attention is scaled in an unusual way");
    return;
  }
  if (config.family !== "llama" && config.outputBias) refuse("the output of its attention has a bias");
}

/** The factors that Llama 3 divides its frequencies by, which GGUF files have as a tensor; undefined for other models. */
export function ropeFactors(config: ModelConfig): Float32Array | undefined {
  if (config.family === "gpt2" || config.rope.kind !== "llama3") return undefined;
  const { rope, headDimension } = config;
  const plain = ropeFrequencies({ kind: "default", theta: rope.theta }, headDimension);
  return ropeFrequencies(rope, headDimension).map((scaled, i) => plain[i]! / scaled);
}
