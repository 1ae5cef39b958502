import { ThoughtbookError } from "../core/index.js";

/** What an allocation of pulls may use. */
export interface AllocationLimits {
  /** Pulls of all arms together, at most; the last round is not begun where it would go beyond. */
  pulls: number;
  signal?: AbortSignal | undefined;
  /** Asked between rounds with all arms: whether further pulls would change nothing. Default: never. */
  isSettled?: ((arms: readonly Pick<PulledArm<unknown>, "rewards">[]) => boolean) | undefined;
}

/** An arm with the rewards of its pulls. */
export interface PulledArm<Arm> {
  arm: Arm;
  rewards: readonly number[];
  /** Rounds that it was in. */
  rounds: number;
}

export interface Allocated<Arm> {
  best: Arm;
  /** All arms in the order given. */
  arms: readonly PulledArm<Arm>[];
}

/** Gives the rewards of the next `count` pulls of an arm; `from` is the number of its pulls so far. */
export type Pull<Arm> = (arm: Arm, count: number, from: number) => Promise<readonly number[]>;

/**
 * Pulls arms to find the one of highest mean reward. The number of pulls so far goes to `pull`, so that the n-th pull of every arm
 * can be of the same problem. Among arms that are equally good the
 * earlier one is better: give the cheaper ones first.
 */
export type Allocate = <Arm>(
  arms: readonly Arm[],
  pull: Pull<Arm>,
  limits: AllocationLimits,
) => Promise<Allocated<Arm>>;

/** An arm while it is being pulled. */
export interface ArmState<Arm> {
  arm: Arm;
  rewards: number[];
  rounds: number;
}

export const statesOf = <Arm>(arms: readonly Arm[]): ArmState<Arm>[] =>
  arms.map((arm) => ({ arm, rewards: [], rounds: 0 }));

/**
 * Pull an arm and note its rewards.
 *
 * @throws execution if `pull` gives another number of rewards; as `pull`
 */
export async function pullArm<Arm>(state: ArmState<Arm>, count: number, pull: Pull<Arm>): Promise<void> {
  const rewards = await pull(state.arm, count, state.rewards.length);
  if (rewards.length !== count) {
    throw new ThoughtbookError("execution", `a pull gave ${rewards.length} rewards, ${count} were asked for`, {
      hint: "`pull` must give one reward for each pull.",
    });
  }
  state.rewards.push(...rewards);
  state.rounds++;
}

/** Mean reward, 0 without any. */
export const meanReward = (rewards: readonly number[]): number =>
  rewards.length === 0 ? 0 : rewards.reduce((sum, value) => sum + value, 0) / rewards.length;

/** The states, the highest score first; among equal ones in the order given. */
export const ranked = <State>(states: readonly State[], scoreOf: (state: State) => number): State[] =>
  states
    .map((state) => ({ state, score: scoreOf(state) }))
    .sort((a, b) => b.score - a.score)
    .map(({ state }) => state);
