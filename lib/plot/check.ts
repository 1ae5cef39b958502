import { badInput } from "../core/index.js";
import { type Estimate, estimates, type Interval } from "./parts/intervals.js";
import { MAX_SERIES } from "./style/style.js";

/** Values and, where there are any, the intervals around them. */
export interface Estimates {
  values: readonly (number | null)[];
  intervals?: readonly (Interval | null)[];
}

const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Throws bad-input unless `name` can be a figure's file name. */
export function checkName(name: string): void {
  if (KEBAB_CASE.test(name)) return;
  throw badInput(
    `figure name "${name}": expected lower-case letters, digits and hyphens`,
    'Write it like "accuracy-by-budget".',
  );
}

/** Throws bad-input if there are no items or two of the same name. */
export function checkNames(what: string, names: readonly string[]): void {
  if (names.length === 0) throw badInput(`no ${what}: expected at least one`, "Check the records behind the figure.");
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated === undefined) return;
  throw badInput(`${what}: "${repeated}" occurs twice, expected different names`, "Rename or merge them.");
}

/** Throws bad-input unless there are series, with distinct names, and at most {@link MAX_SERIES}. */
export function checkSeries(series: readonly { name: string }[]): void {
  const names = series.map(({ name }) => name);
  checkNames("series", names);
  if (series.length <= MAX_SERIES) return;
  throw badInput(
    `${series.length} series: expected at most ${MAX_SERIES}, more cannot be told apart`,
    "Divide them among several figures.",
  );
}

/** Throws bad-input unless `items` are as many as expected. */
export function checkLength(what: string, items: readonly unknown[], expected: number): void {
  if (items.length === expected) return;
  throw badInput(
    `${what}: ${items.length} given, expected ${expected}`,
    "Give one for each; null where a value is missing.",
  );
}

/** Throws bad-input unless values and intervals are as many as their places, each is right, and not all are missing. */
export function checkEstimates(owner: string, { values, intervals }: Estimates, places: readonly string[]): void {
  checkLength(`${owner}: values`, values, places.length);
  if (intervals) checkLength(`${owner}: intervals`, intervals, places.length);
  for (const [index, estimate] of estimates(values, intervals).entries()) {
    checkEstimate(`${owner}, value ${index} (${places[index]})`, estimate);
  }
  if (values.some((value) => value !== null)) return;
  throw badInput(`${owner}: no values, expected at least one that is not null`, "Leave it out.");
}

/** Throws bad-input unless a value that is not missing is finite and inside its interval, where it has one. */
export function checkEstimate(what: string, { value, interval }: Estimate): void {
  if (value === null) {
    if (interval) throw badInput(`${what}: an interval without a value`, "Say null for both.");
    return;
  }
  const within = interval ? ` in [${interval.join(", ")}]` : "";
  if (![value, ...(interval ?? [])].every(Number.isFinite)) {
    throw badInput(`${what} is ${value}${within}, expected finite numbers`, "Leave out what could not be measured.");
  }
  // An interval around 0 may begin at 1e-17.
  const tolerance = 1e-9 * Math.max(1, Math.abs(value));
  if (interval && (interval[0] > value + tolerance || interval[1] < value - tolerance)) {
    throw badInput(
      `${what} is ${value}${within}, expected an interval that contains the value`,
      "Give intervals as [low, high], not as distances from the value.",
    );
  }
}

/** Throws bad-input for an axis title that names only a unit: two measures in percent would share the axis unnoticed. */
export function checkAxisTitle(title: string): void {
  if (/\p{L}/u.test(title)) return;
  throw badInput(
    `axis title "${title}": expected what is measured, with its unit`,
    'Write it like "Accuracy (%)", and draw what is another measure in a figure or panel of its own.',
  );
}
