import type * as tf from "@tensorflow/tfjs";
import { spec, type Traced } from "../../tensor/index.js";
import type { Objective, ObjectiveModels } from "./objective.js";
import { BATCH_SPEC, type BatchTensors } from "./sft.js";
import { maskedMean } from "./token-scores.js";

/** Batches of what a policy wrote: a packed batch, and numbers for each counted token. */
export const POLICY_SPEC = {
  ...BATCH_SPEC,
  /** Number of the text that each counted token belongs to, `[counted]`. */
  texts: spec([null], "int32"),
  /** Counted tokens of each text, `[texts]`; 1 in the padding of this list. */
  lengths: spec([null]),
  /** Weight of each token's loss, `[counted]`; 0 in the padding. */
  weights: spec([null]),
  /** `[counted]` */
  advantages: spec([null]),
  /** Log-probabilities when the tokens were sampled, `[counted]`. */
  old: spec([null]),
  /** Log-probabilities under the reference, `[counted]`; zeros if the objective needs none. */
  reference: spec([null]),
};

export type PolicyTensors = Traced<typeof POLICY_SPEC>;

/** One call of a rewarded attempt, with what is known of each of its new tokens. */
export interface PolicyText {
  /** Which group, and which attempt of it. */
  group: number;
  attempt: number;
  promptIds: readonly number[];
  completionIds: readonly number[];
  /** Whether the text was cut off. */
  truncated: boolean;
  /** Log-probabilities when they were sampled. */
  old: Float32Array;
  /** Log-probabilities under the reference, if the objective needs it. */
  reference?: Float32Array | undefined;
  /** Values before each token, if the objective has a value head. */
  values?: Float32Array | undefined;
}

/** What a policy is trained on between two collections. */
export interface PolicyData {
  /** Rewards of each group's attempts. */
  rewards: readonly (readonly number[])[];
  /** In the order of groups, attempts and calls. */
  texts: readonly PolicyText[];
}

/** Numbers of a text's new tokens by the name of their tensor. */
export type TokenNumbers = Readonly<Record<string, Float32Array>>;

/**
 * How the losses of tokens become one number; the names are TRL's. `grpo`: mean over the tokens of a text, then over texts.
 * `bnpo`: mean over the tokens of a batch. `dapo`: sum over the tokens of an update, divided by their mean number over the
 * updates of a pass. `dr_grpo`: sum divided by texts times the most tokens a text may have.
 */
export type LossType = "grpo" | "bnpo" | "dapo" | "dr_grpo";

/** An objective that learns from rewarded attempts of the policy itself. */
export interface PolicyObjective<Spec> extends Objective<Spec> {
  /** The temperature of sampling, at which probabilities are compared. */
  temperature: number;
  lossType: LossType;
  /** Whether log-probabilities of the model before training are needed. */
  needsReference: boolean;
  /** Leave out attempts whose text was cut off. */
  maskTruncated: boolean;
  /** What is computed of each counted token once, when it was sampled: also values, if there is a value head. */
  evaluate(models: Pick<ObjectiveModels, "policy" | "extra">, batch: BatchTensors): Record<string, tf.Tensor>;
  /** Advantages and other numbers of each text, in their order; undefined for a text that teaches nothing. */
  assign(data: PolicyData): (TokenNumbers | undefined)[];
}

/** Options that the objectives over rewarded attempts share. */
export interface PolicyOptions {
  /** How far a probability ratio may move, downwards and (default) upwards; 1 clips nothing downwards. Default: 0.2. */
  epsilon?: number | undefined;
  /** How far it may move upwards (DAPO's clip-higher). Default: `epsilon`. */
  epsilonHigh?: number | undefined;
  /** Temperature of sampling. Default: 1. */
  temperature?: number | undefined;
  /** Weight of the entropy, which is kept high. Default: 0. */
  entropyCoefficient?: number | undefined;
  /** Leave out attempts whose text was cut off. Default: false. */
  maskTruncated?: boolean | undefined;
}

/** Means over the tokens of a batch, as training records tell them. */
export const tokenMetrics = (values: Readonly<Record<string, tf.Tensor>>, mask: tf.Tensor): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, maskedMean(value, mask)]));
