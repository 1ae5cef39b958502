import type { ProceduralProblem, Split } from "./problem.js";
import { SCENARIOS } from "./scenarios.js";

/** Number of scenarios held out per structure, for test and for validation: 4 and 4 of 43. */
const HELD_OUT: readonly (readonly [Split, number])[] = [
  ["test", 4],
  ["validation", 4],
];

/** FNV-1a, 32 bits, then mixed so that all bits depend on all characters. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/**
 * The scenarios, by index, that belong to a split for this structure. The structure's hash orders the scenarios (their
 * number is prime, so every step walks through all): the first 4 are held out for test, the next 4 for validation.
 * So each structure and each scenario occurs in training, while their combinations are divided among the splits.
 */
export function scenariosOf(split: Split, signature: string): number[] {
  const count = SCENARIOS.length;
  const code = hash(signature);
  const start = code % count;
  const step = 1 + (Math.floor(code / count) % (count - 1));
  let from = 0;
  for (const [name, size] of HELD_OUT) {
    if (name === split) return Array.from({ length: size }, (_, at) => (start + (from + at) * step) % count);
    from += size;
  }
  return Array.from({ length: count - from }, (_, at) => (start + (from + at) * step) % count);
}

/** The split to which a problem's scenario and structure belong; that of a contracted problem may be another than its own. */
export function splitOf({ scenario, signature }: Pick<ProceduralProblem, "scenario" | "signature">): Split {
  const isIn = (split: Split) => scenariosOf(split, signature).some((index) => SCENARIOS[index]!.name === scenario);
  return HELD_OUT.find(([split]) => isIn(split))?.[0] ?? "train";
}

export interface SplitOverlap {
  /** Pairs of scenario and structure that occur on both sides. */
  combinations: number;
  /** Questions that occur on both sides, word for word. */
  questions: number;
}

/** Overlap of two sets of problems: 0 and 0 for two splits, whatever their seeds. */
export function splitOverlap(a: Iterable<ProceduralProblem>, b: Iterable<ProceduralProblem>): SplitOverlap {
  const [left, right] = [a, b].map((problems) => {
    const combinations = new Set<string>();
    const questions = new Set<string>();
    for (const { scenario, signature, question } of problems) {
      combinations.add(`${scenario} ${signature}`);
      questions.add(question);
    }
    return { combinations, questions };
  }) as [Record<keyof SplitOverlap, Set<string>>, Record<keyof SplitOverlap, Set<string>>];
  const common = (of: keyof SplitOverlap) => [...right[of]].filter((each) => left[of].has(each)).length;
  return { combinations: common("combinations"), questions: common("questions") };
}
