import type { ArmMeasures } from "./measures.js";

/** A point of a figure of accuracy or ACU by budget; accuracy in percent, length in tokens. */
export interface ArmPoint {
  panel: string;
  method: string;
  budget: number;
  accuracy: number;
  low: number | null;
  high: number | null;
  length: number;
  acu: number;
  acuLow: number | null;
  acuHigh: number | null;
}

/**
 * What arms reach, as `budgetFigure` of `thoughtbook/plot` takes it.
 *
 * @param panel what the points are drawn among
 */
export const armPoints = (
  arms: readonly { method: string; budgets: readonly ArmMeasures[] }[],
  panel = "ours",
): ArmPoint[] =>
  arms.flatMap(({ method, budgets }) =>
    budgets.map(({ budget, accuracy, length, acu }) => ({
      panel,
      method,
      budget,
      accuracy: 100 * accuracy.value,
      low: accuracy.interval ? 100 * accuracy.interval[0] : null,
      high: accuracy.interval ? 100 * accuracy.interval[1] : null,
      length: length.value,
      acu: acu.value,
      acuLow: acu.interval?.[0] ?? null,
      acuHigh: acu.interval?.[1] ?? null,
    })),
  );
