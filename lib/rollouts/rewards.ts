import { extractAnswer } from "../answer/index.js";
import { badInput } from "../core/index.js";
import type { LanguageModel } from "../llm/index.js";
import type { Sandbox } from "../sandbox/index.js";
import { gradeAttempt, type Problem, type ProblemKind, sameAnswer } from "../tasks/index.js";
import type { Attempt } from "./attempt.js";

/** What a reward may use. */
export interface RewardContext {
  model: LanguageModel;
  seed: number | string;
  /** Runs functions against their tests; `collect` gives one. */
  sandbox?: Sandbox | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Computes the rewards of a group of attempts at one problem: one finite number per attempt. It sees the whole group,
 * so that agreement can be a reward.
 */
export type Reward = (
  problem: Problem,
  group: readonly Attempt[],
  context: RewardContext,
) => Promise<readonly number[]>;

/** A reward with settings that it depends on, for the settings of a run. */
export interface SetReward extends Reward {
  settings: Readonly<Record<string, unknown>>;
}

/** A reward in parts: their weighted sum, and each part by its name. */
export interface CombinedReward extends Reward {
  parts: Readonly<Record<string, { weight: number; reward: Reward }>>;
}

/** Correctness: 1 for an attempt that is right under the strict policy (a function that passes its tests), else 0. */
export const answerReward: Reward = (problem, group, { sandbox, signal }) =>
  Promise.all(
    group.map(async (attempt) =>
      Number((await gradeAttempt(problem, attempt, { sandbox, signal })).correct.strict ?? false),
    ),
  );

/** Format: 1 for an attempt that has a solution with an answer, else 0. */
export const formatReward: Reward = async ({ kind }, group) =>
  group.map((attempt) => Number(answerOf(kind, attempt) !== undefined));

/** Majority: the share of the group's other attempts with the same answer; 0 without an answer. Needs no label. */
export const majorityReward: Reward = async ({ kind }, group) => {
  const answers = group.map((attempt) => answerOf(kind, attempt));
  return answers.map((own, at) => {
    if (own === undefined || group.length < 2) return 0;
    const same = answers.filter((other, index) => index !== at && other !== undefined && sameAnswer(kind, own, other));
    return same.length / (group.length - 1);
  });
};

/**
 * Combine rewards into a weighted sum; `collect` also stores each part.
 *
 * @throws bad-input (when it is made) without parts, or for a weight that is not finite
 */
export function combine(parts: Readonly<Record<string, { weight: number; reward: Reward }>>): CombinedReward {
  const entries = Object.entries(parts);
  const wrong = entries.find(([, { weight }]) => !Number.isFinite(weight));
  if (wrong || entries.length === 0) {
    throw badInput(wrong ? `the weight of ${wrong[0]} is ${wrong[1].weight}` : "a reward has no parts", "Correct it.");
  }
  const reward: Reward = async (problem, group, context) => {
    const rewards = await rewardParts(combined, problem, group, context);
    return rewards.map(({ reward }) => reward);
  };
  const combined: CombinedReward = Object.assign(reward, { parts });
  return combined;
}

/** What is known of a reward without calling it: its settings, or the names and weights of its parts. */
export function rewardSettings(reward: Reward | SetReward | CombinedReward): Record<string, unknown> {
  if (!("parts" in reward)) return "settings" in reward ? { ...reward.settings } : {};
  const parts = Object.entries(reward.parts).map(([name, { weight, reward }]) => [
    name,
    { weight, ...rewardSettings(reward) },
  ]);
  return { parts: Object.fromEntries(parts) };
}

/**
 * Compute the reward of each attempt of a group, in total and by parts (none if it is not a combination).
 *
 * @throws bad-input if a reward gives another number of values, or one that is not finite
 */
export async function rewardParts(
  reward: Reward | CombinedReward,
  problem: Problem,
  group: readonly Attempt[],
  context: RewardContext,
): Promise<{ reward: number; rewards: Record<string, number> }[]> {
  if (!("parts" in reward)) {
    const values = await checked("the reward", reward, problem, group, context);
    return values.map((value) => ({ reward: value, rewards: {} }));
  }
  const columns: [name: string, weight: number, values: readonly number[]][] = [];
  for (const [name, part] of Object.entries(reward.parts)) {
    columns.push([name, part.weight, await checked(`the reward ${name}`, part.reward, problem, group, context)]);
  }
  return group.map((_, at) => ({
    reward: columns.reduce((sum, [, weight, values]) => sum + weight * values[at]!, 0),
    rewards: Object.fromEntries(columns.map(([name, , values]) => [name, values[at]!])),
  }));
}

async function checked(
  what: string,
  reward: Reward,
  problem: Problem,
  group: readonly Attempt[],
  context: RewardContext,
): Promise<readonly number[]> {
  const values = await reward(problem, group, context);
  if (values.length === group.length && values.every(Number.isFinite)) return values;
  throw badInput(
    `${what} gave [${values.join(", ")}] for ${group.length} attempts at ${problem.id}`,
    "It must give one finite number for each attempt.",
  );
}

/** The answer of an attempt, if it has one; a function is its own. */
export function answerOf(kind: ProblemKind, { solution }: Attempt): string | undefined {
  if (kind === "code") return solution;
  const answer = solution === undefined ? undefined : extractAnswer(solution, "strict");
  return answer?.ok ? answer.value : undefined;
}
