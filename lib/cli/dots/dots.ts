import { type Command, Option } from "@commander-js/extra-typings";
import { badInput, resolveUserPath, strictJson, writeWhole } from "../../core/index.js";
import type { SearchedQuestion, SearchSettings, Selection } from "../../dots/index.js";
import type { Flags } from "../flags.js";
import { THREADS } from "../memory.js";
import { count, decimal, integer } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent } from "../table.js";
import { dtypeOption } from "../train.js";
import { addDotsEvaluateCommand } from "./evaluate.js";
import { openModel, runFolderOf, withModel } from "./host.js";
import { addDotsMeasureCommands } from "./measure.js";

const PIPELINE = `
The commands are steps of a pipeline (DOTS, arXiv 2410.03864), each on what the one before wrote:
  dots search    which trajectory of actions solves each question best      F.jsonl
  dots explain   why its actions fit                                        E.jsonl
  dots build     rows to train on                                           rows.jsonl
  dots train     the planner, or the solver that plans by itself            a model's folder
  dots evaluate  accuracy with the planner, or along one trajectory
  dots study     all of it with comparisons, from a file of settings; dots simulate: searches without any model
Actions: rewrite, plan (decompose), cot, program, verify; a trajectory is plan+program, for example.`;

const SEARCHING = `
The output has a line for each question: success by trajectory, the best one, or why it is dropped (every trajectory solves it, or none),
and all attempts with what they wrote. Attempts are kept beside it (F.run for F.jsonl) as soon as they are graded: Ctrl-C keeps them, the
same command goes on from there. Datasets: those of "thoughtbook evaluate", and word-problems:kinds (large-products, distractors,
deep-chains, plain, each also by itself).`;

export function addDotsCommands(program: Command): void {
  const dots = program
    .command("dots")
    .description("search the best reasoning actions for each question, and learn to plan them (DOTS)")
    .addHelpText("after", PIPELINE);
  searchCommand(dots).action((flags) => resumable((signal) => search(flags, signal)));
  const again = "Nothing was written; run it again.";
  explainCommand(dots).action((flags) => resumable((signal) => explain(flags, signal), again));
  buildCommand(dots).action((flags) => resumable((signal) => build(flags, signal), again));
  trainCommand(dots).action(train);
  addDotsEvaluateCommand(dots);
  addDotsMeasureCommands(dots);
}

const counts = (text: string): number[] => text.split(",").map((each) => count(each.trim()));

// Written out so that the help loads no engine.
const METHODS: readonly SearchSettings["method"][] = ["algorithm-1", "halving", "bandit", "uniform"];

const searchCommand = (dots: Command) =>
  withModel(dots.command("search").description("search the best trajectory of actions for each question"))
    .option("--dataset <task>", "a data set or word problems, see below", "word-problems")
    .option("--file <file>", "problems of your own, or the file of the data set")
    .option("--split <split>", "which split", "train")
    .option("--limit <n>", "the most questions", count)
    .requiredOption("--output-file <file.jsonl>", "what was found")
    .addOption(new Option("--search <method>", "how attempts are spent").choices(METHODS).default("algorithm-1"))
    .option("--samples <n>", "attempts along each trajectory in a round", count, 4)
    .option("--keep <n,n>", "trajectories that stay after each round", counts, [8, 3])
    .option("--pulls <n>", "the most attempts at a question (default: what the rounds take)", count)
    .option("--wilson", "rank by the lower end of the success rate's interval")
    .option("--temperature <t>", "of the attempts", decimal, 0.4)
    .addOption(
      new Option("--policy <policy>", "grading that counts as right").choices(["strict", "dots"]).default("strict"),
    )
    .option("--max-tokens <n>", "the most new tokens of a call", count, 256)
    .option("--questions-at-once <n>", "questions that are searched at the same time", count, 64)
    .option("--seed <n>", "where random numbers and word problems come from", integer, 0)
    .addHelpText("after", SEARCHING);

