import type { Random } from "../../core/index.js";
import type { Quantity } from "./problem.js";
import type { Scenario, Unit } from "./scenarios.js";

/** How often a holder goes on to the next unit: Ana picks apples, then Ana earns dollars with them. */
const SAME_HOLDER = 0.5;
/** How often other quantities take a holder that the problem has already. */
const KNOWN_HOLDER = 0.2;

/** A holder that has no quantity of this unit yet; undefined if all have. */
export function drawHolder(
  random: Random,
  quantities: readonly Quantity[],
  { holders }: Scenario,
  unit: Unit,
  source: Quantity | undefined,
): string | undefined {
  const known = new Set<string>();
  const taken = new Set<string>();
  for (const quantity of quantities) {
    known.add(quantity.holder);
    if (quantity.unit === unit) taken.add(quantity.holder);
  }
  if (source && !taken.has(source.holder) && random.uniform() < SAME_HOLDER) return source.holder;
  if (known.size > taken.size && random.uniform() < KNOWN_HOLDER) {
    return random.choice([...known].filter((holder) => !taken.has(holder)));
  }
  const free = holders.filter((holder) => !known.has(holder));
  const left = free.length > 0 ? free : holders.filter((holder) => !taken.has(holder));
  return left.length > 0 ? random.choice(left) : undefined;
}
