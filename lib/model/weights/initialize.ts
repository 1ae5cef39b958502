import { createRandom, type Random, ThoughtbookError } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import type { ModelParameters } from "./checkpoint.js";
import { elementCount } from "./safetensors-header.js";
import { parameterShapes } from "./shapes.js";

export interface InitializeOptions {
  seed: number | string;
  /** Standard deviation of linear layers and embeddings: the `initializer_range` of a config.json. Default: 0.02. */
  deviation?: number;
}

/**
 * Initialise the weights of an untrained model, as transformers does: linear layers and embeddings normal around 0,
 * biases 0, gains of norms 1. The embedding of the padding token is 0; the layers of GPT-2 that write to the residual
 * stream are smaller by √(2 · layers) (Radford et al. 2019, section 2.3).
 *
 * Each weight depends on the seed and its name only. The numbers differ from PyTorch's with the same seed.
 *
 * @throws bad-input if the deviation is not a finite number, 0 or more
 */
export function initializeParameters(
  config: ModelConfig,
  { seed, deviation = 0.02 }: InitializeOptions,
): ModelParameters {
  if (!(deviation >= 0 && deviation < Number.POSITIVE_INFINITY)) {
    throw new ThoughtbookError("bad-input", `deviation is ${deviation}, expected a finite number, 0 or more`, {
      hint: "0.02 is what most models begin with.",
    });
  }
  const random = createRandom(seed);
  const parameters: ModelParameters = {};
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const data = new Float32Array(elementCount(shape));
    if (shape.length > 1) fillNormal(data, deviationOf(config, name, deviation), random.stream(name));
    else if (name.endsWith(".weight")) data.fill(1);
    parameters[name] = { shape, dtype: "float32", data };
  }
  const { hiddenSize, paddingId, vocabularySize } = config;
  if (config.family !== "gpt2" && paddingId !== undefined && paddingId < vocabularySize) {
    parameters["model.embed_tokens.weight"]!.data.fill(0, paddingId * hiddenSize, (paddingId + 1) * hiddenSize);
  }
  return parameters;
}

function deviationOf(config: ModelConfig, name: string, deviation: number): number {
  return config.family === "gpt2" && name.endsWith("c_proj.weight")
    ? deviation / Math.sqrt(2 * config.layers)
    : deviation;
}

/** Fill with draws from the normal distribution around 0. */
export function fillNormal(data: Float32Array, deviation: number, random: Random): void {
  for (let i = 0; i < data.length; i++) data[i] = random.normal() * deviation;
}
