import type * as tf from "@tensorflow/tfjs";
import { badInput } from "../core/index.js";
import {
  type Adapter,
  type AdapterOptions,
  type BlockParameters,
  initializeAdapter,
  type ModelConfig,
  type ModelParameters,
} from "../model/index.js";
import { spec, type TensorData, type TensorSpec } from "../tensor/index.js";
import type { Objective, ObjectiveModels } from "./objectives/objective.js";
import type { Snapshot } from "./sources/source.js";

/**
 * What to train: all weights; an adapter beside frozen weights; or only the further parameters of the objective, such
 * as a soft prompt, beside a frozen model. The first two train the further parameters as well.
 */
export type Trainable = "all" | { lora: Omit<AdapterOptions, "seed"> } | "extra";

/** What training starts from. */
export interface StartingModel {
  config: ModelConfig;
  parameters: ModelParameters;
  /** The other weights, in blocks: they stay as they are. */
  blocks?: Readonly<BlockParameters> | undefined;
}

/** What is trained and what stays: values, shapes, and how they become the models of a loss. */
export interface TrainableModel {
  config: ModelConfig;
  adapter: Adapter | undefined;
  params: ModelParameters;
  frozen: Readonly<Record<string, TensorData>>;
  paramSpecs: Record<string, TensorSpec>;
  frozenSpecs: Record<string, TensorSpec>;
  /** The models of both, as tensors. */
  assemble(params: Readonly<Record<string, tf.Tensor>>, frozen: Readonly<Record<string, tf.Tensor>>): ObjectiveModels;
  /** The model with trained parameters, as numbers. */
  snapshot(step: number, params: ModelParameters): Snapshot;
}

/** Parameters of the objective and of the reference, among those of the model. */
const EXTRA = "extra/";
const REFERENCE = "reference/";

/**
 * Put together what a run trains.
 *
 * @throws like `initializeAdapter`; bad-input where weights in blocks are to be trained
 */
export function trainableModel(
  { config, parameters, blocks }: StartingModel,
  trainable: Trainable,
  { extra: createExtra, reference = false }: Pick<Objective<unknown>, "extra" | "reference"> = {},
  seed: number | string = 0,
): TrainableModel {
  const adapter = typeof trainable === "object" ? initializeAdapter(config, { ...trainable.lora, seed }) : undefined;
  const isFrozen = trainable !== "all";
  if (blocks && !isFrozen) {
    throw badInput("weights in blocks cannot be trained", "Train an adapter (--lora), or leave out --low-memory.");
  }
  const extra = named(EXTRA, createExtra?.(config, seed) ?? {});
  const params = { ...(adapter ? adapter.parameters : isFrozen ? {} : parameters), ...extra };
  const frozen = isFrozen ? { ...parameters, ...blocks } : reference ? named(REFERENCE, parameters) : {};
  return {
    config,
    adapter,
    params,
    frozen,
    paramSpecs: specsOf(params),
    frozenSpecs: specsOf(frozen),
    assemble(params, frozen) {
      const [own, extra] = divided(params);
      const weights = isFrozen ? frozen : own;
      return {
        policy: { config, weights, ...(adapter ? { adapters: { scale: adapter.scale, weights: own } } : {}) },
        // What an adapter or a soft prompt stands beside is the model as it was.
        ...(reference ? { reference: { config, weights: isFrozen ? frozen : unnamed(REFERENCE, frozen) } } : {}),
        extra,
      };
    },
    snapshot(step, params) {
      const [own, extra] = divided(params);
      return {
        step,
        config,
        parameters: isFrozen ? parameters : own,
        ...(blocks ? { blocks } : {}),
        ...(adapter ? { adapter: { ...adapter, parameters: own } } : {}),
        ...(createExtra ? { extra } : {}),
      };
    },
  };
}

const named = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));

const unnamed = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name.slice(prefix.length), value]));

/** The parameters of the model or adapter, and those of the objective. */
function divided<T>(params: Readonly<Record<string, T>>): [own: Record<string, T>, extra: Record<string, T>] {
  const isExtra = ([name]: readonly [string, T]) => name.startsWith(EXTRA);
  const entries = Object.entries(params);
  return [
    Object.fromEntries(entries.filter((entry) => !isExtra(entry))),
    unnamed(EXTRA, Object.fromEntries(entries.filter(isExtra))),
  ];
}

const specsOf = (parameters: Readonly<Record<string, TensorData>>): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape, dtype }]) => [name, spec(shape, dtype)]));
