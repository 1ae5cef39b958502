import type { Command } from "commander";
import type { ComparisonResult, SetResult, StudentsResult, StudyResults } from "../astar/index.js";
import { resolveUserPath, writeWhole } from "../core/index.js";
import type { Estimate } from "../eval/index.js";
import { resumable } from "./resumable.js";
import { alignedLines, percent, percentRange } from "./table.js";

const OUTPUT = `
The folder gets chains.jsonl, sets/ (compressed chains, and the conversations that students learn from), students/SET/SEED (a
checkpoint each) and evaluations/SET/SEED (records). Accuracy is graded as the paper does: of an answer that was cut off the
last number counts. Intervals are 95 % over seeds and problems. Ctrl-C keeps what is finished; the same command goes on from there.`;

interface StudyFlags {
  out: string;
  results?: string;
}

export function addStudyCommand(program: Command): void {
  program
    .command("study")
    .description("compress chains in several ways, train students on each set, and measure them (A*-Thought)")
    .argument("<study.json>", "the settings, such as data/studies/astar.json")
    .requiredOption("--out <folder>", "the folder of everything that comes out")
    .option("--results <file.json>", "write all numbers to this file")
    .addHelpText("after", OUTPUT)
    .action((file: string, flags: StudyFlags) =>
      resumable("The same command goes on from there.", (signal) => study(file, flags, signal)),
    );
}

async function study(file: string, { out, results }: StudyFlags, signal: AbortSignal): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { readStudy, runStudy } = await import("../astar/index.js");
  const settings = await readStudy(resolveUserPath(file));
  const found = await runStudy({ study: settings, folder: resolveUserPath(out), signal });
  if (results !== undefined) await writeWhole(resolveUserPath(results), `${JSON.stringify(found, null, 1)}\n`);
  console.log(readable(found));
}

function readable({ sets, students, comparisons }: StudyResults): string {
  const tables = [
    alignedLines([
      ["set", "tokens kept %", "steps kept %", "accepted %", "precision %", "recall %"],
      ...sets.map(setRow),
    ]),
    students.length === 0
      ? []
      : alignedLines([
          ["students", "budget", "accuracy %", "95 %", "ACU", "tokens", "finished %", "strict %"],
          ...students.flatMap(studentRows),
        ]),
    comparisons.length === 0
      ? []
      : alignedLines([
          ["compared", "with", "budget", "accuracy ×", "95 %", "ACU ×", "95 %", "points", "95 %", "tokens ×"],
          ...comparisons.flatMap(comparisonRows),
        ]),
  ];
  return tables.flatMap((lines) => (lines.length > 0 ? lines.join("\n") : [])).join("\n\n");
}

const setRow = ({ method, keptTokens, keptSteps, acceptedShare, precision, recall }: SetResult): string[] => [
  method,
  percent(keptTokens),
  percent(keptSteps),
  percent(acceptedShare),
  shareOf(precision),
  shareOf(recall),
];

const shareOf = (estimate: Estimate | undefined): string => (estimate ? percent(estimate.value) : "–");

const studentRows = ({ method, budgets }: StudentsResult): string[][] =>
  budgets.map(({ budget, accuracy, acu, length, finishRate, strict }, i) => [
    i === 0 ? method : "",
    String(budget),
    percent(accuracy.value),
    accuracy.interval ? percentRange(accuracy.interval) : "–",
    acu.value.toFixed(2),
    length.value.toFixed(1),
    percent(finishRate.value),
    percent(strict.value),
  ]);

const comparisonRows = ({ set, other, budgets }: ComparisonResult): string[][] =>
  budgets.map(({ budget, accuracyRatio, acuRatio, difference, lengthRatio }, i) => [
    ...(i === 0 ? [set, other] : ["", ""]),
    String(budget),
    ...[accuracyRatio, acuRatio].flatMap((ratio) => [
      ratio ? ratio.value.toFixed(2) : "–",
      ratio?.interval ? ratio.interval.map((end) => end.toFixed(2)).join(" – ") : "–",
    ]),
    percent(difference.value),
    difference.interval ? percentRange(difference.interval) : "–",
    lengthRatio.value.toFixed(2),
  ]);