async function search(flags: Flags<typeof searchCommand>, signal: AbortSignal): Promise<void> {
  const { outputFile, limit, split, seed, temperature, maxTokens, batchSize, questionsAtOnce, policy } = flags;
  const { loadDotsTask, searchTrajectories } = await import("../../dots/index.js");
  const { isFileTask } = await import("../../tasks/index.js");
  const isOwn = flags.file !== undefined && !flagIsGiven("--dataset");
  if (isOwn && !isFileTask(flags.file!))
    throw badInput(`${flags.file} is no file of problems`, "Give a .jsonl, .json, .csv or .parquet.");
  const task = isOwn
    ? await loadDotsTask(resolveUserPath(flags.file!), { limit, signal })
    : await loadDotsTask(flags.dataset, {
        ...{ limit, split, seed, signal },
        path: flags.file === undefined ? undefined : resolveUserPath(flags.file),
      });
  const model = await openModel(flags, signal);
  const found: SearchedQuestion[] = [];
  try {
    const settings = {
      ...{ method: flags.search, perRound: flags.samples, keep: flags.keep },
      rankedBy: flags.wilson ? ("wilson" as const) : ("mean" as const),
      ...(flags.pulls === undefined ? {} : { pulls: flags.pulls }),
    };
    const options = {
      model,
      search: settings,
      temperature,
      seed,
      maxNewTokens: maxTokens,
      batchSize,
      policy,
      questionsAtOnce,
    };
    const all = searchTrajectories(task, { ...options, folder: runFolderOf(outputFile), signal });
    for await (const question of all) found.push(question);
  } finally {
    await model.dispose();
  }
  await writeLines(outputFile, found);
  console.log(await readable(found));
  console.log(resolveUserPath(outputFile));
}

/** Whether the user gave an option: its value may be the default's. */
const flagIsGiven = (flag: string): boolean =>
  process.argv.some((word) => word === flag || word.startsWith(`${flag}=`));

const writeLines = (file: string, rows: readonly unknown[]): Promise<void> =>
  writeWhole(resolveUserPath(file), rows.map((row) => `${strictJson(row)}\n`).join(""));

async function readable(found: readonly SearchedQuestion[]): Promise<string> {
  const { staticRates, trajectoryKey } = await import("../../dots/index.js");
  const bestOf = (key: string) => found.filter(({ best }) => best && trajectoryKey(best) === key).length;
  const dropped = (why: SearchedQuestion["dropped"]) => found.filter((question) => question.dropped === why).length;
  const table = alignedLines([
    ["trajectory", "success %", "best for"],
    ...staticRates(found).map(({ trajectory, rate }) => {
      const key = trajectoryKey(trajectory);
      return [key, percent(rate), String(bestOf(key))];
    }),
  ]);
  const kept = found.filter(({ best }) => best).length;
  const attempts = found.reduce((sum, { samples }) => sum + samples.length, 0);
  return [
    ...table,
    `${found.length} questions, ${attempts} attempts: ${kept} kept, ${dropped("every")} dropped as every trajectory solves them, ${dropped("none")} as none does`,
  ].join("\n");
}

const SELECTIONS: readonly Extract<Selection, string>[] = ["best", "importance", "random"];

const explainCommand = (dots: Command) =>
  withModel(dots.command("explain").description("explain why the best actions of each question fit it"))
    .requiredOption("--input-file <file>", "what dots search wrote, or the JSON of the released search_paths.py")
    .requiredOption("--output-file <file.jsonl>", "questions with their trajectories and explanations")
    .option(
      "--select <which>",
      "best, importance (the released code's), random (without search), or one trajectory for all, such as plan+cot",
      "best",
    )
    .option("--limit <n>", "the first questions only", count)
    .option("--max-tokens <n>", "the most new tokens of an explanation", count, 200)
    .option("--seed <n>", "where random numbers come from", integer, 0);

async function explain(flags: Flags<typeof explainCommand>, signal: AbortSignal): Promise<void> {
  const { inputFile, outputFile, select, limit, maxTokens, seed } = flags;
  const dots = await import("../../dots/index.js");
  const { explainTrajectories, readSearchResults, selectTrajectories } = dots;
  const isNamed = (SELECTIONS as readonly string[]).includes(select);
  const selection = (isNamed ? select : { trajectory: dots.parseTrajectory(dots.DOTS_SPACE, select) }) as Selection;
  const searched = await readSearchResults(resolveUserPath(inputFile));
  const selected = selectTrajectories(searched, selection, { seed }).slice(0, limit);
  if (selected.length === 0) {
    throw badInput(
      `none of the ${searched.length} questions of ${inputFile} has something to learn: all are dropped, or not solved along the trajectory`,
      "Search more questions, or other ones.",
    );
  }
  const model = await openModel(flags, signal);
  try {
    const rows: unknown[] = [];
    for await (const row of explainTrajectories(selected, { model, maxNewTokens: maxTokens, seed, signal }))
      rows.push(row);
    await writeLines(outputFile, rows);
    console.log(`${rows.length} of ${searched.length} questions explained\n${resolveUserPath(outputFile)}`);
  } finally {
    await model.dispose();
  }
}

