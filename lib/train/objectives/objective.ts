import type * as tf from "@tensorflow/tfjs";
import type { Model, ModelConfig, ModelParameters } from "../../model/index.js";
import type { LossOutputs, Traced } from "../../tensor/index.js";

/** Models and parameters that a loss is computed with, as tensors. */
export interface ObjectiveModels {
  /** The model in training, with its adapter if it has one. */
  policy: Model;
  /** The model as it was before training; for objectives that request it. */
  reference?: Model;
  /** Further parameters of the objective, by name. */
  extra: Readonly<Record<string, tf.Tensor>>;
}

/**
 * A training objective: the loss to minimise. `Spec` is the signature of a batch: a record of tensor specs.
 *
 * @example
 * ```ts
 * import { BATCH_SPEC, languageModelLoss, type Objective } from "thoughtbook/train";
 *
 * const objective: Objective<typeof BATCH_SPEC> = {
 *   name: "sft",
 *   spec: BATCH_SPEC,
 *   loss: ({ policy }, batch) => languageModelLoss(policy, batch, { packed: true }),
 * };
 * console.log(objective.name); // sft
 * ```
 */
export interface Objective<Spec> {
  name: string;
  /** Settings it depends on besides its name, as JSON, for the settings of a run. */
  settings?: Readonly<Record<string, unknown>> | undefined;
  /** Shapes and dtypes of a batch; each combination of sizes compiles once. */
  spec: Spec;
  /**
   * Whether the loss needs the model as it was before training, which costs its memory unless an adapter is trained.
   */
  reference?: boolean | undefined;
  /** Initial values of further trained parameters, such as a soft prompt or a value head. */
  extra?: ((config: ModelConfig, seed: number | string) => ModelParameters) | undefined;
  /** Mean loss of a batch, what the mean is over, and metrics to report; traced once per shape. */
  loss(models: ObjectiveModels, batch: Traced<Spec>): LossOutputs;
}
