/** A sample of a search: the actions that it took, and what came of it. */
export interface ActionSample {
  actions: readonly string[];
  /** Reward from 0 to 1. */
  score: number;
}

/** How much an action matters: success rates of samples with it and without it, and their numbers. */
export interface ActionImportance {
  action: string;
  rates: readonly [withIt: number, without: number];
  counts: readonly [withIt: number, without: number];
  important: boolean;
}

/** The released code's thresholds: of the gain in the success rate, and of the imbalance of the two groups. */
const LEAST_GAIN = 0.3;
const MOST_IMBALANCE = 0.6;

/**
 * Which actions matter for a question, as DOTS's released code tells: an action is important if samples with it succeed more often than
 * those without by more than 0.3, and neither group is too small: |n₁ − n₀| < 0.6 · (n₁ + n₀). An action that all or no samples have is not
 * important (the released code divides by zero there).
 */
export const actionImportance = (actions: readonly string[], samples: readonly ActionSample[]): ActionImportance[] =>
  actions.map((action) => {
    const rate = (group: readonly ActionSample[]) =>
      group.length === 0 ? 0 : group.reduce((sum, { score }) => sum + score, 0) / group.length;
    const having = samples.filter((sample) => sample.actions.includes(action));
    const lacking = samples.filter((sample) => !sample.actions.includes(action));
    const [n1, n0] = [having.length, lacking.length];
    const rates = [rate(having), rate(lacking)] as const;
    const balanced = Math.abs(n1 - n0) < MOST_IMBALANCE * (n1 + n0);
    return {
      action,
      rates,
      counts: [n1, n0],
      important: n1 > 0 && n0 > 0 && balanced && rates[0] > rates[1] + LEAST_GAIN,
    };
  });
