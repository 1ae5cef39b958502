import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { AstarStudy, AstarStudyResults, SetComparison, SetResult } from "../astar/index.js";
import { badInput, resolveUserPath, writeWhole } from "../core/index.js";
import type { Estimate } from "../eval/index.js";
import type { ArmResult } from "../study/index.js";
import type { Flags } from "./flags.js";
import { MEMORY, NUMERICS_OF_ALL_HELP, parseNumericsOfAll, useMemory } from "./memory.js";
import { byteSize, decimal } from "./numbers.js";
import { resumable } from "./resumable.js";
import { alignedLines, percent, percentRange } from "./table.js";

const OUTPUT = `
The folder gets chains.jsonl, sets/ (compressed chains, and the conversations that students learn from), students/SET/SEED (a
checkpoint each) and evaluations/SET/SEED (records). Accuracy is graded as the paper does: of an answer that was cut off the
last number counts. Intervals are 95 % over seeds and problems. Ctrl-C keeps what is finished; the same command goes on from there.`;

export function addStudyCommand(program: Command): void {
  studyCommand(program).action((file: string, flags: Flags<typeof studyCommand>) =>
    resumable((signal) => study(file, flags, signal)),
  );
}

const studyCommand = (program: Command) =>
  program
    .command("study")
    .description("compress chains in several ways, train students on each set, and measure them (A*-Thought)")
    .argument("<study.json>", "the settings, such as data/studies/astar.json")
    .requiredOption("--out <folder>", "the folder of everything that comes out")
    .option("--results <file.json>", "write all numbers to this file")
    .option("--model <role=spec>", "base, validator or scorer from another place; may be given again", role)
    .option("--chains <file>", "the file of chains of the study from another place")
    .option("--hours <h>", "stop after this many hours and measure what is finished", decimal)
    .option("--numerics <path>", NUMERICS_OF_ALL_HELP, parseNumericsOfAll)
    .option("--memory <size>", MEMORY, byteSize)
    .addHelpText("after", OUTPUT);

async function study(
  file: string,
  { out, results, memory, model, chains, hours, numerics }: Flags<typeof studyCommand>,
  interruption: AbortSignal,
): Promise<void> {
  useMemory(memory);
  // Here, so that other commands need not load the engine.
  const { readStudy, runAstarStudy } = await import("../astar/index.js");
  const settings = await readStudy(resolveUserPath(file));
  const given = { study: withPlaces(settings, model, chains), folder: resolveUserPath(out) };
  const found = await runAstarStudy({ ...given, hours, numerics, signal: interruption });
  // As the file has it: where the models lay here is of no use elsewhere, and their hashes are among the results.
  const shown = { ...found, study: settings };
  if (results !== undefined) await writeWhole(resolveUserPath(results), `${JSON.stringify(shown, null, 1)}\n`);
  console.log(readable(found));
  if (found.unfinished.length === 0) return;
  console.log(
    `\nThe ${hours} hours are over. Not measured yet: ${found.unfinished.join(", ")}; the same command goes on.`,
  );
}

/** The study with models and chains at other places; results tell models by their hashes. */
function withPlaces(study: AstarStudy, models: Record<string, string> = {}, file?: string): AstarStudy {
  if (file !== undefined && !("file" in study.chains)) {
    throw badInput(`the study ${study.name} has no file of chains`, "Leave out --chains.");
  }
  const chains =
    file !== undefined && "file" in study.chains ? { ...study.chains, file: resolveUserPath(file) } : study.chains;
  return { ...study, chains, models: { ...study.models, ...models } };
}

const ROLES = ["base", "validator", "scorer"];

function role(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const [, name, spec] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || !ROLES.includes(name)) {
    throw new InvalidArgumentError("expected base=, validator= or scorer= and a model.");
  }
  return { ...earlier, [name]: spec! };
}

function readable({ sets, students, comparisons }: AstarStudyResults): string {
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

const studentRows = ({ method, budgets }: ArmResult): string[][] =>
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

const comparisonRows = ({ set, other, budgets }: SetComparison): string[][] =>
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
