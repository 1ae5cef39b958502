import type { SessionOptions } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import type { HostModel } from "./host-model.js";
import { programKey } from "./model-inputs.js";

/** Compiled functions of models, kept as long as their configurations. */
export interface ProgramCache<Programs> {
  /** Programs of a model, created on first use. */
  of(model: HostModel, session?: SessionOptions): Programs;
  /** Dispose of all programs of a configuration. */
  dispose(config: ModelConfig): Promise<void>;
}

/** Cache programs by configuration, as weights are inputs: a model in training keeps them from step to step. */
export function createProgramCache<Programs extends { dispose(): Promise<void> }>(
  create: (model: HostModel, session: SessionOptions) => Programs,
): ProgramCache<Programs> {
  const known = new WeakMap<ModelConfig, Map<string, Programs>>();
  return {
    of(model, session = {}) {
      const ofConfig = known.get(model.config) ?? new Map<string, Programs>();
      known.set(model.config, ofConfig);
      const key = `${programKey(model)} ${JSON.stringify(session)}`;
      const programs = ofConfig.get(key) ?? create(model, session);
      ofConfig.set(key, programs);
      return programs;
    },
    async dispose(config) {
      const programs = [...(known.get(config)?.values() ?? [])];
      known.delete(config);
      await Promise.all(programs.map((each) => each.dispose()));
    },
  };
}
