import type { ProceduralProblem } from "./problem.js";

/**
 * Count the needed quantities that the text uses before it defines them: none in a problem in the order of computation;
 * they are what makes a shuffled problem harder to follow.
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
