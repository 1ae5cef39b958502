import { badInput, formatByteSize } from "../../core/index.js";
import { memoryLimit, RUNTIME_BYTES } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { parameterCount } from "./shapes.js";

/** What programs, keys and values of a few short texts take at least. */
const WORK_BYTES = 64e6;

/**
 * Check that a budget holds a model, before its weights are read.
 *
 * @param options `memory`: bytes, see `SessionOptions`; `floats`: float32 numbers in memory for each weight: 1, more where the
 *   weights themselves are trained, less where they stay quantised
 * @throws bad-input, which tells what the model needs
 */
export function checkModelFits(
  name: string,
  config: ModelConfig,
  { memory, floats = 1 }: { memory?: number | undefined; floats?: number } = {},
): void {
  const limit = memoryLimit({ memory });
  if (limit === undefined) return;
  const weights = floats * parameterCount(config) * Float32Array.BYTES_PER_ELEMENT;
  const needed = weights + RUNTIME_BYTES + WORK_BYTES;
  if (needed <= limit) return;
  const what = floats <= 1 ? "its weights" : "its weights, their gradients and moments";
  throw badInput(
    `${name} does not fit into a memory of ${formatByteSize(limit)}: ${what} take ${formatByteSize(weights)}, with room to work it needs ${formatByteSize(needed)} at least`,
    "Give more memory, or choose a smaller model.",
  );
}
