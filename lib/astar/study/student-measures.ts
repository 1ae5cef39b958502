import { acu, type CrossedValues, crossedEstimate, type Estimate, type EvaluationRecord } from "../../eval/index.js";

const RATIO = { scale: "log" } as const;

/** Results of a student under one budget, by problem in the task's order. */
export interface StudentAnswers {
  budget: number;
  /** 0 or 1: right as the paper grades, which takes the last number of an answer that was cut off; right as it stands. */
  astar: number[];
  strict: number[];
  /** 0 or 1: whether the student ended its answer itself. */
  finished: number[];
  /** Length of the answer in tokens. */
  length: number[];
}

/** Measures of a set's students under one budget: shares from 0 to 1; 95 % intervals over seeds and problems. */
export interface StudentMeasures {
  budget: number;
  /** Accuracy as the paper grades, and its ACU. */
  accuracy: Estimate;
  acu: Estimate;
  strict: Estimate;
  finishRate: Estimate;
  length: Estimate;
}

/** Comparison of a set's students with those of another one, paired by seed and problem. */
export interface StudentComparison {
  budget: number;
  /** Accuracy − the other set's. */
  difference: Estimate;
  /** Accuracy ÷ the other set's, and the same ratio of ACU; undefined if the denominator is 0. */
  accuracyRatio?: Estimate;
  acuRatio?: Estimate;
  /** Mean length ÷ the other set's. */
  lengthRatio: Estimate;
}

/** A student's answers by budget, from its records. */
export function studentAnswers(records: readonly EvaluationRecord[]): StudentAnswers[] {
  const budgets = [...new Set(records.map(({ budget }) => budget))].sort((a, b) => a - b);
  return budgets.map((budget) => {
    const own = records.filter((record) => record.budget === budget);
    return {
      budget,
      astar: own.map(({ correct }) => Number(correct.astar)),
      strict: own.map(({ correct }) => Number(correct.strict)),
      finished: own.map(({ finishReason }) => Number(finishReason === "stop")),
      length: own.map(({ completionTokens }) => completionTokens),
    };
  });
}

/**
 * The measures of a set's students by budget.
 *
 * @param students of each seed its answers by budget
 * @throws RangeError if students have other budgets or problems
 */
export const studentMeasures = (students: readonly (readonly StudentAnswers[])[]): StudentMeasures[] =>
  byBudget(students).map(({ budget, astar, strict, finished, length }) => {
    const share = (values: CrossedValues) => crossedEstimate([values], (mean) => mean, { scale: "logit" });
    return {
      budget,
      accuracy: share(astar),
      acu: crossedEstimate([astar, length], (share, tokens) => acu(share, tokens) ?? 0),
      strict: share(strict),
      finishRate: share(finished),
      length: crossedEstimate([length], (mean) => mean),
    };
  });

/**
 * Compare the students of two sets by budget.
 *
 * @throws RangeError if they have other seeds, budgets or problems
 */
export function compareStudents(
  students: readonly (readonly StudentAnswers[])[],
  others: readonly (readonly StudentAnswers[])[],
): StudentComparison[] {
  const own = students.length;
  return byBudget([...students, ...others]).map(({ budget, ...all }) => {
    const [astar, otherAstar] = [all.astar.slice(0, own), all.astar.slice(own)];
    const [length, otherLength] = [all.length.slice(0, own), all.length.slice(own)];
    const ratios = {
      accuracyRatio: crossedEstimate([astar, otherAstar], (a, b) => a / b, RATIO),
      acuRatio: crossedEstimate([astar, length, otherAstar, otherLength], (a, m, b, n) => a / m / (b / n), RATIO),
    };
    return {
      budget,
      difference: crossedEstimate([astar, otherAstar], (a, b) => a - b),
      ...(Number.isFinite(ratios.accuracyRatio.value) ? ratios : {}),
      lengthRatio: crossedEstimate([length, otherLength], (a, b) => a / b, RATIO),
    };
  });
}

type Quantity = Exclude<keyof StudentAnswers, "budget">;

/** Each quantity as `[seed][problem]`, by budget. */
function byBudget(students: readonly (readonly StudentAnswers[])[]) {
  const budgets = students[0]?.map(({ budget }) => budget) ?? [];
  if (students.some((student) => student.some(({ budget }, i) => budget !== budgets[i]))) {
    throw new RangeError("expected the same budgets of each student");
  }
  return budgets.map((budget, i) => {
    const of = (quantity: Quantity): CrossedValues => students.map((student) => student[i]![quantity]);
    return { budget, astar: of("astar"), strict: of("strict"), finished: of("finished"), length: of("length") };
  });
}

/** A point of a figure of accuracy or ACU by budget; accuracy in percent. */
export interface StudentPoint {
  panel: string;
  method: string;
  budget: number;
  accuracy: number;
  low: number | null;
  high: number | null;
  length: number;
  acu: number;
  acuLow: number | null;
  acuHigh: number | null;
}

/**
 * Results of students in the form that `budgetFigure` of `thoughtbook/plot` takes.
 *
 * @param panel name of the panel of the points
 */
export const studentPoints = (
  students: readonly { method: string; budgets: readonly StudentMeasures[] }[],
  panel = "ours",
): StudentPoint[] =>
  students.flatMap(({ method, budgets }) =>
    budgets.map(({ budget, accuracy, length, acu }) => ({
      panel,
      method,
      budget,
      accuracy: 100 * accuracy.value,
      low: accuracy.interval ? 100 * accuracy.interval[0] : null,
      high: accuracy.interval ? 100 * accuracy.interval[1] : null,
      length: length.value,
      acu: acu.value,
      acuLow: acu.interval?.[0] ?? null,
      acuHigh: acu.interval?.[1] ?? null,
    })),
  );
