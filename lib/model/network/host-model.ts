import type { ModelConfig } from "../config/config.js";
import type { BlockParameters } from "../quantised/block-parameters.js";
import type { QuantisedEngine } from "../quantised/engine.js";
import type { ModelParameters } from "../weights/checkpoint.js";
import type { Adapter } from "./lora-adapter.js";

/**
 * A model with its weights in memory, as returned by `readParameters`; they are inputs of compiled functions, never
 * copied.
 */
export interface HostModel {
  config: ModelConfig;
  /** Under the names of `parameterShapes`. */
  weights: Readonly<ModelParameters>;
  /** The other weights, in blocks: dequantised while they are used. */
  blocks?: Readonly<BlockParameters> | undefined;
  /** Low-rank additions to the linear layers, as `initializeAdapter` and `loadAdapter` give them. */
  adapter?: Pick<Adapter, "scale" | "parameters"> | undefined;
  /** Computes texts with quantised weights instead: `weights` are then not used, and may be none. */
  quantised?: QuantisedEngine | undefined;
}
