import type { ModelConfig, ModelName } from "../../bench/train-step/models.js";

/** The models of the benchmark at a size that trains in a blink; nothing divides by accident. */
export const TINY: Readonly<Record<ModelName, ModelConfig>> = {
  gpt: { family: "gpt", vocabulary: 11, width: 8, layers: 2, heads: 2, hidden: 12, time: 5, batch: 3 },
  llama: {
    family: "llama",
    vocabulary: 11,
    width: 16,
    layers: 2,
    heads: 4,
    keyHeads: 2,
    hidden: 12,
    time: 5,
    batch: 3,
    rotaryBase: 100,
  },
};
