import { sha256 } from "../core/index.js";
import { configToHuggingFace, type ModelConfig, type ModelParameters } from "../model/index.js";
import type { EvaluationOptions } from "./evaluations.js";
import { hashExamples } from "./examples/examples.js";
import type { Objective } from "./objectives/objective.js";
import type { Settings } from "./options.js";
import type { TrainableModel } from "./trainable.js";

export interface RunParts {
  model: { config: ModelConfig; parameters: ModelParameters };
  trained: TrainableModel;
  objective: Pick<Objective<unknown>, "name" | "settings">;
  /** Settings of the source. */
  data: Readonly<Record<string, unknown>>;
  settings: Settings;
  evaluation: EvaluationOptions;
}

/** All that the records of a run depend on, as JSON: large things by their fingerprint. */
export function describeRun({
  model,
  trained,
  objective,
  data,
  settings,
  evaluation,
}: RunParts): Record<string, unknown> {
  const { adapter } = trained;
  const { seed: _, epochs, maxSteps, ...others } = settings;
  const { heldOut, evaluate, evaluateEvery = 100, best } = evaluation;
  return {
    model: { ...configToHuggingFace(model.config), weights: hashParameters(model.parameters) },
    objective: { name: objective.name, ...objective.settings },
    data,
    settings: {
      ...others,
      epochs: Number.isFinite(epochs) ? epochs : null,
      maxSteps: Number.isFinite(maxSteps) ? maxSteps : null,
    },
    adapter: adapter ? { rank: adapter.rank, alpha: adapter.alpha, targets: adapter.targets } : null,
    evaluation:
      heldOut || evaluate
        ? { every: evaluateEvery, heldOut: heldOut ? hashExamples(heldOut) : null, best: best ?? null }
        : null,
  };
}

/** A fingerprint of names and numbers of weights. */
export function hashParameters(parameters: ModelParameters): string {
  const hashes = Object.entries(parameters).map(([name, { data }]) => [
    name,
    sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
  return sha256(JSON.stringify(hashes));
}