const weight = (text: string, earlier: Record<string, number> = {}): Record<string, number> => {
  const at = text.lastIndexOf("=");
  if (at < 1) throw badInput(`${JSON.stringify(text)} is no DATASET=WEIGHT`, "Write gsm8k=2, for example.");
  return { ...earlier, [text.slice(0, at)]: decimal(text.slice(at + 1)) };
};

const buildCommand = (dots: Command) =>
  withModel(dots.command("build").description("make rows to train a planner, or a solver that plans by itself, on"))
    .requiredOption("--input-file <file.jsonl>", "what dots explain wrote")
    .requiredOption("--output-file <file>", "the rows: JSONL, or a JSON array for other trainers")
    .addOption(
      new Option("--planner <kind>", "external, internalised, or vanilla (solutions without plans, to compare with)")
        .choices(["external", "internalised", "vanilla"] as const)
        .default("external" as const),
    )
    .addOption(
      new Option("--format <format>", "for this library, or for another trainer")
        .choices(["thoughtbook", "litgpt", "llama-factory"] as const)
        .default("thoughtbook" as const),
    )
    .option("--weight <dataset=weight>", "weight of the rows of a data set; may be given again", weight)
    .option("--no-explanations", "leave the explanations out");

async function build(flags: Flags<typeof buildCommand>, signal: AbortSignal): Promise<void> {
  const { inputFile, outputFile, planner, format, weight: weights, explanations } = flags;
  const { exportRows, planOperation, readExplained, saveRows, trainingRows } = await import("../../dots/index.js");
  const { styleOf } = await import("../../operations/index.js");
  const explained = await readExplained(resolveUserPath(inputFile));
  const model = await openModel(flags, signal);
  const style = format === "thoughtbook" ? styleOf(model, planOperation()) : "instruction";
  await model.dispose();
  const rows = trainingRows(explained, { planner, style, explanations, weights });
  if (rows.length === 0) throw badInput(`${inputFile} gives no rows for ${planner}`, "Choose another kind of planner.");
  if (format === "thoughtbook") await saveRows(resolveUserPath(outputFile), rows);
  else await writeWhole(resolveUserPath(outputFile), `${JSON.stringify(exportRows(rows, format), null, 1)}\n`);
  console.log(`${rows.length} rows of ${explained.length} questions\n${resolveUserPath(outputFile)}`);
}

const trainCommand = (dots: Command) =>
  dots
    .command("train")
    .description("train a planner, or a solver that plans by itself, on the rows of dots build")
    .option("--api-model <model>", "the model to begin with: as of thoughtbook train", "mini")
    .requiredOption("--input-file <file.jsonl>", "the rows")
    .requiredOption("--output-folder <folder>", "the folder of the trained model")
    .option("--lora <rank>", "train an adapter of this rank and merge it, instead of all weights", count)
    .option("--epochs <n>", "how often each row is seen", count, 4)
    .option("--max-steps <n>", "the most updates", count)
    .option("--batch-size <n>", "rows a batch, on average (default: 16)", count)
    .option("--learning-rate <x>", "the highest learning rate (default: 3e-4, for an adapter 2e-3)", decimal)
    .option("--context <n>", "the most tokens of a row (default: the model's positions)", count)
    .addOption(dtypeOption())
    .option("--seed <n>", "where the random numbers come from", integer, 0)
    .option("--threads <n>", THREADS, count)
    .option("--resume", "go on with the run in the folder, if there is one");

async function train(flags: Flags<typeof trainCommand>): Promise<void> {
  const { apiModel, inputFile, outputFolder, lora, ...settings } = flags;
  const { trainPlanner } = await import("../../dots/index.js");
  const { resolveModel } = await import("../../model/index.js");
  const { describeCounts } = await import("../../train/index.js");
  const out = resolveUserPath(outputFolder);
  const model = await resolveModel(apiModel);
  const hint = "The same command with --resume goes on from there.";
  const { step, steps } = await resumable(
    (signal) =>
      trainPlanner({
        ...settings,
        ...{ model, data: resolveUserPath(inputFile), out, signal },
        ...(lora === undefined ? {} : { lora: { rank: lora } }),
        onRows: ({ train: rows }) => console.log(`data: ${describeCounts(rows)}`),
      }),
    hint,
  );
  console.log(`${out}: the model after update ${step} of ${steps}`);
}
