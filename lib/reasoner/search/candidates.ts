import { extractAnswer } from "../../answer/index.js";
import { mean, sum } from "../../core/index.js";
import { type Problem, sameAnswer } from "../../tasks/index.js";

/** A solution that a search has found. */
export interface Candidate {
  text: string;
  begun?: string | undefined;
  /** What is graded; undefined if there is no final answer. */
  solution?: string | undefined;
  /** How it came about. */
  source: "sample" | "revision" | "step" | "rollout";
  /** New tokens, those of the steps before it included. */
  tokens: number;
  /** Mean log-probability of its tokens; undefined where the model does not tell. */
  logProb?: number | undefined;
  /** How good the search takes it to be, from 0 to 1. */
  score: number;
}

/**
 * A log-probability to three decimals: its last digits depend on what else is in a batch, and what a search decides must not.
 */
export const steady = (logProb: number): number => Math.round(1000 * logProb) / 1000;

/** How one candidate is taken as the answer. */
export const SELECTIONS = ["best", "majority", "weighted"] as const;
export type Selection = (typeof SELECTIONS)[number];

/** The answer that a candidate votes for; undefined if it has none. */
export function answerOf(
  { kind }: Pick<Problem, "kind">,
  { solution }: Pick<Candidate, "solution">,
): string | undefined {
  if (solution === undefined || kind === "code") return solution;
  const wanted = kind === "symbols" || kind === "game24" ? "math" : kind;
  const answer = extractAnswer(solution, "strict", { kind: wanted });
  return answer.ok ? answer.value : undefined;
}

/** An order of candidates that does not depend on the order in which they were found: shorter ones first. */
const inOrder = (a: Candidate, b: Candidate): number =>
  a.tokens - b.tokens || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);

/**
 * Choose a candidate; which one does not depend on their order. `best`: the highest score. `majority`: of the answer that most have.
 * `weighted`: of the answer whose candidates have the highest scores together. Among equals, and within an answer after the
 * score, the one of fewest tokens, then by its text. Candidates without an answer are taken only if there are no others.
 *
 * @returns its index; undefined if there are none
 */
export function chooseCandidate(
  problem: Pick<Problem, "kind">,
  candidates: readonly Candidate[],
  selection: Selection,
): number | undefined {
  const ordered = [...candidates.entries()].sort(([, a], [, b]) => inOrder(a, b));
  const answered = ordered.filter(([, each]) => answerOf(problem, each) !== undefined);
  const pool = answered.length > 0 ? answered : ordered;
  if (pool.length === 0) return undefined;
  if (selection === "best" || answered.length === 0) return highest(pool);
  const groups = groupAnswers(problem, answered);
  const worth = (group: typeof pool) =>
    selection === "majority" ? group.length : sum(group.map(([, { score }]) => score));
  // Among equals the first: groups are in the order of their first candidate.
  const best = groups.reduce((found, group) => (worth(group) > worth(found) + 1e-12 ? group : found));
  return highest(best);
}

const highest = (pool: readonly (readonly [number, Candidate])[]): number =>
  pool.reduce((found, each) => (each[1].score > found[1].score ? each : found))[0];

function groupAnswers<T extends readonly [number, Candidate]>(
  problem: Pick<Problem, "kind">,
  pool: readonly T[],
): T[][] {
  const groups: T[][] = [];
  for (const each of pool) {
    const answer = answerOf(problem, each[1])!;
    const group = groups.find(([first]) => sameAnswer(problem.kind, answerOf(problem, first![1])!, answer));
    if (group) group.push(each);
    else groups.push([each]);
  }
  return groups;
}

/** What each way to choose would have given, as shares of right answers. */
export interface SelectionMeasures {
  best: number;
  majority: number;
  weighted: number;
  /** Expected share of a candidate taken at random. */
  random: number;
  /** 1 if any candidate is right: what a perfect choice would reach. */
  coverage: number;
}

/**
 * Measure all selections among the candidates of a problem.
 *
 * @param correct whether each candidate is right
 */
export function selectionMeasures(
  problem: Pick<Problem, "kind">,
  candidates: readonly Candidate[],
  correct: readonly boolean[],
): SelectionMeasures {
  const chosen = (selection: Selection) => {
    const index = chooseCandidate(problem, candidates, selection);
    return Number(index !== undefined && correct[index]!);
  };
  return {
    best: chosen("best"),
    majority: chosen("majority"),
    weighted: chosen("weighted"),
    random: correct.length === 0 ? 0 : mean(correct.map(Number)),
    coverage: Number(correct.some(Boolean)),
  };
}
