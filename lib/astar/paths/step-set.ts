import { badInput, checkWhole } from "../../core/index.js";

/** A set of steps by their indices from 0, ascending. */
export type StepSet = readonly number[];

/** Key of a set: equal sets have equal keys. */
export const stepKey = (set: StepSet): string => set.join(" ");

export const allSteps = (n: number): number[] => Array.from({ length: n }, (_, step) => step);

/** A step and this many of its neighbours on either side. */
export const spanOf = (step: number, n: number, neighbours: number): number[] =>
  Array.from({ length: 2 * neighbours + 1 }, (_, at) => step - neighbours + at).filter((place) => isStep(place, n));

/** Union of two sets, ascending. */
export const union = (a: StepSet, b: StepSet): number[] => [...new Set([...a, ...b])].sort((x, y) => x - y);

/** Texts of the kept steps, in order. */
export const keptSteps = (steps: readonly string[], set: StepSet): string[] => set.map((index) => steps[index]!);

/** Throws bad-input unless `set` is one of `n` steps, ascending. */
export function checkStepSet(set: StepSet, n: number): void {
  const isSet = set.every((step, at) => isStep(step, n) && (at === 0 || step > set[at - 1]!));
  if (isSet) return;
  throw badInput(`[${set.join(", ")}] is no set of ${n} steps`, "Give indices from 0, each once, ascending.");
}

/** Throws bad-input unless `queue` ranks steps out of `n`, without repeats. */
export function checkQueue(queue: readonly number[], n: number): void {
  checkWhole("n", n, 0);
  const wrong = queue.find((step) => !isStep(step, n));
  if (wrong !== undefined) {
    throw badInput(`queue: ${wrong} is no step, expected indices from 0 to ${n - 1}`, "Rank the steps of this chain.");
  }
  if (new Set(queue).size === queue.length) return;
  const repeated = queue.find((step, at) => queue.indexOf(step) < at);
  throw badInput(`queue: step ${repeated} stands in it twice`, "Name each step once, the most important first.");
}

const isStep = (step: number, n: number): boolean => Number.isInteger(step) && step >= 0 && step < n;
