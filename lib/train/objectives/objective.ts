import type * as tf from "@tensorflow/tfjs";
import type { Model, ModelConfig, ModelParameters } from "../../model/index.js";
import type { LossOutputs, Traced } from "../../tensor/index.js";

/** What a loss is computed with, as tensors. */
export interface ObjectiveModels {
  /** The model in training, with its adapter if it has one. */
  policy: Model;
  /** The model as it was before training; there for objectives that ask for it. */
  reference?: Model;
  /** Further parameters of the objective, by their names. */
  extra: Readonly<Record<string, tf.Tensor>>;
}

/**
 * What is minimised. `Spec` is the signature of a batch: a record of tensor specs.
 *
 * @example
 * const objective: Objective<typeof spec> = {
 *   name: "sft",
 *   spec,
 *   loss: ({ policy }, batch) => languageModelLoss(policy, batch, { packed: true }),
 * };
 */
export interface Objective<Spec> {
  name: string;
  /** What it depends on besides its name, as JSON, for the settings of a run. */
  settings?: Readonly<Record<string, unknown>> | undefined;
  /** Shapes and dtypes of a batch; each combination of sizes compiles once. */
  spec: Spec;
  /** Whether the loss needs the model as it was before training, which costs its memory unless an adapter is trained. */
  reference?: boolean | undefined;
  /** Further parameters that are trained, such as a soft prompt or a value head, as they begin. */
  extra?: ((config: ModelConfig, seed: number | string) => ModelParameters) | undefined;
  /** The mean loss of a batch, what the mean is over, and metrics to report; traced once for each shape. */
  loss(models: ObjectiveModels, batch: Traced<Spec>): LossOutputs;
}
