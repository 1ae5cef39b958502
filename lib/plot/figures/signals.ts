import { badInput } from "../../core/index.js";
import type { Figure, FigureOptions } from "../figure.js";
import { barFigure } from "./bar.js";

/** Agreement of a signal of importance with a measure of it. */
export interface SignalAgreement {
  signal: string;
  alpha: number | null;
  normalisation: string | null;
  /** Sentences of a step. */
  group: number;
  gold: string;
  correlation: { value: number; interval?: readonly [number, number] | undefined };
}

export interface SignalsFigureOptions extends FigureOptions {
  rows: readonly SignalAgreement[];
  /** Of the rows those with this many sentences a step, alpha and normalisation (where a signal has one). */
  group?: number;
  alpha?: number;
  normalisation?: string;
}

/**
 * Rank correlation of signals with measures of importance: a group of bars a signal, a bar a measure.
 * Table: that of `barFigure`.
 * @throws bad-input if no row is left
 */
export function signalsFigure(options: SignalsFigureOptions): Figure {
  const { rows, group = 1, alpha = 0.5, normalisation = "code", ...rest } = options;
  const shown = rows.filter(
    (row) =>
      row.group === group &&
      (row.alpha === null || row.alpha === alpha) &&
      (row.normalisation === null || row.normalisation === normalisation),
  );
  if (shown.length === 0) {
    throw badInput(
      "no rows with these settings: expected at least one",
      "Choose another group, alpha or normalisation.",
    );
  }
  const signals = [...new Set(shown.map(({ signal }) => signal))];
  const measures = [...new Set(shown.map(({ gold }) => gold))];
  const rowOf = (signal: string, gold: string) => shown.find((row) => row.signal === signal && row.gold === gold);
  return barFigure({
    ...rest,
    categories: signals,
    series: measures.map((gold) => {
      const own = signals.map((signal) => rowOf(signal, gold)?.correlation);
      return {
        name: gold.replaceAll("_importance", "").replaceAll("_", " "),
        values: own.map((each) => each?.value ?? null),
        ...(own.every((each) => !each || each.interval)
          ? { intervals: own.map((each) => each?.interval ?? null) }
          : {}),
      };
    }),
    valueTitle: "rank correlation",
  });
}
