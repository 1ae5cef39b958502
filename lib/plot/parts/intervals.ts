import type { Cell, Table } from "../figure.js";

/** An interval around a value, for example its 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

/** A value that may be missing, with the interval around it where there is one. */
export interface Estimate {
  value: number | null;
  interval: Interval | null;
}

/** Values and intervals side by side. */
export function estimates(
  values: readonly (number | null)[],
  intervals: readonly (Interval | null)[] = [],
): Estimate[] {
  return values.map((value, index) => ({ value, interval: intervals[index] ?? null }));
}

/** All numbers that a drawing of the estimates must show. */
export function shownNumbers(shown: readonly Estimate[]): number[] {
  return shown.flatMap(({ value, interval }) => (value === null ? [] : [value, ...(interval ?? [])]));
}

/** Plotly's error bars for the estimates; nothing if none has an interval. */
export function errorBars(axis: "x" | "y", shown: readonly Estimate[], colour: string): object {
  if (shown.every(({ interval }) => interval === null)) return {};
  // Only for what is not a number does Plotly draw no whisker, and JSON has no NaN.
  const reach = (side: 0 | 1) =>
    shown.map(({ value, interval }) => (value === null || !interval ? "none" : Math.abs(interval[side] - value)));
  const bars = { type: "data", symmetric: false, array: reach(1), arrayminus: reach(0), color: colour };
  return { [`error_${axis}`]: { ...bars, thickness: 1.4, width: 3 } };
}

/** A table of what was estimated, and the estimates; two more columns, low and high, if any has an interval. */
export function estimateTable(columns: string[], rows: readonly (Estimate & { keys: Cell[] })[]): Table {
  const hasIntervals = rows.some(({ interval }) => interval !== null);
  return {
    columns: [...columns, ...(hasIntervals ? ["low", "high"] : [])],
    rows: rows.map(({ keys, value, interval }) => {
      const [low, high] = interval ?? [null, null];
      return [...keys, value, ...(hasIntervals ? [low, high] : [])];
    }),
  };
}
