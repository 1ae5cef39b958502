import { createRandom, groupBy } from "../../core/index.js";
import { clusteredProportion } from "../../eval/index.js";
import { type Trajectory, trajectoryKey } from "../actions.js";

/** What became of a problem in an arm, under one seed. */
export interface Outcome {
  problem: string;
  group: string;
  /** Shares, from 0 to 1: of a random trajectory it is the expected value. */
  right: number;
  dots: number;
  tokens: number;
}

export interface Share {
  value: number;
  interval?: [low: number, high: number] | undefined;
}

/** Accuracy and cost of an arm on a group of problems, over all seeds. */
export interface ArmGroup {
  group: string;
  problems: number;
  accuracy: Share;
  /** Under the released code's grading, where it applies; else the strict one. */
  dots: Share;
  /** Mean new tokens of a problem, those of planning included. */
  tokens: number;
}

const ALL = "all";

/** Measure an arm: all problems, then each group. Intervals are over problems: seeds of one problem are no independent ones. */
export function armGroups(bySeed: readonly (readonly Outcome[])[]): ArmGroup[] {
  const outcomes = bySeed.flat();
  const groups = [...groupBy(outcomes, ({ group }) => group)];
  return [[ALL, outcomes] as const, ...(groups.length > 1 ? groups : [])].map(([group, own]) => {
    const problems = [...groupBy(own, ({ problem }) => problem).values()];
    const share = (of: (outcome: Outcome) => number): Share => {
      const { value, interval } = clusteredProportion(problems.map((each) => meanOf(each.map(of))));
      return { value, ...(interval ? { interval } : {}) };
    };
    return {
      group,
      problems: problems.length,
      accuracy: share(({ right }) => right),
      dots: share(({ dots }) => dots),
      tokens: meanOf(own.map(({ tokens }) => tokens)),
    };
  });
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Resamples of the bootstrap. */
const RESAMPLES = 1000;

/**
 * Where an arm stands on the way from the best static trajectory (0) to the oracle (1), with a 95 % interval by a paired bootstrap over
 * problems; undefined where the oracle is no better.
 */
export function shareOfWay(
  arm: readonly (readonly Outcome[])[],
  best: readonly (readonly Outcome[])[],
  oracle: readonly (readonly Outcome[])[],
): Share | undefined {
  const byProblem = (outcomes: readonly (readonly Outcome[])[]) =>
    new Map(
      [...groupBy(outcomes.flat(), ({ problem }) => problem)].map(([id, own]) => [
        id,
        meanOf(own.map(({ right }) => right)),
      ]),
    );
  const [own, low, high] = [arm, best, oracle].map(byProblem) as [
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
  ];
  const rows = [...own].map(([id, value]) => [value, low.get(id)!, high.get(id)!] as const);
  const wayOf = (sample: readonly (typeof rows)[number][]) => {
    const [value, from, to] = [0, 1, 2].map((at) => meanOf(sample.map((row) => row[at]!))) as [number, number, number];
    return to > from ? (value - from) / (to - from) : undefined;
  };
  const value = wayOf(rows);
  if (value === undefined) return undefined;
  const random = createRandom("share of the way");
  const drawn = Array.from({ length: RESAMPLES }, () => wayOf(rows.map(() => rows[random.integer(rows.length)]!)))
    .filter((share) => share !== undefined)
    .sort((a, b) => a - b);
  const at = (quantile: number) => drawn[Math.floor(quantile * (drawn.length - 1))]!;
  return { value, interval: [at(0.025), at(0.975)] };
}

/** How often plans take each action, by group of problems. */
export interface ActionShares {
  group: string;
  plans: number;
  /** Plans that named no action. */
  unread: number;
  /** Share of the plans that could be read, by trajectory. */
  trajectories: Record<string, number>;
  /** The same by action. */
  actions: Record<string, number>;
}

/** Count the plans of problems by group, all of them first. */
export function actionShares(plans: readonly { group: string; trajectory?: Trajectory | undefined }[]): ActionShares[] {
  const groups = [...groupBy(plans, ({ group }) => group)];
  return [[ALL, plans] as const, ...(groups.length > 1 ? groups : [])].map(([group, own]) => {
    const read = own.flatMap(({ trajectory }) => (trajectory ? [trajectory] : []));
    const shares = (names: readonly string[]): Record<string, number> =>
      Object.fromEntries(
        [...groupBy(names, (each) => each)]
          .map(([each, same]) => [each, same.length / read.length] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    return {
      group,
      plans: own.length,
      unread: own.length - read.length,
      trajectories: shares(read.map(trajectoryKey)),
      actions: shares(read.flat()),
    };
  });
}
