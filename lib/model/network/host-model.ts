import type * as tf from "@tensorflow/tfjs";
import { ThoughtbookError } from "../../core/index.js";
import { spec, type TensorData, type TensorSpec } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import type { ModelParameters } from "../weights/checkpoint.js";
import type { Model } from "./linear.js";
import type { Adapter } from "./lora-adapter.js";

/**
 * A model with its weights in memory, as returned by `readParameters`; they are inputs of compiled functions, never
 * copied.
 */
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

/** The part of a model that is compiled into a program: its configuration and the adapter's factor, no weights. */
export interface ModelShell {
  config: ModelConfig;
  adapterScale: number | undefined;
}

export function shellOf({ config, adapter }: HostModel): ModelShell {
  return { config, adapterScale: adapter?.scale };
}

/** The model as a compiled function sees it. */
export function tracedModel({ config, adapterScale }: ModelShell, { weights, adapter }: ModelInputs<tf.Tensor>): Model {
  return adapterScale === undefined
    ? { config, weights }
    : { config, weights, adapters: { scale: adapterScale, weights: adapter } };
}

/** Key of everything in a model, besides its configuration, that shapes its programs. */
export function programKey({ adapter }: HostModel): string {
  if (!adapter) return "";
  const shapes = Object.entries(adapter.parameters).map(([name, { shape }]) => `${name}[${shape.join()}]`);
  return [adapter.scale, ...shapes].join(" ");
}

/** @throws bad-input for an id without an embedding */
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
