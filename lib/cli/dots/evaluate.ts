import { join } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { badInput, canonicalJson, resolveUserPath, sha256 } from "../../core/index.js";
import type { ActionShares } from "../../dots/index.js";
import { readableSummary } from "../evaluate/evaluate-table.js";
import type { Flags } from "../flags.js";
import { count, decimal, integer } from "../numbers.js";
import { resumable } from "../resumable.js";
import { nameOf, percent } from "../table.js";
import { openModel, specOf, withModel } from "./host.js";

const OUTPUT = `
Without --planner the strategy follows from what is given: external with a --trajectory-api-model (it plans, --api-model solves), else
internalised (--api-model was trained to do both). --planner self lets --api-model plan and then take the actions one by one, and
--trajectory plan+program takes the same actions for every question. A plan that names no action is replaced by the fallback; how often is
told. The folder keeps records as "thoughtbook evaluate" does, and the same command goes on from there.`;

const evaluateCommand = (dots: Command) =>
  withModel(dots.command("evaluate").description("measure accuracy with a planner, or along one trajectory"))
    .option(
      "--test-file <file>",
      "problems of your own to test on: JSONL, JSON, CSV or Parquet with question and answer",
    )
    .option("--dataset <task>", "a data set or word problems, as of dots search", "word-problems")
    .option("--split <split>", "which split of it", "test")
    .option("--limit <n>", "the most problems", count)
    .option("--trajectory-api-model <model>", "the planner: a model as --api-model, such as the folder of dots train")
    .option("--trajectory-host <host>", "a server where it is (default: none)")
    .addOption(
      new Option("--planner <kind>", "who plans, see below").choices(["external", "internalised", "self"] as const),
    )
    .option("--trajectory <actions>", "the same trajectory for all problems, such as plan+program")
    .option(
      "--fallback <actions>",
      "trajectory where a plan cannot be read (default: cot, or the best of --search-file)",
    )
    .option(
      "--search-file <file.jsonl>",
      "what dots search wrote: the fallback is what was best there for all questions alike",
    )
    .option("--max-tokens <n>", "the most new tokens of a call (default: 256, internalised 512)", count)
    .option("--temperature <t>", "of the solver; plans are greedy", decimal, 0)
    .option("--seed <n>", "where random numbers and word problems come from", integer, 0)
    .option("--result-dir <folder>", "the folder of the records (default: runs/dots and a name for these settings)")
    .option("--json", "print the summary as one JSON object")
    .addHelpText("after", OUTPUT);

export function addDotsEvaluateCommand(dots: Command): void {
  evaluateCommand(dots).action((flags) => resumable((signal) => evaluateUntil(flags, signal)));
}

async function evaluateUntil(flags: Flags<typeof evaluateCommand>, signal: AbortSignal): Promise<void> {
  const {
    testFile,
    dataset,
    limit,
    split,
    seed,
    temperature,
    batchSize,
    trajectory,
    trajectoryApiModel,
    trajectoryHost,
  } = flags;
  const kind =
    trajectory !== undefined
      ? "static"
      : (flags.planner ?? (trajectoryApiModel === undefined ? "internalised" : "external"));
  if (trajectory !== undefined && (flags.planner ?? trajectoryApiModel) !== undefined) {
    throw badInput(
      "--trajectory is the same for all problems, and nobody plans it",
      "Leave out the planner or the trajectory.",
    );
  }
  if ((kind === "external") !== (trajectoryApiModel !== undefined)) {
    throw badInput(
      kind === "external"
        ? "an external planner has no model"
        : `the planner is ${kind}, and a model for planning is given`,
      "Give --trajectory-api-model with --planner external only.",
    );
  }
  const dots = await import("../../dots/index.js");
  const { evaluate } = await import("../../eval/index.js");
  const task =
    testFile === undefined
      ? await dots.loadDotsTask(dataset, { limit, split, seed, signal })
      : await dots.loadDotsTask(resolveUserPath(testFile), { limit, signal });
  const fallback = await fallbackOf(flags);
  const model = await openModel(flags, signal);
  const planner =
    trajectoryApiModel === undefined
      ? undefined
      : await openModel({ ...flags, apiModel: trajectoryApiModel, host: trajectoryHost }, signal);
  try {
    const strategy =
      kind === "static"
        ? dots.trajectoryStrategy(dots.parseTrajectory(dots.DOTS_SPACE, trajectory!))
        : kind === "internalised"
          ? dots.internalised({ fallback })
          : dots.planned({ planner, fallback });
    const budgets = [flags.maxTokens ?? (kind === "internalised" ? 512 : 256)];
    const decisive = {
      ...{ strategy: strategy.name, settings: strategy.settings, budgets, temperature, seed, dataset, split, testFile },
      ...{ model: specOf(flags.apiModel, flags.host), planner: trajectoryApiModel, trajectoryHost },
      hashes: [await model.hash(), await planner?.hash()],
    };
    const key = sha256(canonicalJson(JSON.parse(JSON.stringify(decisive)))).slice(0, 6);
    const folder = resolveUserPath(
      flags.resultDir ?? join("runs", "dots", `${nameOf(flags.apiModel)}_${nameOf(task.name)}_${key}`),
    );
    const { records, summary } = await evaluate(strategy, task, {
      model,
      budgets,
      temperature,
      seed,
      folder,
      batchSize,
      signal,
    });
    const plans = dots.plansIn(records);
    const unread = plans.filter((plan) => plan.trajectory === undefined).length;
    const told =
      plans.length === 0
        ? []
        : planLines(dots.actionShares(plans.map((plan) => ({ ...plan, group: "" })))[0]!, dots.trajectoryKey(fallback));
    const counts = { read: plans.length - unread, fallback: unread };
    if (flags.json) console.log(JSON.stringify(plans.length === 0 ? summary : { ...summary, plans: counts }));
    else console.log([readableSummary(summary), ...told, folder].join("\n"));
  } finally {
    await model.dispose();
    await planner?.dispose();
  }
}

async function fallbackOf({ fallback, searchFile }: Flags<typeof evaluateCommand>): Promise<readonly string[]> {
  const { DOTS_SPACE, parseTrajectory, readSearchResults, staticRates } = await import("../../dots/index.js");
  if (fallback !== undefined) return parseTrajectory(DOTS_SPACE, fallback);
  if (searchFile === undefined) return ["cot"];
  return staticRates(await readSearchResults(resolveUserPath(searchFile)))[0]!.trajectory;
}

/** How often plans were read, and what they name. */
const planLines = ({ plans, unread, trajectories }: ActionShares, fallback: string): string[] => [
  `plans: ${plans - unread} read, ${unread} replaced by ${fallback} (${percent(unread / plans)} %)`,
  Object.entries(trajectories)
    .sort(([, a], [, b]) => b - a)
    .map(([key, share]) => `${key} ${percent(share)} %`)
    .join(", "),
];
