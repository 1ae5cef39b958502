import { join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath, writeWhole } from "../core/index.js";
import type { BaselineResults } from "../study/index.js";
import type { Flags } from "./flags.js";
import { BATCH_SIZE, NUMERICS_OF_ALL_HELP, parseNumericsOfAll, THREADS } from "./memory.js";
import { count, decimal } from "./numbers.js";
import { namedValue } from "./pairs.js";
import { resumable } from "./resumable.js";
import { alignedLines, percent, percentRange } from "./table.js";

const OUTPUT = `
The plan lists arms (a model, a data set, a way to answer) in the order in which they are measured. Each has a folder of its own under
--out, with a record for each attempt as soon as it is graded, so that the same command goes on after a kill at any moment. The results
hold what is finished, with --only of these arms: accuracy under all policies with intervals, finish rate, length, ACU, and the command that measures the arm alone.
Budgets below the largest are cut from the same texts where the model gives token ids, which is exact. An arm with a prompt learns that first
(vectors before every call, by group-relative advantages). The plan's comparisons are of the same problems, with the exact McNemar test; at
equal tokens as many samples of an arm vote as cost about what the other one costs.`;

export function addBaselinesCommand(program: Command): void {
  baselinesCommand(program).action((file: string, flags: Flags<typeof baselinesCommand>) =>
    resumable((signal) => baselines(file, flags, signal)),
  );
}

const baselinesCommand = (program: Command) =>
  program
    .command("baselines")
    .description("measure what models reach with plain prompting, on several data sets, resumable")
    .argument("<plan.json>", "the plan, such as data/baselines/real-baselines.json")
    .option("--out <folder>", "the folder of the records (default: runs/ and the plan's name)")
    .option("--model <name=spec>", "a model of the plan from another place; may be given again", namedValue)
    .option(
      "--asking <name=kind>",
      "how a model of the plan is asked (default: by its name); may be given again",
      namedValue,
    )
    .option("--only <arms>", "only these arms, with commas between them; --list tells them", (text) => text.split(","))
    .option("--hours <h>", "stop after this many hours and keep what is finished", decimal)
    .option("--results <file.json>", "write all numbers to this file, after each arm")
    .option(
      "--figures <folder>",
      "export the figures there: accuracy against tokens, and where they are known by depth, of transitions, of prompts",
    )
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--numerics <path>", NUMERICS_OF_ALL_HELP, parseNumericsOfAll)
    .option("--list", "print the arms, and measure nothing")
    .addHelpText("after", OUTPUT);

async function baselines(file: string, flags: Flags<typeof baselinesCommand>, signal: AbortSignal): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { armIds, readBaselinePlan, runBaselines } = await import("../study/index.js");
  const { loadModel } = await import("../llm/index.js");
  const { STRATEGIES } = await import("../strategies/index.js");
  const { AOT_STRATEGIES, learnPrompt, recordMeasures } = await import("../aot/index.js");
  const plan = await readBaselinePlan(resolveUserPath(file));
  if (flags.list) {
    console.log(armIds(plan).join("\n"));
    return;
  }
  const { out, model: specs, asking, only, hours, results, figures, batchSize, threads, numerics } = flags;
  const save = async (found: BaselineResults) => {
    // Where the hours were over before the first arm was read, the numbers of an earlier call stay.
    if (results !== undefined && found.results.length > 0) {
      await writeWhole(resolveUserPath(results), `${JSON.stringify(found, null, 1)}\n`);
    }
  };
  const found = await runBaselines(plan, {
    strategies: { ...STRATEGIES, ...AOT_STRATEGIES },
    optimise: learnPrompt,
    measure: recordMeasures,
    folder: resolveUserPath(out ?? join("runs", plan.name)),
    load: (spec) => loadModel(spec, { session: threads === undefined ? undefined : { threads }, numerics, signal }),
    ...{ specs, asking, only, hours, batchSize, signal },
    onResults: save,
  });
  await save(found);
  console.log(readable(found));
  if (figures !== undefined && found.results.length > 0) await exportTo(resolveUserPath(figures), found);
}

async function exportTo(folder: string, found: BaselineResults): Promise<void> {
  const { name, results } = found;
  const { baselineRows } = await import("../study/index.js");
  const { budgetFigure, exportFigure, methodFigures } = await import("../plot/index.js");
  const models = [...new Set(results.map(({ model }) => model))];
  const rows = baselineRows(results).filter(({ length }) => length !== null && length > 0);
  const figure = budgetFigure({
    name,
    title: "Accuracy for the tokens that it costs",
    subtitle: `${models.join(", ")}; strict grading, bars are 95 % intervals, points are budgets`,
    rows,
    against: "length",
    sharedY: false,
  });
  for (const each of [figure, ...methodFigures(found)]) console.log((await exportFigure(each, folder)).svg);
}

function readable({ results, unfinished, comparisons }: BaselineResults): string {
  const table = alignedLines([
    ["arm", "problems", "budget", "strict %", "95 %", "majority %", "finished %", "tokens", "ACU"],
    ...results.flatMap(({ id, problems, budgets }) =>
      budgets.map((measures, at) => [
        at === 0 ? id : "",
        at === 0 ? String(problems) : "",
        String(measures.budget),
        percent(measures.accuracy.strict!.value),
        percentRange(measures.accuracy.strict!.interval!),
        measures.majority ? percent(measures.majority.value) : "",
        percent(measures.finishRate.value),
        measures.length?.value.toFixed(1) ?? "–",
        measures.acu.strict?.toFixed(2) ?? "–",
      ]),
    ),
  ]);
  const compared =
    comparisons.length === 0
      ? []
      : alignedLines([
          [
            "compared",
            "with",
            "points",
            "95 %",
            "only it",
            "only the other",
            "McNemar p",
            "tokens",
            "tokens of the other",
          ],
          ...comparisons.map(({ arm, other, samples, difference, interval, onlyFirst, onlySecond, p, tokens }) => [
            arm,
            samples === undefined ? other : `${other} (${samples} vote)`,
            percent(difference),
            percentRange(interval),
            ...[onlyFirst, onlySecond].map(String),
            p.toPrecision(2),
            ...tokens.map((count) => count.toFixed(0)),
          ]),
        ]);
  const rest = unfinished.length === 0 ? [] : [`not finished: ${unfinished.join(", ")}`];
  return [...table, ...compared, ...rest].join("\n");
}
