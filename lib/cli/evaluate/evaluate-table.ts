import type { EvaluationSummary, Measures } from "../../eval/index.js";
import { alignedLines, percent, percentRange } from "../table.js";

const HEADER = [
  "budget",
  "operations",
  "problems",
  "finished",
  "tokens",
  "strict",
  "95 %",
  "astar",
  "95 %",
  "ACU",
  "ACU a B",
];

/** The summary as a table with its 95 % intervals, and further remarks. */
export function readableSummary(summary: EvaluationSummary): string {
  const { budgets: all, problems, leftOut, parameterCount } = summary;
  const several = all[0]!.samples > 1;
  const header = [...HEADER, ...(several ? [`pass@${all[0]!.samples}`, "majority"] : [])];
  const rows = all.flatMap(({ budget, byOperations = [], ...measures }) => {
    const levels = byOperations.length > 1 ? byOperations : [];
    return [
      [String(budget), levels.length > 0 ? "all" : "", ...cells(measures, several)],
      ...levels.map(({ operations, ...each }) => ["", String(operations), ...cells(each, several)]),
    ];
  });
  // Drop columns without information, such as the operations of GSM8K.
  const shown = header.map((_, column) => rows.some((row) => row[column] !== ""));
  const table = [header, ...rows].map((row) => row.filter((_, column) => shown[column]));
  const { calls, promptTokens, completionTokens } = all.at(-1)!;
  const notes = [
    `${rounded(calls)} calls, ${rounded(promptTokens)} tokens in and ${rounded(completionTokens)} out a question at budget ${all.at(-1)!.budget}`,
    ...all
      .filter(({ finishRate }) => finishRate.value === 0)
      .map(({ budget }) => `No text ended by itself at budget ${budget}: its length is the budget's.`),
    ...(all[0]!.tooLong > 0 ? [`${all[0]!.tooLong} prompts were too long for the model; they count as wrong.`] : []),
    ...all.flatMap(({ budget, failedSteps: failed }) => {
      if (!failed || failed.attempts === 0) return [];
      const steps = Object.entries(failed.steps).map(([step, count]) => `${step} ${count}`);
      const attempts = failed.attempts === 1 ? "1 attempt went" : `${failed.attempts} attempts went`;
      return [`${attempts} on from failed steps at budget ${budget}: ${steps.join(", ")}.`];
    }),
    ...(leftOut > 0 ? [`${leftOut} rows of the data set gave no problem.`] : []),
  ];
  const size = parameterCount === undefined ? "" : `, ${(parameterCount / 1e6).toPrecision(3)} M parameters`;
  const { systemPrompt } = summary;
  const prompt =
    systemPrompt === undefined ? "" : `, system prompt ${/\s/.test(systemPrompt) ? "of your own" : systemPrompt}`;
  const title = `${summary.model}${size}: ${problems.toLocaleString("en-US")} problems of ${summary.task}, ${summary.strategy}${prompt}`;
  return [title, ...alignedLines(table), ...notes].join("\n");
}

function cells(
  { problems, finishRate, length, accuracy, acu, acuByParameters, passAtK, majority }: Measures,
  several: boolean,
): string[] {
  const shareOf = (policy: "strict" | "astar"): [string, string] => {
    const { value, interval } = accuracy[policy] ?? {};
    return value === undefined || !interval ? ["", ""] : [percent(value), percentRange(interval)];
  };
  const counted = acu.astar ?? acu.strict;
  const bySize = acuByParameters?.astar ?? acuByParameters?.strict;
  return [
    String(problems),
    `${percent(finishRate.value)} %`,
    length === undefined ? "" : length.value.toFixed(1),
    ...shareOf("strict"),
    ...shareOf("astar"),
    counted === undefined ? "" : counted.toFixed(2),
    bySize === undefined ? "" : bySize.toPrecision(4),
    ...(several ? [percent(passAtK?.at(-1)?.strict ?? Number.NaN), percent(majority?.value ?? Number.NaN)] : []),
  ];
}

const rounded = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });
