import type * as tf from "@tensorflow/tfjs";
import { badInput } from "../../core/index.js";
import { spec, type TensorData, type TensorSpec } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import type { ModelParameters } from "../weights/checkpoint.js";
import type { Model } from "./linear.js";
import type { Adapter } from "./lora-adapter.js";

/** A model with its weights in memory, as `readParameters` gives them; they are inputs of what is compiled, never copied. */
export interface HostModel {
  config: ModelConfig;
  /** Under the names of `parameterShapes`. */
  weights: Readonly<ModelParameters>;
  /** Low-rank additions to the linear layers, as `initializeAdapter` and `loadAdapter` give them. */
  adapter?: Pick<Adapter, "scale" | "parameters"> | undefined;
}

/** The tensors of a model as inputs of a compiled function. */
export type ModelInputs<Leaf> = { weights: Record<string, Leaf>; adapter: Record<string, Leaf> };

export function modelInputs({ weights, adapter }: HostModel): ModelInputs<TensorData> {
  return { weights, adapter: adapter?.parameters ?? {} };
}

export function modelSpecs(model: HostModel): ModelInputs<TensorSpec> {
  const specs = (tensors: Readonly<Record<string, TensorData>>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, spec(shape)]));
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
    throw badInput(
      `${what} has the id ${id} at place ${i}, expected a whole number from 0 to ${vocabularySize - 1}`,
      "Use the tokenizer that belongs to this model.",
    );
  }
}
