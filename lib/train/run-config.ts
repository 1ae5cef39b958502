import { sha256 } from "../core/index.js";
import { type Adapter, configToHuggingFace, type ModelConfig, type ModelParameters } from "../model/index.js";
import { type Example, type ExampleStream, hashExamples } from "./examples/examples.js";
import type { Settings } from "./options.js";
import type { EvaluationOptions } from "./pretrain/evaluations.js";

export interface RunParts {
  model: { config: ModelConfig; parameters: ModelParameters };
  examples: readonly Example[] | ExampleStream;
  settings: Settings;
  adapter: Adapter | undefined;
  evaluation: EvaluationOptions;
}

/** All that the records of a run depend on, as JSON: large things by their fingerprint. */
export function describeRun({ model, examples, settings, adapter, evaluation }: RunParts): Record<string, unknown> {
  const { seed: _, epochs, maxSteps, ...others } = settings;
  const { heldOut, evaluate, evaluateEvery = 100, best } = evaluation;
  return {
    model: { ...configToHuggingFace(model.config), weights: hashParameters(model.parameters) },
    examples:
      "length" in examples
        ? { count: examples.length, hash: hashExamples(examples) }
        : { stream: examples.fingerprint, updatesPerChunk: examples.updatesPerChunk },
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
function hashParameters(parameters: ModelParameters): string {
  const hashes = Object.entries(parameters).map(([name, { data }]) => [
    name,
    sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
  return sha256(JSON.stringify(hashes));
}
