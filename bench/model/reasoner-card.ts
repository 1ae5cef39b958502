import { mostOperations, type TrainingOfModel } from "thoughtbook/train";
import { band, percent, table } from "./markdown.js";
import type { ReasonerMeasurement } from "./reasoner.js";

export const REASONER = "It is good inside its world and near zero outside.";

/** What was measured of a model that solves problems. */
export function reasonerSections(training: TrainingOfModel, measured: ReasonerMeasurement): string {
  const { chainOfThought, late, equations, distractors, long, operations, datasets } = measured;
  const most = mostOperations(training);
  const mostLate = Math.max(...late.map(({ late }) => late));
  const levels = (rows: ReasonerMeasurement["chainOfThought"]) =>
    table(
      ["operations", "accuracy %", "95 %", "tokens", "wrong arithmetic %", "wrong path %", "no answer %"],
      rows.map(({ operations, accuracy, interval, length, causes }) => [
        operations,
        percent(accuracy),
        band(interval),
        length.toFixed(1),
        percent(causes.arithmetic),
        percent(causes.path),
        percent(causes.unfinished),
      ]),
    );
  return `Greedy, on unseen problems of scenarios and structures that were held out (${measured.chainOfThought[0]!.problems} for each row), strict grading, Wilson's 95 %
intervals. Trained on 1 to ${most} operations.

Step by step, without distractors:

${levels(chainOfThought)}

The same by what makes a text hard to follow, the quantities that it uses before it tells how they follow:

${table(
  ["operations", "quantities told late", "problems", "accuracy %", "95 %"],
  late.map(({ operations, late, problems, accuracy, interval }) => [
    operations,
    late < mostLate ? late : `${late} or more`,
    problems,
    percent(accuracy),
    band(interval),
  ]),
)}

Equations of these chains, on 1 to ${most} operations, that most often go wrong; a d is a digit:

${table(
  ["form", "stated", "wrong %", "95 %"],
  equations.map(({ form, wrong }) => [`\`${form}\``, wrong.count, percent(wrong.value), band(wrong.interval!)]),
)}

With ${distractors[0]!.distractors} facts that the answer does not need:

${levels(distractors)}

${long ? longSection(long) : ""}Operations on problems of 1 to ${most} operations. Right are answers equal to the problem's, graphs and plans equal to its own; contracted
questions with the same answer and none of the solved operations, rewritten ones with the same answer, all told in order and nothing else.
Programs and functions are not run:

${table(
  ["operation", "parsed %", "right %", "tokens"],
  operations.map(({ operation, parsed, right, tokens }) => [
    operation,
    percent(parsed.value),
    right ? percent(right.value) : "",
    tokens.toFixed(1),
  ]),
)}

${
  datasets.length === 0
    ? ""
    : `Real problems, step by step:\n\n${table(
        ["data set", "problems", "accuracy %", "95 %"],
        datasets.map(({ dataset, problems, accuracy, interval }) => [
          dataset,
          problems,
          percent(accuracy),
          band(interval),
        ]),
      )}\n`
}
1,000 problems of 2 to 5 operations take ${measured.secondsFor1000} s on ${measured.machine.cores} cores (${measured.machine.processor}).

## Limits

It knows the words, names and phrasings of our problems only: other text is noise to it. Numbers are whole and at most 9,999. Where
it fails, and for which reason, is in the tables above.
`;
}

const longSection = ({ operations, problems, meanLength, budgets }: NonNullable<ReasonerMeasurement["long"]>) =>
  `Thinking long before the answer, ${problems} problems of ${operations.join(" to ")} operations; the mean length is ${meanLength.toFixed(0)} tokens:

${table(
  ["budget", "accuracy %", "95 %", "finished %", "tokens"],
  budgets.map(({ budget, accuracy, interval, finishRate, length }) => [
    budget,
    percent(accuracy),
    band(interval),
    percent(finishRate),
    length.toFixed(1),
  ]),
)}

`;
