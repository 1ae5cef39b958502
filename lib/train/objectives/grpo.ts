import { badInput } from "../../core/index.js";
import { groupAdvantages, isEqualGroup, type RewardScale } from "./advantages.js";
import {
  type LossType,
  POLICY_SPEC,
  type PolicyData,
  type PolicyObjective,
  type PolicyOptions,
  tokenMetrics,
} from "./policy-objective.js";
import { clippedPolicyLoss, klEstimate } from "./policy-terms.js";
import { maskedMean, spreadToTokens, sumsByText, tokenScores } from "./token-scores.js";

export interface GrpoOptions extends PolicyOptions {
  /** Weight of the divergence from the model before training. Default: 0, which costs no pass over it. */
  beta?: number | undefined;
  /** Record the divergence also where it costs nothing (`beta` 0). Default: false. */
  measureKl?: boolean | undefined;
  /**
   * Multiply the estimate of the divergence by the ratio, which makes its gradient that of the divergence also where the
   * policy has moved away (DeepSeek-V3.2, arXiv 2512.02556); TRL's `use_bias_correction_kl`. Default: false, as in the paper.
   */
  correctKl?: boolean | undefined;
  /** How token losses are averaged. Default: `grpo`. */
  lossType?: LossType | undefined;
  /** Compare probabilities token by token, or by the mean of a whole text (GSPO, arXiv 2507.18071). Default: `token`. */
  level?: "token" | "sequence" | undefined;
  /** What a group's rewards are divided by. Default: the deviation of the `group`. */
  scaleRewards?: RewardScale | undefined;
}

/**
 * Group-relative policy optimisation (Shao et al. 2024, arXiv 2402.03300): each attempt is compared with the others at its
 * problem. The loss of a token is −min(ρ·A, clip(ρ)·A) + β·KL, with the advantage A of its attempt, the ratio ρ of its
 * probability to that when it was sampled, and the k3 estimate of the divergence from the model before training.
 *
 * Every new token of every call of an attempt carries the attempt's advantage. Groups with equal rewards are left out;
 * if all groups have, they stay with advantage 0, so that the divergence still counts.
 *
 * @throws bad-input for options out of range
 */
export function grpo(options: GrpoOptions = {}): PolicyObjective<typeof POLICY_SPEC> {
  const {
    epsilon = 0.2,
    epsilonHigh = epsilon,
    temperature = 1,
    entropyCoefficient = 0,
    maskTruncated = false,
  } = options;
  const { beta = 0, lossType = "grpo", level = "token", scaleRewards = "group", correctKl = false } = options;
  const needsReference = beta > 0 || (options.measureKl ?? false);
  checkRange("epsilon", epsilon, { most: 1 });
  for (const [name, value] of Object.entries({ epsilonHigh, beta, entropyCoefficient })) checkRange(name, value);
  checkRange("temperature", temperature, { above: 0 });
  if (level === "sequence" && lossType !== "grpo") {
    throw badInput(
      `the loss type ${lossType} adds up tokens, and a ratio of whole texts is the same for all of a text's`,
      'Take lossType "grpo" with level "sequence".',
    );
  }
  return {
    name: "grpo",
    settings: {
      ...{ epsilon, epsilonHigh, temperature, entropyCoefficient, maskTruncated },
      ...{ beta, needsReference, correctKl, lossType, level, scaleRewards },
    },
    spec: POLICY_SPEC,
    temperature,
    lossType,
    needsReference,
    maskTruncated,
    evaluate: (models, batch) => ({ old: tokenScores(models, batch, { temperature }).logProbs }),
    assign: (data) => assignGroups(data, scaleRewards),
    loss(models, batch) {
      const { logProbs, entropies, mask } = tokenScores(models, batch, { temperature });
      const change = logProbs.sub(batch.old);
      const logRatios =
        level === "token"
          ? change
          : spreadToTokens(sumsByText(change, batch.texts, batch.lengths.shape[0]!).div(batch.lengths), batch.texts);
      const { losses, clipped } = clippedPolicyLoss(logRatios, batch.advantages, {
        low: epsilon,
        high: epsilonHigh,
      });
      const kl = klEstimate(logProbs, batch.reference);
      const counted = correctKl ? kl.mul(logRatios.exp()) : kl;
      const total = beta > 0 ? losses.add(counted.mul(beta)) : losses;
      const loss = total.mul(batch.weights).sum();
      return {
        loss: entropyCoefficient > 0 ? loss.sub(maskedMean(entropies, mask).mul(entropyCoefficient)) : loss,
        metrics: tokenMetrics({ entropy: entropies, clipFraction: clipped, ...(needsReference ? { kl } : {}) }, mask),
      };
    },
  };
}

function assignGroups({ rewards, texts }: PolicyData, scale: RewardScale) {
  const advantages = groupAdvantages(rewards, { scale });
  const teaches = rewards.map((group) => !isEqualGroup(group));
  const none = teaches.every((each) => !each);
  return texts.map(({ group, attempt, completionIds }) =>
    teaches[group] || none
      ? { advantages: new Float32Array(completionIds.length).fill(advantages[group]![attempt]!) }
      : undefined,
  );
}

/** @throws bad-input for a number outside of [0, most], or not above a bound */
export function checkRange(name: string, value: number, { above, most }: { above?: number; most?: number } = {}): void {
  const isIn = Number.isFinite(value) && (above === undefined ? value >= 0 : value > above);
  if (isIn && (most === undefined || value <= most)) return;
  const wanted = `${above === undefined ? "0 or more" : `above ${above}`}${most === undefined ? "" : `, at most ${most}`}`;
  throw badInput(`${name} is ${value}, expected a number ${wanted}`, "Correct it, or leave it out for the default.");
}
