import { sha256 } from "../core/index.js";
import { trainingPath } from "../llm/index.js";
import { configToHuggingFace } from "../model/index.js";
import type { TensorData } from "../tensor/index.js";
import type { EvaluationOptions } from "./evaluations.js";
import { hashExamples } from "./examples/examples.js";
import type { Objective } from "./objectives/objective.js";
import type { Settings } from "./options.js";
import type { StartingModel, TrainableModel } from "./trainable.js";

export interface RunParts {
  model: StartingModel;
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
    ...trainingPath(model.blocks !== undefined),
    model: { ...configToHuggingFace(model.config), weights: hashParameters({ ...model.parameters, ...model.blocks }) },
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
export function hashParameters(parameters: Readonly<Record<string, TensorData>>): string {
  const hashes = Object.entries(parameters).map(([name, { data }]) => [
    name,
    sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
  return sha256(JSON.stringify(hashes));
}
