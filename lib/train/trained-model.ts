import type * as tf from "@tensorflow/tfjs";
import type { Adapter, Model, ModelConfig, ModelParameters } from "../model/index.js";
import { spec, type TensorSpec } from "../tensor/index.js";

/** A model of which all weights are trained, or an adapter beside weights that stay. */
export interface TrainedModel {
  config: ModelConfig;
  /** What is trained, and what stays: values and shapes. */
  params: ModelParameters;
  frozen: ModelParameters;
  paramSpecs: Record<string, TensorSpec>;
  frozenSpecs: Record<string, TensorSpec>;
  /** The model of both, as tensors. */
  assemble(params: Record<string, tf.Tensor>, frozen: Record<string, tf.Tensor>): Model;
}

export function trainedModel(config: ModelConfig, parameters: ModelParameters, adapter?: Adapter): TrainedModel {
  const params = adapter?.parameters ?? parameters;
  const frozen = adapter ? parameters : {};
  return {
    config,
    params,
    frozen,
    paramSpecs: specsOf(params),
    frozenSpecs: specsOf(frozen),
    assemble: (params, frozen) =>
      adapter
        ? { config, weights: frozen, adapters: { scale: adapter.scale, weights: params } }
        : { config, weights: params },
  };
}

const specsOf = (parameters: ModelParameters): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, spec(shape)]));
