import { compareRecords, type EvaluationRecord, majorityOf, type PairedOutcomes } from "../../eval/index.js";
import type { BaselinePlan } from "./plan.js";

/** Two arms on the same problems, under their largest budgets and the strict policy. */
export interface BaselineComparison extends PairedOutcomes {
  arm: string;
  other: string;
  /** At equal tokens: how many samples of the other one vote. */
  samples?: number;
  /** Mean new tokens of a problem: of the arm, and of the other. */
  tokens: [arm: number, other: number];
}

/** Compare the pairs of a plan whose arms are finished. */
export function compareArms(
  { comparisons, equalTokens }: Pick<BaselinePlan, "comparisons" | "equalTokens">,
  records: ReadonlyMap<string, readonly EvaluationRecord[]>,
): BaselineComparison[] {
  const finished = ([arm, other]: readonly [string, string]) => records.has(arm) && records.has(other);
  return [
    ...comparisons.filter(finished).map(([arm, other]): BaselineComparison => {
      const [own, others] = [voted(records.get(arm)!), voted(records.get(other)!)];
      return { arm, other, tokens: [tokensOf(own), tokensOf(others)], ...compareRecords(own, others) };
    }),
    ...equalTokens.filter(finished).map(([arm, other]): BaselineComparison => {
      const own = voted(records.get(arm)!);
      const shared = new Set(own.map(({ problem }) => problem));
      const sampled = records.get(other)!.filter(({ problem }) => shared.has(problem));
      const most = sampled.reduce((count, { sample }) => Math.max(count, sample + 1), 1);
      let samples = 1;
      let others = voted(sampled, samples);
      while (samples < most && tokensOf(others) < tokensOf(own)) others = voted(sampled, ++samples);
      return { arm, other, samples, tokens: [tokensOf(own), tokensOf(others)], ...compareRecords(own, others) };
    }),
  ];
}

/** A record for each problem under the largest budget: what the majority of its first samples says, and what all of these cost. */
function voted(records: readonly EvaluationRecord[], samples = Number.POSITIVE_INFINITY): EvaluationRecord[] {
  const largest = records.reduce((most, { budget }) => Math.max(most, budget), 0);
  return majorityOf(records.filter(({ budget, sample }) => budget === largest && sample < samples));
}

const tokensOf = (records: readonly EvaluationRecord[]): number =>
  records.reduce((sum, { completionTokens }) => sum + completionTokens, 0) / records.length;
