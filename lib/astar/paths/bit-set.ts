import type { StepSet } from "./step-set.js";

/** A set of steps as a number whose bit i says whether step i is in it; equal sets are equal keys. */
export type Bits = bigint;

export const bit = (step: number): Bits => 1n << BigInt(step);

export const withSteps = (bits: Bits, steps: StepSet): Bits => steps.reduce((all, step) => all | bit(step), bits);

/** The steps of a set, ascending. */
export function stepsOf(bits: Bits): number[] {
  const steps: number[] = [];
  for (let [rest, step] = [bits, 0]; rest > 0n; rest >>= 1n, step++) if (rest & 1n) steps.push(step);
  return steps;
}

export const contains = (whole: Bits, part: Bits): boolean => (whole & part) === part;
