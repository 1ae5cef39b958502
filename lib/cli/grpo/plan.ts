import { join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath, writeWhole } from "../../core/index.js";
import type { GrpoResults } from "../../grpo/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, THREADS } from "../memory.js";
import { count, decimal } from "../numbers.js";
import { namedValue } from "../pairs.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent, percentRange } from "../table.js";

const OUTPUT = `
The plan lists arms (a model, what learns, from which problems and rewards) in the order in which they are run, each with some
seeds: the first seed of all arms first. Each has a folder of its own under --out, and the same command goes on after a kill at any
moment. The results hold what is finished: of each update the reward, divergence and entropy, and the measurements on held-out problems.`;

const planCommand = (grpo: Command) =>
  grpo
    .command("plan")
    .description("run the optimisations of a plan, resumable, and write their results")
    .argument("<plan.json>", "the plan, such as data/grpo/mini-weights.json")
    .option("--out <folder>", "the folder of the runs (default: runs/grpo/ and the plan's name)")
    .option("--model <name=spec>", "a model of the plan from another place; may be given again", namedValue)
    .option("--only <ids>", "only these arms or optimisations, with commas between them", (text) => text.split(","))
    .option("--hours <h>", "stop after this many hours and keep what is finished", decimal)
    .option("--results <file.json>", "write all numbers to this file, after each optimisation")
    .option("--figures <folder>", "export the figure of the courses there")
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--list", "print the optimisations, and run nothing")
    .addHelpText("after", OUTPUT);

export function addPlanCommand(grpo: Command): void {
  planCommand(grpo).action((file: string, flags: Flags<typeof planCommand>) =>
    resumable((signal) => runPlan(file, flags, signal)),
  );
}

async function runPlan(file: string, flags: Flags<typeof planCommand>, signal: AbortSignal): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { optimizationIds, readGrpoPlan, runGrpoPlan } = await import("../../grpo/index.js");
  const { loadModel } = await import("../../llm/index.js");
  const plan = await readGrpoPlan(resolveUserPath(file));
  if (flags.list) {
    console.log(optimizationIds(plan).join("\n"));
    return;
  }
  const { out, model: specs, only, hours, results, figures, batchSize, threads } = flags;
  const save = async (found: GrpoResults) => {
    if (results !== undefined) await writeWhole(resolveUserPath(results), `${JSON.stringify(found, null, 1)}\n`);
  };
  const session = threads === undefined ? undefined : { threads };
  const found = await runGrpoPlan(plan, {
    folder: resolveUserPath(out ?? join("runs", "grpo", plan.name)),
    load: (spec, { lowMemory }) => loadModel(spec, { session, signal, lowMemory }),
    command: `thoughtbook grpo plan ${file}`,
    ...{ specs, only, hours, batchSize, threads, signal },
    onResults: save,
  });
  await save(found);
  console.log(await readable(found));
  if (figures === undefined || found.results.length === 0) return;
  const { exportFigure, optimizationFigure } = await import("../../plot/index.js");
  const models = [...new Set(found.results.map(({ model }) => model))];
  const title = `Group-relative policy optimisation of ${models.join(", ")}`;
  const { svg } = await exportFigure(
    optimizationFigure({ name: found.name, title, results: found.results, against: "completions" }),
    resolveUserPath(figures),
  );
  console.log(svg);
}

async function readable(found: GrpoResults): Promise<string> {
  const { grpoGains } = await import("../../grpo/index.js");
  const gains = grpoGains(found);
  const points = (share: number) => (100 * share).toFixed(1);
  const table = alignedLines([
    ["arm", "seeds", "attempts", "before %", "after %", "95 %", "gain", "95 %", "pass@k before", "after", "kl"],
    ...gains.map(({ arm, seeds, completions, before, after, gain, passAt, kl }) => [
      arm,
      String(seeds),
      String(completions),
      percent(before.value),
      percent(after.value),
      after.interval ? percentRange(after.interval) : "",
      points(gain.value),
      gain.interval ? percentRange(gain.interval) : "",
      passAt.map((each) => percent(each.before)).join("/"),
      passAt.map((each) => percent(each.after)).join("/"),
      kl?.toFixed(3) ?? "",
    ]),
  ]);
  const rest = found.unfinished.length === 0 ? [] : [`not finished: ${found.unfinished.join(", ")}`];
  return [...table, ...rest].join("\n");
}
