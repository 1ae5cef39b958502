import type { Policy } from "../answer/index.js";
import { badInput } from "../core/index.js";
import { acu, type CrossedValues, crossedEstimate, type Estimate, type EvaluationRecord } from "../eval/index.js";

const RATIO = { scale: "log" } as const;

/**
 * What an arm did with one seed under one budget, problem by problem in the task's order; of several texts to a problem
 * their mean. Under each policy that was asked for: 1 if right, 0 if not.
 */
export interface ArmAnswers extends Partial<Record<Policy, number[]>> {
  budget: number;
  /** 1 if the model ended its text itself, 0 if not. */
  finished: number[];
  /** In tokens, of all calls. */
  length: number[];
}

/** What an arm reaches under one budget, shares from 0 to 1; 95 % intervals over seeds and problems. */
export interface ArmMeasures {
  budget: number;
  /** As the study's policy grades, and its ACU. */
  accuracy: Estimate;
  acu: Estimate;
  strict: Estimate;
  finishRate: Estimate;
  length: Estimate;
}

/** An arm compared with another one, seed by seed and problem by problem. */
export interface ArmComparison {
  budget: number;
  /** Accuracy − the other's. */
  difference: Estimate;
  /** Accuracy ÷ the other's, and likewise ACU; undefined if the other's is 0. */
  accuracyRatio?: Estimate;
  acuRatio?: Estimate;
  /** Mean length ÷ the other's. */
  lengthRatio: Estimate;
}

/**
 * An arm's answers by budget, from the records of one evaluation, which stand in the task's order.
 *
 * @param policy graded besides the strict one
 * @throws bad-input if the policy does not apply to a problem
 */
export function armAnswers(records: readonly EvaluationRecord[], policy: Policy = "strict"): ArmAnswers[] {
  const budgets = [...new Set(records.map(({ budget }) => budget))].sort((a, b) => a - b);
  return budgets.map((budget) => {
    const problems = new Map<string, EvaluationRecord[]>();
    for (const record of records.filter((each) => each.budget === budget)) {
      const own = problems.get(record.problem);
      if (own) own.push(record);
      else problems.set(record.problem, [record]);
    }
    const means = (of: (record: EvaluationRecord) => number) =>
      [...problems.values()].map((own) => own.reduce((sum, record) => sum + of(record), 0) / own.length);
    return {
      budget,
      [policy]: means((record) => rightness(record, policy)),
      strict: means((record) => rightness(record, "strict")),
      finished: means(({ finishReason }) => Number(finishReason === "stop")),
      length: means(({ completionTokens }) => completionTokens),
    };
  });
}

function rightness({ correct, problem, kind }: EvaluationRecord, policy: Policy): number {
  const is = correct[policy];
  if (is !== undefined) return Number(is);
  throw badInput(
    `the policy ${policy} says nothing of ${problem}, whose answer is of the kind ${kind}`,
    "Choose strict.",
  );
}

/**
 * The measures of an arm by budget.
 *
 * @param seeds of each seed its answers by budget
 * @throws RangeError if seeds have other budgets or problems, or were not graded by the policy
 */
export const armMeasures = (seeds: readonly (readonly ArmAnswers[])[], policy: Policy = "strict"): ArmMeasures[] =>
  byBudget(seeds, policy).map(({ budget, right, strict, finished, length }) => {
    const share = (values: CrossedValues) => crossedEstimate([values], (mean) => mean, { scale: "logit" });
    return {
      budget,
      accuracy: share(right),
      acu: crossedEstimate([right, length], (share, tokens) => acu(share, tokens) ?? 0),
      strict: share(strict),
      finishRate: share(finished),
      length: crossedEstimate([length], (mean) => mean),
    };
  });

/**
 * Compare two arms by budget.
 *
 * @param seeds of each seed the answers of the one by budget
 * @throws RangeError if they have other seeds, budgets or problems, or were not graded by the policy
 */
export function compareArms(
  seeds: readonly (readonly ArmAnswers[])[],
  others: readonly (readonly ArmAnswers[])[],
  policy: Policy = "strict",
): ArmComparison[] {
  const own = seeds.length;
  return byBudget([...seeds, ...others], policy).map(({ budget, ...all }) => {
    const [right, otherRight] = [all.right.slice(0, own), all.right.slice(own)];
    const [length, otherLength] = [all.length.slice(0, own), all.length.slice(own)];
    const ratios = {
      accuracyRatio: crossedEstimate([right, otherRight], (a, b) => a / b, RATIO),
      acuRatio: crossedEstimate([right, length, otherRight, otherLength], (a, m, b, n) => a / m / (b / n), RATIO),
    };
    return {
      budget,
      difference: crossedEstimate([right, otherRight], (a, b) => a - b),
      ...(Number.isFinite(ratios.accuracyRatio.value) ? ratios : {}),
      lengthRatio: crossedEstimate([length, otherLength], (a, b) => a / b, RATIO),
    };
  });
}

/** Each quantity as `[seed][problem]`, by budget. */
function byBudget(seeds: readonly (readonly ArmAnswers[])[], policy: Policy) {
  const budgets = seeds[0]?.map(({ budget }) => budget) ?? [];
  const isSame = (answers: readonly ArmAnswers[]) =>
    answers.length === budgets.length && answers.every(({ budget }, i) => budget === budgets[i]);
  if (!seeds.every(isSame)) throw new RangeError("expected the same budgets with each seed");
  return budgets.map((budget, i) => {
    const of = (quantity: Policy | "finished" | "length"): CrossedValues =>
      seeds.map((answers) => {
        const values = answers[i]![quantity];
        if (values) return values;
        throw new RangeError(`the answers were not graded as ${quantity}`);
      });
    return { budget, right: of(policy), strict: of("strict"), finished: of("finished"), length: of("length") };
  });
}
