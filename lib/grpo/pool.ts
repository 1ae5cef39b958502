import { badInput, mean } from "../core/index.js";
import { groupAdvantages } from "../train/index.js";

/** What is known of an arm of a pool. */
export interface ArmScore {
  name: string;
  /** Mean advantage of its attempts over those of all arms at the same problems. */
  advantage: number;
  /** Mean reward. */
  reward: number;
  attempts: number;
}

/**
 * Score the arms of a pool: the attempts of all arms at a problem are one group, and an arm is worth the mean advantage
 * of its own. So arms are compared on the same problems, and a problem where all rewards are equal says nothing.
 *
 * @param rewards of each arm, of each problem (the same for all arms), of each attempt
 * @throws bad-input for arms with different numbers of problems, and as `groupAdvantages`
 */
export function scoreArms(rewards: Readonly<Record<string, readonly (readonly number[])[]>>): ArmScore[] {
  const names = Object.keys(rewards);
  const problems = rewards[names[0]!]?.length ?? 0;
  const uneven = names.find((name) => rewards[name]!.length !== problems || problems === 0);
  if (uneven !== undefined || names.length === 0) {
    throw badInput(
      names.length === 0
        ? "the pool has no arms"
        : `${uneven} has ${rewards[uneven!]!.length} problems, others ${problems}`,
      "All arms must attempt the same problems.",
    );
  }
  const groups = Array.from({ length: problems }, (_, problem) => names.flatMap((name) => rewards[name]![problem]!));
  const advantages = groupAdvantages(groups);
  const own = new Map<string, number[]>(names.map((name) => [name, []]));
  for (const [problem, group] of advantages.entries()) {
    let first = 0;
    for (const name of names) {
      const { length } = rewards[name]![problem]!;
      own.get(name)!.push(...group.slice(first, first + length));
      first += length;
    }
  }
  return names.map((name) => ({
    name,
    advantage: mean(own.get(name)!),
    reward: mean(rewards[name]!.flat()),
    attempts: own.get(name)!.length,
  }));
}

/**
 * Drop the worst arms: the ones to keep, best first; of equal ones the earlier.
 *
 * @param keep share that is kept, above 0 and below 1; at least one arm is kept, and at least one dropped
 */
export function dropWorst(scores: readonly ArmScore[], keep = 0.5): ArmScore[] {
  if (!(keep > 0 && keep < 1)) throw badInput(`keep is ${keep}, expected a share between 0 and 1`, "Such as 0.5.");
  const count = Math.max(1, Math.min(scores.length - 1, Math.ceil(scores.length * keep)));
  return [...scores].sort((a, b) => b.advantage - a.advantage).slice(0, count);
}
