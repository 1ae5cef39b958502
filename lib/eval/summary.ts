import { z } from "zod";
import { POLICIES, type Policy } from "../answer/index.js";
import { groupBy, withoutUndefined } from "../core/index.js";
import { sameAnswer } from "../tasks/index.js";
import { clusteredProportion, type Estimate, mean, proportion } from "./intervals.js";
import { acu, acuByParameters, majorityIsCorrect, passAtK, passSizes } from "./metrics.js";
import type { EvaluationRecord } from "./records.js";

/** One value per policy that applies to all of the problems. */
export type ByPolicy<T> = Partial<Record<Policy, T>>;

/** Summary of the records under one budget. Shares are from 0 to 1, with 95 % intervals. */
export interface Measures {
  problems: number;
  /** Texts per problem. */
  samples: number;
  accuracy: ByPolicy<Estimate>;
  /** Token F1 of answers in words. */
  f1?: Estimate;
  /** Share of texts that the model ended itself. At 0, lengths are the budget's, not the model's. */
  finishRate: Estimate;
  /** Texts that were not generated because the prompt was too long; they count as wrong, and not in the length. */
  tooLong: number;
  /** Of strategies of several steps: the steps that failed after their retries, so that an attempt went on with a fallback. */
  failedSteps?: FailedSteps;
  /** Mean length of a text in tokens; undefined if there are no texts. */
  length?: Estimate;
  /** 100 · accuracy in percent / length. */
  acu: ByPolicy<number>;
  /** ACU divided by the model's parameters in billions, where known. */
  acuByParameters?: ByPolicy<number>;
  /** With several samples: pass@k. */
  passAtK?: ({ k: number } & ByPolicy<number>)[];
  /** With several samples: share of problems whose majority answer is right, under the strict policy. */
  majority?: Estimate;
  /** Mean per problem, for a run with this budget alone. */
  calls: number;
  promptTokens: number;
  completionTokens: number;
}

export interface FailedSteps {
  /** Attempts with a failed step. */
  attempts: number;
  /** Failures by the name of the step. */
  steps: Record<string, number>;
}

export interface BudgetMeasures extends Measures {
  budget: number;
  /** By number of operations that a problem needs, where known. */
  byOperations?: ({ operations: number } & Measures)[];
}

/**
 * Summarise records by budget, in ascending order. Every problem must have the same number of records under a budget.
 *
 * @throws RangeError if the numbers differ, or there are no records
 */
export function summarizeRecords(records: readonly EvaluationRecord[], parameterCount?: number): BudgetMeasures[] {
  if (records.length === 0) throw new RangeError("there are no records");
  const budgets = groupBy(records, ({ budget }) => budget);
  return [...budgets].sort(byKey).map(([budget, own]) => {
    const levels = groupBy(own, ({ operations }) => operations);
    const byOperations = [...levels].flatMap(([operations, each]) =>
      operations === undefined ? [] : [{ operations, ...measure(each, parameterCount) }],
    );
    return {
      budget,
      ...measure(own, parameterCount),
      ...(byOperations.length > 0 ? { byOperations: byOperations.sort((a, b) => a.operations - b.operations) } : {}),
    };
  });
}

/** Summarise the records under one budget. */
function measure(records: readonly EvaluationRecord[], parameterCount: number | undefined): Measures {
  const problems = [...groupBy(records, ({ problem }) => problem).values()];
  const samples = problems[0]!.length;
  if (problems.some(({ length }) => length !== samples)) {
    throw new RangeError("expected as many records for each problem under a budget");
  }
  const policies = POLICIES.filter((policy) => records.every(({ correct }) => correct[policy] !== undefined));
  const counts = (policy: Policy) => problems.map((own) => own.filter(({ correct }) => correct[policy]).length);
  const byPolicy = <T>(value: (policy: Policy) => T | undefined): ByPolicy<T> =>
    Object.fromEntries(
      policies.map((policy) => [policy, value(policy)] as const).filter(([, each]) => each !== undefined),
    );

  const asked = records.filter(({ calls }) => calls.length > 0);
  // Average over each problem first: its texts are correlated, so intervals are for the number of problems.
  const lengths = [...groupBy(asked, ({ problem }) => problem).values()].map(
    (own) => mean(own.map(({ completionTokens }) => completionTokens)).value,
  );
  const length = lengths.length === 0 ? undefined : mean(lengths);
  const ended = (own: readonly EvaluationRecord[]) =>
    own.filter(({ finishReason }) => finishReason === "stop").length / samples;
  const accuracy = byPolicy((policy) => clusteredProportion(counts(policy).map((count) => count / samples)));
  const accuracyOf = (policy: Policy) => accuracy[policy]!.value;
  const f1 = records.flatMap((record) => (record.f1 === undefined ? [] : [record.f1]));
  const perQuestion = (value: (record: EvaluationRecord) => number) =>
    records.reduce((sum, record) => sum + value(record), 0) / problems.length;
  return {
    problems: problems.length,
    samples,
    accuracy,
    ...(f1.length === records.length ? { f1: mean(f1) } : {}),
    finishRate: clusteredProportion(problems.map(ended)),
    tooLong: records.length - asked.length,
    ...withoutUndefined({ failedSteps: failedSteps(records) }),
    ...(length ? { length } : {}),
    acu: byPolicy((policy) => acu(accuracyOf(policy), length?.value ?? 0)),
    ...(parameterCount === undefined
      ? {}
      : {
          acuByParameters: byPolicy((policy) =>
            acuByParameters(accuracyOf(policy), length?.value ?? 0, parameterCount),
          ),
        }),
    ...(samples > 1
      ? {
          passAtK: passSizes(samples).map((k) => ({
            k,
            ...byPolicy((policy) => mean(counts(policy).map((count) => passAtK(samples, count, k))).value),
          })),
          majority: proportion(problems.filter(majority).length, problems.length),
        }
      : {}),
    calls: perQuestion(({ calls }) => calls.length),
    promptTokens: perQuestion(({ promptTokens }) => promptTokens),
    completionTokens: perQuestion(({ completionTokens }) => completionTokens),
  };
}

/** A trace says which steps failed by `failures`, a list of objects with the name of the step. */
const failuresSchema = z.looseObject({ failures: z.array(z.looseObject({ step: z.string() })) });

/** Undefined where no trace tells of failures. */
function failedSteps(records: readonly EvaluationRecord[]): FailedSteps | undefined {
  const told = records.flatMap(({ trace }) => {
    const read = failuresSchema.safeParse(trace);
    return read.success ? [read.data.failures] : [];
  });
  if (told.length === 0) return undefined;
  const steps: Record<string, number> = {};
  for (const { step } of told.flat()) steps[step] = (steps[step] ?? 0) + 1;
  return { attempts: told.filter(({ length }) => length > 0).length, steps };
}

function majority(samples: readonly EvaluationRecord[]): boolean {
  const { kind } = samples[0]!;
  const inOrder = [...samples].sort((a, b) => a.sample - b.sample);
  const votes = inOrder.map(({ answer, correct }) => ({ answer, correct: correct.strict ?? false }));
  return majorityIsCorrect(votes, (a, b) => sameAnswer(kind, a, b));
}

const byKey = ([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number => a - b;
