import { BLOCK_FORMATS } from "../gguf/blocks.js";
import { type Checkpoint, readParameter } from "../weights/checkpoint.js";
import { readQuantised } from "../weights/quantised.js";
import type { QuantisedSource } from "./source.js";

/** The weights of a checkpoint, read when they are asked for. */
export function checkpointSource(checkpoint: Checkpoint): QuantisedSource {
  return {
    config: checkpoint.config,
    hasBlocks(name) {
      const place = checkpoint.weights.get(name);
      if (place === undefined || !("shape" in place) || place.shape.length !== 2) return false;
      return BLOCK_FORMATS[place.file.tensors.get(place.name)!.type.name] !== undefined;
    },
    readBlocks: async (name) => (await readQuantised(checkpoint, name))!,
    readFloats: async (name) => (await readParameter(checkpoint, name)).data,
  };
}

/** Whether any of a checkpoint's weights is stored in blocks. */
export const isQuantised = (checkpoint: Checkpoint): boolean => {
  const { hasBlocks } = checkpointSource(checkpoint);
  return [...checkpoint.weights.keys()].some(hasBlocks);
};
