import { generateWordProblem, type ProceduralProblem, solveQuestion, type WordProblemOptions } from "thoughtbook/data";

/** Problems 0 to count - 1 of a seed. */
export function problems(count: number, options: Partial<WordProblemOptions> = {}): ProceduralProblem[] {
  return Array.from({ length: count }, (_, index) =>
    generateWordProblem({ seed: 11, operations: [1, 8], distractors: [0, 2], ...options, index }),
  );
}

/** Options of every sort, for properties that hold under all of them. */
export const VARIETY: readonly Partial<WordProblemOptions>[] = [
  {},
  { seed: "other", order: "shuffled", split: "test" },
  { seed: 5, order: "computation", split: "validation", distractors: 0 },
  { seed: 6, operations: [9, 12], distractors: [2, 6] },
  { seed: 7, operations: [3, 6], depth: [1, 3], width: [2, 4] },
];

/** All problems of all of these options, the same number of each. */
export const varied = (each: number): ProceduralProblem[] => VARIETY.flatMap((options) => problems(each, options));

/**
 * Pearson's chi-square of counts against equal shares, as standard deviations above its mean: for a fair draw it is
 * below 4 with probability 0.999 and more.
 */
export function unevenness(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const expected = total / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const degrees = counts.length - 1;
  return (chiSquare - degrees) / Math.sqrt(2 * degrees);
}

/** What a reader of the question answers, or why none can. */
export function readAnswer(question: string, scenario: string): number | string {
  const solved = solveQuestion(question, scenario);
  return solved.ok ? solved.value.answer : solved.reason;
}
