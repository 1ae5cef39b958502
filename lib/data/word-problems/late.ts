import type { ProceduralProblem } from "./problem.js";

/**
 * How many of the quantities that the answer needs are used in the text before it tells how they follow: what the facts of
 * a problem in the order of computation never have, and what makes a shuffled one harder to follow.
 */
export function lateQuantities({ quantities, facts }: ProceduralProblem): number {
  const used = new Set<number>();
  let late = 0;
  for (const fact of facts) {
    const { needed, relation } = quantities[fact]!;
    if (!needed || !relation) continue;
    if (used.has(fact)) late++;
    for (const input of relation.inputs) used.add(input);
  }
  return late;
}
