import { assemble } from "./generate.js";
import type { ProceduralProblem, Quantity } from "./problem.js";
import { structureShape, structureSignature } from "./structure.js";

/**
 * Contract a problem a number of times, as Atom of Thoughts does: each contraction answers the operations that need
 * only given numbers and states their results as given; what the answer no longer needs is left out, distractors
 * included. The text is generated again from what remains, so it is a complete question with the same answer.
 *
 * @returns undefined if nothing would remain to be computed: at most as many layers can go as the problem is deep
 */
export function contractProblem(problem: ProceduralProblem, layers = 1): ProceduralProblem | undefined {
  let contracted: ProceduralProblem | undefined = problem;
  for (let layer = 0; layer < layers && contracted; layer++) contracted = contractOnce(contracted);
  return contracted;
}

/** The problem after 1, 2, … contractions, as long as there are any. */
export function contractions(problem: ProceduralProblem): ProceduralProblem[] {
  const all: ProceduralProblem[] = [];
  for (let next = contractOnce(problem); next; next = contractOnce(next)) all.push(next);
  return all;
}

function contractOnce(problem: ProceduralProblem): ProceduralProblem | undefined {
  const { quantities, asked, facts, id } = problem;
  const known = quantities.map(
    ({ relation }) => relation === undefined || relation.inputs.every((input) => !quantities[input]!.relation),
  );
  if (known[asked]) return undefined;

  const needed = new Set([asked]);
  for (let index = asked; index >= 0; index--) {
    if (needed.has(index) && !known[index]) for (const input of quantities[index]!.relation!.inputs) needed.add(input);
  }
  const kept = quantities.flatMap((_, index) => (needed.has(index) ? [index] : []));
  const position = new Map(kept.map((index, at) => [index, at]));
  const reduced = kept.map((index): Quantity => {
    const quantity = quantities[index]!;
    if (known[index]) return { ...quantity, relation: undefined };
    const relation = quantity.relation!;
    return { ...quantity, relation: { ...relation, inputs: relation.inputs.map((input) => position.get(input)!) } };
  });

  const nodes = reduced.map(({ relation }) => relation);
  const operations = nodes.filter((relation) => relation).length;
  const [, base = id, times = "0"] = /^(.*)\+(\d+)$/.exec(id) ?? [];
  return assemble({
    ...problem,
    id: `${base}+${Number(times) + 1}`,
    quantities: reduced,
    asked: reduced.length - 1,
    facts: facts.flatMap((index) => position.get(index) ?? []),
    signature: structureSignature({ nodes }),
    difficulty: { operations, ...structureShape(nodes), distractors: 0 },
  });
}
