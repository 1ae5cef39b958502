import type * as tf from "@tensorflow/tfjs";
import { ThoughtbookError } from "../../core/index.js";
import { spec, type TensorData, type TensorSpec } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import type { HostModel } from "./host-model.js";
import type { Model } from "./linear.js";

/** The tensors of a model as inputs of a compiled function. */
export type ModelInputs<Leaf> = { weights: Record<string, Leaf>; adapter: Record<string, Leaf> };

export function modelInputs({ weights, blocks, adapter }: HostModel): ModelInputs<TensorData> {
  return { weights: blocks ? { ...weights, ...blocks } : weights, adapter: adapter?.parameters ?? {} };
}

export function modelSpecs(model: HostModel): ModelInputs<TensorSpec> {
  const specs = (tensors: Readonly<Record<string, TensorData>>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { shape, dtype }]) => [name, spec(shape, dtype)]));
  const { weights, adapter } = modelInputs(model);
  return { weights: specs(weights), adapter: specs(adapter) };
}

/** What of a model goes into a program: its configuration and the adapter's factor, no weights. */
export interface ModelShell {
  config: ModelConfig;
  adapterScale: number | undefined;
}

export function shellOf({ config, adapter }: HostModel): ModelShell {
  return { config, adapterScale: adapter?.scale };
}

/** The model that a compiled function sees. */
export function tracedModel({ config, adapterScale }: ModelShell, { weights, adapter }: ModelInputs<tf.Tensor>): Model {
  return adapterScale === undefined
    ? { config, weights }
    : { config, weights, adapters: { scale: adapterScale, weights: adapter } };
}

/** What of a model, besides its configuration, decides how its programs look. */
export function programKey({ adapter }: HostModel): string {
  if (!adapter) return "";
  const shapes = Object.entries(adapter.parameters).map(([name, { shape }]) => `${name}[${shape.join()}]`);
  return [adapter.scale, ...shapes].join(" ");
}

/** @throws bad-input for an id that the model has no embedding of */
export function checkIds(
  ids: ArrayLike<number>,
  { vocabularySize }: Pick<ModelConfig, "vocabularySize">,
  what: string,
): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (Number.isInteger(id) && id >= 0 && id < vocabularySize) continue;
    throw new ThoughtbookError(
      "bad-input",
      `${what} has the id ${id} at place ${i}, expected a whole number from 0 to ${vocabularySize - 1}`,
      { hint: "Use the tokenizer that belongs to this model." },
    );
  }
}
