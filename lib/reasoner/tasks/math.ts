import { createRandom } from "../../core/index.js";
import { generateWordProblem, type ProceduralProblem, problemSteps, type Split } from "../../data/index.js";
import type { MathTask } from "./schema.js";

/** Kinds of math tasks, and what makes a word problem one of them. */
export const MATH_KINDS = ["single-digit", "double-digit", "multi-step"] as const;
export type MathKind = (typeof MATH_KINDS)[number];

interface Wanted {
  operations: number | readonly [number, number];
  /** The least and the largest number that may occur. */
  range?: readonly [number, number];
  /** Only sums and differences. */
  additive?: boolean;
}

const WANTED: Record<MathKind, Wanted> = {
  "single-digit": { operations: 1, range: [0, 18], additive: true },
  "double-digit": { operations: [1, 2], range: [0, 99] },
  "multi-step": { operations: [2, 5] },
};

/** Problems drawn until one is of the kind. */
const MOST_DRAWS = 5000;

/**
 * A math task of a kind: single-digit additions and subtractions, word problems with numbers up to 99, and word problems of several
 * steps. The same arguments give the same task on every machine.
 */
export function drawMathTask(
  kind: MathKind,
  { seed, index, split }: { seed: number | string; index: number; split: Split },
): MathTask {
  const { operations, range, additive = false } = WANTED[kind];
  const random = createRandom(seed).stream(`math task/${kind}/${split}/${index}`);
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const place = random.integer(1_000_000);
    const problem = generateWordProblem({ seed: `${kind}/${seed}`, split, operations, index: place });
    if (!fits(problem, range, additive)) continue;
    return mathTaskOf(problem, `${kind}/${seed}/${split}/${index}`);
  }
  throw new Error(`no ${kind} problem was found`); // About one in a few is of the kind.
}

function fits(
  { quantities }: ProceduralProblem,
  range: readonly [number, number] | undefined,
  additive: boolean,
): boolean {
  const isIn = (value: number) => range === undefined || (value >= range[0] && value <= range[1]);
  return quantities.every(({ value, relation }) => {
    const kinds = ["more", "fewer", "total", "difference"];
    if (additive && relation === undefined && value > 9) return false;
    if (additive && relation && (!kinds.includes(relation.kind) || relation.numbers.some((each) => each > 9)))
      return false;
    return isIn(value) && (relation?.numbers ?? []).every(isIn);
  });
}

/** A word problem with its steps as references. */
export const mathTaskOf = (problem: ProceduralProblem, id = problem.id): MathTask => ({
  id,
  question: problem.question,
  steps: problemSteps(problem).map(({ expression, value }) => ({ expr: expression, value: String(value) })),
  answer: String(problem.answer),
});
