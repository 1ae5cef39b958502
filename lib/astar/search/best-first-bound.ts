import { sum } from "../../core/index.js";
import { type Bits, stepsOf } from "../paths/bit-set.js";

export interface BoundParts {
  costs: readonly number[];
  minSteps: number;
  /** Sets of steps that every accepted set intersects. */
  needed: readonly Bits[];
}

/**
 * Minimum cost of what must be added to a set, out of `free`, before it can be accepted: that of the cheapest steps it
 * lacks to `minSteps`, or that of the cheapest step of each of some disjoint `needed` sets that it does not intersect.
 * Infinite if there are not enough steps or a needed set is out of reach. Never above the true minimum.
 */
export function leastAddition(kept: Bits, free: Bits, { costs, minSteps, needed }: BoundParts): number {
  const ascending = stepsOf(free)
    .map((step) => costs[step]!)
    .sort((a, b) => a - b);
  const missing = Math.max(0, minSteps - stepsOf(kept).length);
  if (missing > ascending.length) return Number.POSITIVE_INFINITY;
  const lacking = sum(ascending.slice(0, missing));
  return Math.max(lacking, apartBound(kept, free, costs, needed));
}

/** Disjoint needed sets add up; the most expensive ones are taken first. */
function apartBound(kept: Bits, free: Bits, costs: readonly number[], needed: readonly Bits[]): number {
  const unmet = needed
    .filter((some) => (some & kept) === 0n)
    .map((some) => some & free)
    .map((some) => ({ some, cost: Math.min(...stepsOf(some).map((step) => costs[step]!)) }))
    .sort((a, b) => b.cost - a.cost);
  let [paid, bound] = [0n, 0];
  for (const { some, cost } of unmet) {
    if ((some & paid) !== 0n) continue;
    paid |= some;
    bound += cost;
  }
  return bound;
}
