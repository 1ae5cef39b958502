import { join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath, writeWhole } from "../../core/index.js";
import type { DotsResults } from "../../dots/index.js";
import type { SimulatedResult } from "../../search/index.js";
import type { Flags } from "../flags.js";
import { NUMERICS_OF_ALL_HELP, parseNumericsOfAll, THREADS } from "../memory.js";
import { count, decimal, integer } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent, percentRange } from "../table.js";
import { openModel } from "./host.js";

const STUDY = `
Each seed searches its training problems; all trajectories are tried on the test problems, greedily; students are trained on what was
found, and compared with every static trajectory, a random one, the oracle (any that is right) and the baselines. Everything is kept under
--out as soon as it is done: the same command goes on after a kill at any moment. The results hold what is finished, and name the rest.`;

const SIMULATION = `
Questions whose 12 trajectories have random true success rates, from three priors: uniform, hard (u³, most rates low), actions (a logistic
function of how easy the question is and of what each action brings). Told is how often the chosen trajectory is within 0.05 of the best.`;

export function addDotsMeasureCommands(dots: Command): void {
  studyCommand(dots).action((file: string, flags: Flags<typeof studyCommand>) =>
    resumable((signal) => study(file, flags, signal)),
  );
  simulateCommand(dots).action((flags) => resumable((signal) => simulate(flags, signal), "Run it again."));
}

const studyCommand = (dots: Command) =>
  dots
    .command("study")
    .description("search, train planners and solvers, and compare them with every static trajectory, resumable")
    .argument("<study.json>", "the settings, such as data/studies/dots-mini.json")
    .option("--out <folder>", "the folder of everything that comes out (default: runs/ and the study's name)")
    .option("--model <model>", "the solver from another place than the study says, such as the file of a model")
    .option("--hours <h>", "stop after this many hours and keep what is finished", decimal)
    .option("--results <file.json>", "write all numbers to this file, after each part")
    .option("--threads <n>", THREADS, count)
    .option("--numerics <path>", NUMERICS_OF_ALL_HELP, parseNumericsOfAll)
    .addHelpText("after", STUDY);

async function study(file: string, flags: Flags<typeof studyCommand>, signal: AbortSignal): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { readDotsStudy, runDotsStudy } = await import("../../dots/index.js");
  const { STRATEGIES } = await import("../../strategies/index.js");
  const settings = await readDotsStudy(resolveUserPath(file));
  const { out, model, hours, results, threads, numerics } = flags;
  const save = async (found: DotsResults) => {
    if (results !== undefined) await writeWhole(resolveUserPath(results), `${JSON.stringify(found, null, 1)}\n`);
  };
  const found = await runDotsStudy(settings, {
    folder: resolveUserPath(out ?? join("runs", settings.name)),
    load: (spec) => openModel({ apiModel: spec, threads, numerics }, signal),
    model: model === undefined ? undefined : /[\\/]/.test(model) ? resolveUserPath(model) : model,
    strategies: STRATEGIES,
    ...{ hours, signal, onResults: save },
  });
  await save(found);
  console.log(readable(found));
}

function readable({ arms, searches, unfinished }: DotsResults): string {
  const table = alignedLines([
    ["arm", "group", "problems", "seeds", "strict %", "95 %", "dots %", "tokens", "of the way %"],
    ...arms.flatMap(({ name, groups, seeds, way }) =>
      groups.map(({ group, problems, accuracy, dots, tokens }, at) => [
        at === 0 ? name : "",
        group,
        String(problems),
        at === 0 ? String(seeds.length) : "",
        percent(accuracy.value),
        accuracy.interval ? percentRange(accuracy.interval) : "",
        percent(dots.value),
        tokens.toFixed(1),
        at === 0 && way ? `${percent(way.value)} (${way.interval ? percentRange(way.interval) : ""})` : "",
      ]),
    ),
  ]);
  const found = searches.map(
    ({ seed, questions, attempts, kept, every, none, static: best }) =>
      `search ${seed}: ${questions} questions, ${attempts} attempts, ${kept} kept, ${every} solved by every trajectory, ${none} by none; best for all ${best}`,
  );
  const rest = unfinished.length === 0 ? [] : [`not finished: ${unfinished.join(", ")}`];
  return [...table, ...found, ...rest].join("\n");
}

const simulateCommand = (dots: Command) =>
  dots
    .command("simulate")
    .description("compare searches on simulated questions with known success rates, without a model")
    .option("--questions <n>", "questions of each prior", count, 10_000)
    .option("--seed <n>", "where the random numbers come from", integer, 0)
    .option("--results <file.json>", "write all numbers to this file")
    .addHelpText("after", SIMULATION);

/** Results of a simulation, as --results writes them. */
interface SimulationFile {
  command: string;
  seed: number;
  results: SimulatedResult[];
}

async function simulate(
  { questions, seed, results: file }: Flags<typeof simulateCommand>,
  signal: AbortSignal,
): Promise<void> {
  const { RATE_PRIORS, SIMULATED_ALLOCATIONS, simulateAllocations } = await import("../../search/index.js");
  const { proportion } = await import("../../eval/index.js");
  const results: SimulatedResult[] = [];
  for (const prior of Object.keys(RATE_PRIORS) as (keyof typeof RATE_PRIORS)[]) {
    results.push(...(await simulateAllocations(SIMULATED_ALLOCATIONS, { prior, questions, seed, signal })));
  }
  const command = `npx thoughtbook dots simulate --questions ${questions} --seed ${seed} --results data/results/dots-simulation.json`;
  const content: SimulationFile = { command, seed, results };
  if (file !== undefined) await writeWhole(resolveUserPath(file), `${JSON.stringify(content, null, 1)}\n`);
  const table = alignedLines([
    ["prior", "search", "attempts", "within 0.05 %", "95 %", "best %", "regret"],
    ...results.map(({ prior, name, near, best, regret, pulls, questions: all }) => [
      prior,
      name,
      pulls.toFixed(1),
      percent(near / all),
      percentRange(proportion(near, all).interval!),
      percent(best / all),
      regret.toFixed(4),
    ]),
  ]);
  console.log(table.join("\n"));
}
