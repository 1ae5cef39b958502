import { badInput, mean, sum } from "../../core/index.js";

/** By what a group's rewards are divided: the deviation of the group, that of all groups together, or nothing. */
export type RewardScale = "group" | "batch" | "none";

/** Keeps the division by a small deviation finite; TRL's number. */
const EPSILON = 1e-4;

/** Deviations below it come from rounding: all rewards of a group are equal. */
const EQUAL = 1e-8;

/** Whether all rewards of a group are equal, so that it says nothing about which attempt was better. */
export const isEqualGroup = (rewards: readonly number[]): boolean =>
  Math.max(...rewards) - Math.min(...rewards) <= EQUAL;

/**
 * Group-relative advantages (Shao et al. 2024, GRPO): reward minus the mean of its group, divided by a standard
 * deviation (of a sample, n − 1, plus 1e-4, as TRL does) unless `scale` is "none" (Liu et al. 2025, Dr. GRPO).
 *
 * @param groups the rewards of each group
 * @returns advantages in the same places; zeros for a group of equal rewards
 * @throws bad-input for a reward that is not finite, or a group of one
 *
 * @example
 * ```ts
 * import { groupAdvantages } from "thoughtbook/train";
 *
 * const [first] = groupAdvantages([[1, 0, 0, 0]], { scale: "none" });
 * console.log(first); // [ 0.75, -0.25, -0.25, -0.25 ]
 * ```
 */
export function groupAdvantages(
  groups: readonly (readonly number[])[],
  { scale = "group" }: { scale?: RewardScale } = {},
): number[][] {
  for (const [at, group] of groups.entries()) {
    const wrong = group.find((reward) => !Number.isFinite(reward));
    if (wrong !== undefined) throw badInput(`a reward of group ${at} is ${wrong}`, "Give finite numbers.");
    if (group.length < 2) {
      throw badInput(
        `group ${at} has ${group.length} rewards`,
        "A group needs two attempts to compare; 4 to 16 are usual.",
      );
    }
  }
  const overall = scale === "batch" ? deviation(groups.flat()) : 0;
  return groups.map((group) => {
    if (isEqualGroup(group)) return group.map(() => 0);
    const middle = mean(group);
    const divisor = scale === "none" ? 1 : (scale === "batch" ? overall : deviation(group)) + EPSILON;
    return group.map((reward) => (reward - middle) / divisor);
  });
}

/** Standard deviation of a sample; 0 for one value. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1));
}

export interface AdvantageOptions {
  /** Discount of later rewards. Default: 1. */
  gamma?: number | undefined;
  /** Weight of later errors of the values: 0 trusts the values, 1 the rewards. Default: 0.95. */
  lambda?: number | undefined;
}

/**
 * Generalised advantage estimation (Schulman et al. 2015) for one trajectory that ends after its last token.
 *
 * @param rewards what each token earned
 * @param values what the value function expected before each token
 * @returns advantages, and returns (advantage + value), the targets of the value function
 * @throws bad-input for lists of different lengths
 *
 * @example
 * ```ts
 * import { generalizedAdvantages } from "thoughtbook/train";
 *
 * const { advantages } = generalizedAdvantages([0, 0, 1], [0.5, 0.5, 0.5], { lambda: 1 });
 * console.log([...advantages]); // [ 0.5, 0.5, 0.5 ]
 * ```
 */
export function generalizedAdvantages(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  { gamma = 1, lambda = 0.95 }: AdvantageOptions = {},
): { advantages: Float32Array; returns: Float32Array } {
  const { length } = rewards;
  if (values.length !== length) {
    throw badInput(`there are ${length} rewards and ${values.length} values`, "Give one of each for every token.");
  }
  const advantages = new Float32Array(length);
  const returns = new Float32Array(length);
  let later = 0;
  for (let at = length - 1; at >= 0; at--) {
    const next = at + 1 < length ? values[at + 1]! : 0;
    later = rewards[at]! + gamma * next - values[at]! + gamma * lambda * later;
    advantages[at] = later;
    returns[at] = later + values[at]!;
  }
  return { advantages, returns };
}
