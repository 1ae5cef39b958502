import tf = require("@tensorflow/tfjs");

import { createRandom, mean, sum } from "../../core/index.js";
import type { ModelConfig, ModelParameters } from "../../model/index.js";
import { spec } from "../../tensor/index.js";
import { type AdvantageOptions, generalizedAdvantages } from "./advantages.js";
import { checkRange } from "./grpo.js";
import {
  POLICY_SPEC,
  type PolicyData,
  type PolicyObjective,
  type PolicyOptions,
  type PolicyText,
  type TokenNumbers,
  tokenMetrics,
} from "./policy-objective.js";
import { clippedPolicyLoss, clippedValueLoss, klEstimate } from "./policy-terms.js";
import { maskedMean, tokenScores } from "./token-scores.js";

export interface PpoOptions extends PolicyOptions, AdvantageOptions {
  /** How far a value may move from the old one. Default: 0.2. */
  valueRange?: number | undefined;
  /** Weight of the value loss. Default: 0.1. */
  valueCoefficient?: number | undefined;
  /** What each token's divergence from the model before training costs its reward. Default: 0.05. */
  klCoefficient?: number | undefined;
  /** Shift and scale the advantages of a collection to mean 0 and deviation 1. Default: true. */
  normalize?: boolean | undefined;
}

export const PPO_SPEC = {
  ...POLICY_SPEC,
  /** Targets of the value head, `[counted]`. */
  returns: spec([null]),
  /** Values when the tokens were sampled, `[counted]`. */
  values: spec([null]),
};

/** Parameters of the value head among the further parameters of the objective. */
const VALUE_WEIGHT = "value.weight";
const VALUE_BIAS = "value.bias";

/**
 * Proximal policy optimisation (Schulman et al. 2017) with a value head: clipped policy loss, advantages by generalised
 * advantage estimation from the head's values, clipped value loss, entropy. The reward of an attempt is earned at its
 * last token; each token's divergence from the model before training is taken off its reward. The calls of an attempt are
 * one trajectory.
 *
 * The head is linear, on the last hidden states of the policy, and trained with it (`extra`).
 *
 * @throws bad-input for options out of range
 */
export function ppo(options: PpoOptions = {}): PolicyObjective<typeof PPO_SPEC> {
  const {
    epsilon = 0.2,
    epsilonHigh = epsilon,
    temperature = 1,
    entropyCoefficient = 0,
    maskTruncated = false,
  } = options;
  const { valueRange = 0.2, valueCoefficient = 0.1, klCoefficient = 0.05, normalize = true } = options;
  const { gamma = 1, lambda = 0.95 } = options;
  checkRange("epsilon", epsilon, { most: 1 });
  const others = { epsilonHigh, entropyCoefficient, valueRange, valueCoefficient, klCoefficient, gamma, lambda };
  for (const [name, value] of Object.entries(others)) checkRange(name, value);
  checkRange("temperature", temperature, { above: 0 });
  return {
    name: "ppo",
    settings: { epsilon, temperature, maskTruncated, normalize, ...others },
    spec: PPO_SPEC,
    temperature,
    lossType: "bnpo",
    needsReference: klCoefficient > 0,
    maskTruncated,
    extra: valueHead,
    evaluate(models, batch) {
      const { logProbs, hidden } = tokenScores(models, batch, { temperature });
      return { old: logProbs, values: valuesOf(models.extra, hidden) };
    },
    assign: (data) => assignTrajectories(data, { gamma, lambda, klCoefficient, normalize }),
    loss(models, batch) {
      const { logProbs, entropies, hidden, mask } = tokenScores(models, batch, { temperature });
      const policy = clippedPolicyLoss(logProbs.sub(batch.old), batch.advantages, { low: epsilon, high: epsilonHigh });
      const values = valuesOf(models.extra, hidden);
      const value = clippedValueLoss(values, batch.values, batch.returns, valueRange);
      const total = policy.losses.add(value.losses.mul(valueCoefficient));
      const loss = total.mul(batch.weights).sum();
      const metrics = {
        entropy: entropies,
        clipFraction: policy.clipped,
        valueLoss: value.losses,
        valueClipFraction: value.clipped,
        ...(klCoefficient > 0 ? { kl: klEstimate(logProbs, batch.reference) } : {}),
      };
      return {
        loss: entropyCoefficient > 0 ? loss.sub(maskedMean(entropies, mask).mul(entropyCoefficient)) : loss,
        metrics: tokenMetrics(metrics, mask),
      };
    },
  };
}

/** A head that is nearly 0 at first, so that the first advantages are the rewards. */
export function valueHead({ hiddenSize }: ModelConfig, seed: number | string): ModelParameters {
  const random = createRandom(seed).stream("value head");
  const data = Float32Array.from({ length: hiddenSize }, () => random.normal() / (10 * hiddenSize));
  return {
    [VALUE_WEIGHT]: { shape: [hiddenSize, 1], dtype: "float32", data },
    [VALUE_BIAS]: { shape: [1], dtype: "float32", data: new Float32Array(1) },
  };
}

/** `[counted, hidden]` to `[counted]`. */
export const valuesOf = (extra: Readonly<Record<string, tf.Tensor>>, hidden: tf.Tensor): tf.Tensor =>
  tf
    .matMul(hidden as tf.Tensor2D, extra[VALUE_WEIGHT] as tf.Tensor2D)
    .add(extra[VALUE_BIAS]!)
    .reshape([-1]);

function assignTrajectories(
  { rewards, texts }: PolicyData,
  options: { gamma: number; lambda: number; klCoefficient: number; normalize: boolean },
): TokenNumbers[] {
  const byAttempt = new Map<string, PolicyText[]>();
  for (const text of texts) {
    const key = `${text.group}/${text.attempt}`;
    byAttempt.set(key, [...(byAttempt.get(key) ?? []), text]);
  }
  const numbers = new Map<PolicyText, { advantages: Float32Array; returns: Float32Array; values: Float32Array }>();
  for (const calls of byAttempt.values()) {
    const earned = calls.flatMap(({ old, reference }) =>
      Array.from(old, (logProb, at) => -options.klCoefficient * (reference ? logProb - reference[at]! : 0)),
    );
    const { group, attempt } = calls[0]!;
    earned[earned.length - 1]! += rewards[group]![attempt]!;
    const values = calls.flatMap(({ values }) => [...values!]);
    const { advantages, returns } = generalizedAdvantages(earned, values, options);
    let first = 0;
    for (const text of calls) {
      const end = first + text.old.length;
      numbers.set(text, {
        advantages: advantages.slice(first, end),
        returns: returns.slice(first, end),
        values: text.values!,
      });
      first = end;
    }
  }
  const all = texts.map((text) => numbers.get(text)!);
  if (options.normalize) normalizeTogether(all.map(({ advantages }) => advantages));
  return all;
}

/** Shift and scale numbers, in place, to mean 0 and deviation 1. */
function normalizeTogether(lists: readonly Float32Array[]): void {
  const all = lists.flatMap((list) => [...list]);
  if (all.length < 2) return;
  const middle = mean(all);
  const deviation = Math.sqrt(sum(all.map((value) => (value - middle) ** 2)) / (all.length - 1));
  for (const list of lists)
    list.forEach((value, at) => {
      list[at] = (value - middle) / (deviation + 1e-8);
    });
}
