import type { ModelConfig } from "../config/config.js";
import type { QuantisedMatrix } from "../weights/quantised-matrix.js";

/** A model whose linear layers, or some of them, are stored in blocks. */
export interface QuantisedSource {
  config: ModelConfig;
  /** Whether a weight is stored in blocks, by its name in `parameterShapes`. */
  hasBlocks(name: string): boolean;
  /** The blocks of a weight that has them. */
  readBlocks(name: string): Promise<QuantisedMatrix>;
  /** Any weight in float32, in the layout of `parameterShapes`. */
  readFloats(name: string): Promise<Float32Array>;
}
