import { formatNumber } from "../../shared/report.js";
import type { Setting } from "../setting.js";

/** One statement that was checked. */
export interface Finding {
  statement: string;
  holds: boolean;
  /** What was counted and measured. */
  numbers: Readonly<Record<string, number | string>>;
  /** 95 % intervals of some of them. */
  intervals?: Readonly<Record<string, readonly [number, number] | null>>;
  /** The first cases that speak against it. */
  exceptions: string[];
}

/** What a check works with. */
export interface CheckSetting extends Setting {
  /** Prompts of the smallest check. */
  prompts: number;
  /** Problems whose answers are graded. */
  problems: number;
  /** Rows with `input` and `target`; undefined: the usual place. */
  multiarith: string | undefined;
  /** The model dequantised, as a GGUF file. */
  f32File(): Promise<string>;
}

/** Counts with all digits, other numbers with three. */
export const numberText = (value: number | string): string =>
  typeof value === "string" ? value : Number.isInteger(value) ? value.toLocaleString("en-US") : formatNumber(value);

export const MOST_EXCEPTIONS = 10;

/** Divide a list into parts of so many. */
export const parts = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));

/** Where two lists of ids differ first; -1 where they do not. */
export function firstDifference(one: readonly number[], other: readonly number[]): number {
  const longer = one.length > other.length ? one : other;
  return longer.findIndex((_, i) => one[i] !== other[i]);
}

export interface Distance {
  count: number;
  mean: number;
  largest: number;
}

/** How far the numbers of two lists of lists are apart. */
export function distanceOf(one: readonly (readonly number[])[], other: readonly (readonly number[])[]): Distance {
  const distances = one.flatMap((row, i) => row.map((value, j) => Math.abs(value - other[i]![j]!)));
  const sum = distances.reduce((a, b) => a + b, 0);
  // Spreading many numbers into a call would overflow its stack; a NaN is a distance without end.
  const largest = distances.reduce((a, b) => (b <= a ? a : Number.isNaN(b) ? Number.POSITIVE_INFINITY : b), 0);
  return { count: distances.length, mean: sum / distances.length, largest };
}
