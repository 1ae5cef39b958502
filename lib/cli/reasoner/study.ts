import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath, writeWhole } from "../../core/index.js";
import type { ReasonerResults } from "../../reasoner/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, MEMORY, NUMERICS_OF_ALL_HELP, parseNumericsOfAll, THREADS, useMemory } from "../memory.js";
import { byteSize, count, decimal } from "../numbers.js";
import { namedValue } from "../pairs.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent } from "../table.js";

const studyCommand = (program: Command) =>
  program
    .command("study")
    .description("run the measurements of a plan: loops of all learners and seeds, searches at equal budgets")
    .argument("<plan.json>", "such as data/studies/reasoner.json")
    .option("--out <folder>", "the folder of everything that comes out (default: runs/ and the plan's name)")
    .option("--results <file.json>", "write what is finished to this file, after each job")
    .option("--model <name=spec>", "another specification of a model of the plan; may be repeated", namedValue)
    .option("--only <ids...>", "only these jobs, or those whose ids begin so, such as learners")
    .option("--hours <n>", "stop after so many hours; the same command goes on later", decimal)
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--numerics <path>", `of searches: ${NUMERICS_OF_ALL_HELP}`, parseNumericsOfAll)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--list", "list the jobs and end");

export function addReasonerStudyCommand(program: Command): void {
  studyCommand(program).action((file: string, flags: Flags<typeof studyCommand>) =>
    resumable((signal) => study(file, flags, signal)),
  );
}

async function study(file: string, flags: Flags<typeof studyCommand>, signal: AbortSignal): Promise<void> {
  useMemory(flags.memory);
  const { jobsOf, readReasonerPlan, runReasonerStudy } = await import("../../reasoner/index.js");
  const plan = await readReasonerPlan(resolveUserPath(file));
  if (flags.list) {
    console.log(
      jobsOf(plan)
        .map(({ id }) => id)
        .join("\n"),
    );
    return;
  }
  const { out = `runs/${plan.name}`, results, model: specs, only, hours, threads, batchSize, numerics } = flags;
  const save = async (found: ReasonerResults) => {
    if (results !== undefined) await writeWhole(resolveUserPath(results), `${JSON.stringify(found, null, 1)}\n`);
  };
  const found = await runReasonerStudy(plan, {
    ...{ specs, only, hours, threads, batchSize, numerics, signal, folder: resolveUserPath(out), onResults: save },
  });
  await save(found);
  console.log(readable(found));
}

function readable({ loops, searches, unfinished }: ReasonerResults): string {
  const tables = [
    loops.length === 0
      ? []
      : alignedLines([
          ["loop", "held-out % by round"],
          ...loops.map(({ id, rounds }) => [id, rounds.map(({ heldOut }) => percent(heldOut.accuracy)).join(" → ")]),
        ]),
    searches.length === 0
      ? []
      : alignedLines([
          ["search", "accuracy %", "best", "majority", "weighted", "random", "coverage", "tokens"],
          ...searches.map(({ id, summary: { accuracy, selections, tokens } }) => [
            id,
            percent(accuracy.value),
            ...(["best", "majority", "weighted", "random", "coverage"] as const).map((name) =>
              percent(selections[name]),
            ),
            tokens.value.toFixed(0),
          ]),
        ]),
    unfinished.length === 0 ? [] : [`not finished: ${unfinished.join(", ")}`],
  ];
  return tables.flatMap((lines) => (lines.length > 0 ? [lines.join("\n")] : [])).join("\n\n");
}
