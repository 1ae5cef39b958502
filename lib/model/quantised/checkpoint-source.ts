import { BLOCK_FORMATS } from "../gguf/blocks.js";
import { type Checkpoint, readParameter } from "../weights/checkpoint.js";
import { readQuantised } from "../weights/quantised.js";
import type { QuantisedSource } from "./source.js";

/** The weights of a checkpoint, read when they are asked for. */
export function checkpointSource(checkpoint: Checkpoint): QuantisedSource {
  return {
    config: checkpoint.config,
    blockSize(name) {
      const place = checkpoint.weights.get(name);
      if (place === undefined || !("shape" in place) || place.shape.length !== 2) return 0;
      return BLOCK_FORMATS[place.file.tensors.get(place.name)!.type.name]?.blockSize ?? 0;
    },
    readBlocks: async (name) => (await readQuantised(checkpoint, name))!,
    readFloats: async (name) => (await readParameter(checkpoint, name)).data,
  };
}

/** Whether any of a checkpoint's weights is stored in blocks. */
export const isQuantised = (checkpoint: Checkpoint): boolean => {
  const { blockSize } = checkpointSource(checkpoint);
  return [...checkpoint.weights.keys()].some((name) => blockSize(name) > 0);
};
