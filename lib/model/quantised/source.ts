import type { ModelConfig } from "../config/config.js";
import type { QuantisedMatrix } from "../weights/quantised-matrix.js";

/** A model whose linear layers, or some of them, are stored in blocks. */
export interface QuantisedSource {
  config: ModelConfig;
  /** Numbers of a block of a weight, by its name in `parameterShapes`; 0 for one that is not stored in blocks. */
  blockSize(name: string): number;
  /** The blocks of a weight that has them. */
  readBlocks(name: string): Promise<QuantisedMatrix>;
  /** Any weight in float32, in the layout of `parameterShapes`. */
  readFloats(name: string): Promise<Float32Array>;
}
