import { type Command, Option } from "@commander-js/extra-typings";
import { badInput, resolveUserPath } from "../../core/index.js";
import type { ScoreName, SearchName, SearchRun, Selection, ValueName } from "../../reasoner/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, MEMORY, NUMERICS, parseNumerics, THREADS, useMemory } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { byteSize, count, decimal, integer } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent, percentRange } from "../table.js";

// Written out so that the help loads no engine.
export const SEARCH_NAMES: readonly SearchName[] = [
  "best-of-n",
  "revision",
  "beam",
  "mcts",
  "majority",
  "weighted",
  "verifier",
];
const SCORE_NAMES: readonly ScoreName[] = ["probability", "checks", "verifier", "reward"];
const VALUE_NAMES: readonly ValueName[] = ["rollout", "probability", "steps", "head"];
const SELECTION_NAMES: readonly Selection[] = ["best", "majority", "weighted"];

const OUTPUT = `
All searches spend at most --budget new tokens on a problem, all calls together, and find candidates; one is chosen. The table tells what
each way to choose gives on the same candidates: best (the highest score), majority, weighted (votes weighted by the scores), beside
random (one at random, in expectation) and coverage (a perfect choice).
Scores: probability (of the text's tokens), checks (equations that hold; of programs the calls that the question shows), verifier (the
model checks it, which costs tokens), reward (the label: an upper bound, and what collects solutions to learn from).
Values of beginnings, for beam and mcts: rollout (the score of one completion), probability, steps (equations that hold; with the score
reward steps of the reference), head (a value head: --head FOLDER of "reasoner finetune --learner value").`;

const searchCommand = (program: Command) =>
  program
    .command("search")
    .description("search solutions of problems at an equal budget of tokens")
    .requiredOption("--model <model>", MODEL_SPEC)
    .requiredOption("--task <task>", "word-problems:4, math, code:python, gsm8k, a file of data/tasks, …")
    .addOption(new Option("--search <name>", "how").choices(SEARCH_NAMES).makeOptionMandatory())
    .requiredOption("--budget <tokens>", "new tokens that a problem may cost", count)
    .addOption(new Option("--score <name>", "what a solution is worth (default: probability)").choices(SCORE_NAMES))
    .addOption(
      new Option("--value <name>", "what a beginning is worth (default: rollout in mcts, probability in beam)").choices(
        VALUE_NAMES,
      ),
    )
    .addOption(
      new Option("--select <name>", "which candidate is chosen (default: by the search)").choices(SELECTION_NAMES),
    )
    .option("--head <folder>", "a value head")
    .option("--limit <n>", "the most problems (default: 64, all of a data set)", count)
    .option("--split <split>", "default: test")
    .option("--samples <n>", "the most solutions of best-of-n and revision", count)
    .option("--revisions <n>", "revisions of a solution (default: 3)", count)
    .option("--width <n>", "beginnings that a beam keeps (default: 3)", count)
    .option("--branches <n>", "next steps that are sampled at a beginning (default: 3)", count)
    .option("--exploration <c>", "weight of the prior in mcts (default: 1.25)", decimal)
    .option("--temperature <t>", "default: 0.8", decimal)
    .option("--max-new-tokens <n>", "the most new tokens of one solution (default: 96)", count)
    .option("--seed <n>", "default: 0", integer)
    .option("--problem-seed <n>", "which problems, where they are drawn (default: 0)", integer)
    .option("--out <folder>", "records go there, and the same command goes on from there (default: nowhere)")
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--json", "print summary and records as one JSON object")
    .addHelpText("after", OUTPUT);

export function addSearchCommand(program: Command): void {
  searchCommand(program).action((flags) => {
    const hint =
      flags.out === undefined ? "With --out it would go on from there." : "The same command goes on from there.";
    return resumable((signal) => search(flags, signal), hint);
  });
}

async function search(flags: Flags<typeof searchCommand>, signal: AbortSignal): Promise<void> {
  const { model: spec, limit, split, problemSeed, maxNewTokens, seed, out, batchSize, threads, json, memory } = flags;
  useMemory(memory);
  const { loadReasonerTask, loadValueHead, runSearch } = await import("../../reasoner/index.js");
  const { loadLocalModel, loadModel } = await import("../../llm/index.js");
  if (flags.head !== undefined && flags.value !== "head") throw badInput("--head is for --value head", "Give both.");
  const task = await loadReasonerTask(flags.task, { limit, split, seed: problemSeed, signal });
  const options = { session: threads === undefined ? undefined : { threads }, numerics: flags.numerics, signal };
  const local = flags.head === undefined ? undefined : await loadLocalModel(spec, options);
  const head = local && (await loadValueHead(resolveUserPath(flags.head!), local));
  const model = local ?? (await loadModel(spec, options));
  try {
    const { search, budget, score, value, select, samples, revisions, width, branches, exploration, temperature } =
      flags;
    const { reasonerReward } = await import("../../reasoner/index.js");
    const run = await runSearch(task, {
      ...{ model, maxNewTokens, seed, batchSize, signal },
      settings: { search, budget, score, value, select, samples, revisions, width, branches, exploration, temperature },
      parts: { reward: reasonerReward(), head: head?.values },
      folder: out === undefined ? undefined : resolveUserPath(out),
    });
    console.log(json ? JSON.stringify(run) : readable(run));
  } finally {
    await head?.dispose();
    await model.dispose();
  }
}

function readable({ task, model, settings, summary }: SearchRun): string {
  const { accuracy, selections, tokens, candidates, problems } = summary;
  return [
    `${model}: ${settings.search} on ${problems} problems of ${task}, at most ${settings.budget} new tokens each`,
    ...alignedLines([
      ["accuracy %", "95 %", "best", "majority", "weighted", "random", "coverage", "tokens", "candidates"],
      [
        percent(accuracy.value),
        percentRange(accuracy.interval!),
        ...(["best", "majority", "weighted", "random", "coverage"] as const).map((name) => percent(selections[name])),
        tokens.value.toFixed(1),
        candidates.toFixed(1),
      ],
    ]),
  ].join("\n");
}
