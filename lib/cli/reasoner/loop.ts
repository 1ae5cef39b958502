import { type Command, Option } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { Learner, RoundRecord } from "../../reasoner/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, MEMORY, THREADS, useMemory } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { byteSize, count, decimal, integer, wholeNumber } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent, percentRange } from "../table.js";
import { SEARCH_NAMES } from "./search.js";

// Written out so that the help loads no engine.
const LEARNER_NAMES: readonly Learner[] = ["bc", "weighted", "dpo", "ppo", "grpo", "gold"];

const OUTPUT = `
Each round attempts tasks of the pool (those from which most can be learned), rewards and aggregates what was written, learns from it,
and measures the policy on held-out tasks that no round learns from: other problems, and of code whole families of functions.
Learners: bc clones right solutions (rejection sampling), weighted all partly right ones by their partial reward, dpo prefers right to
partly right ones; these three start from the model each time, with all solutions so far. ppo (value head, GAE) and grpo go on with the
policy, and learn from the round's attempts. gold learns from the tasks' own solutions, for comparison.
The folder gets records.jsonl (a record for each round), store/ (solutions and attempts, append-only) and rounds/R/ (attempts, training,
weights, evaluation). After Ctrl-C or a kill the same command goes on, and ends with the same numbers; with more --rounds it goes on too.`;

const loopCommand = (program: Command, name: "math" | "code") =>
  program
    .command(name)
    .description(
      `rounds of attempting, rewarding, aggregating and learning: ${name === "math" ? "word problems" : "small functions"}`,
    )
    .requiredOption("--model <model>", MODEL_SPEC)
    .requiredOption("--out <folder>", "the folder of everything that comes out")
    .option("--rounds <n>", "rounds (default: 3)", count)
    .option("--tasks <n>", "tasks that are attempted in a round (default: 64)", count)
    .option("--pool <n>", "tasks to choose from (default: four times --tasks)", count)
    .option("--samples <n>", "attempts at each task of a round (default: 8)", count)
    .option("--task <task>", `what is learned from (default: ${name === "math" ? "word-problems:2-5" : "code"})`)
    .option("--held-out <task>", "what is measured on (default: that of --task, its split test)")
    .option("--split <split>", "of --task (default: train)")
    .option("--held-out-split <split>", "of --held-out (default: test)")
    .option("--held-out-tasks <n>", "held-out tasks (default: 128)", count)
    .option("--held-out-samples <n>", "attempts at each of them, for pass@k (default: 0)", wholeNumber)
    .addOption(new Option("--learner <name>", "how the policy learns (default: bc)").choices(LEARNER_NAMES))
    .addOption(
      new Option("--search <name>", "how each attempt is made; a search sees the labels (default: sample)").choices([
        "sample",
        ...SEARCH_NAMES,
      ]),
    )
    .option("--budget <tokens>", "new tokens of a search (default: 512)", count)
    .option("--temperature <t>", "of the attempts (default: 1)", decimal)
    .option("--max-new-tokens <n>", `the most new tokens of a solution (default: ${name === "math" ? 96 : 256})`, count)
    .option("--random-tasks", "choose the tasks of a round at random")
    .option("--lora <rank>", "train an adapter (default: all weights)", count)
    .option("--weaken <share>", "begin with noise on the weights, a share of their deviation (default: 0)", decimal)
    .option("--epochs <n>", "passes over what is learned from (default: 3)", count)
    .option("--learning-rate <rate>", "default: by the learner", decimal)
    .option("--seed <n>", "default: 0", integer)
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--json", "print everything as one JSON object")
    .addHelpText("after", OUTPUT);

export function addLoopCommands(program: Command): void {
  for (const name of ["math", "code"] as const) {
    loopCommand(program, name).action((flags) => resumable((signal) => loop(name, flags, signal)));
  }
}

async function loop(
  domain: "math" | "code",
  flags: Flags<(program: Command) => ReturnType<typeof loopCommand>>,
  signal: AbortSignal,
) {
  const { model, out, seed = 0, json, memory, batchSize, threads } = flags;
  useMemory(memory);
  const { runLoop } = await import("../../reasoner/index.js");
  const task = flags.task ?? (domain === "math" ? "word-problems:2-5" : "code");
  const shown: RoundRecord[] = [];
  const result = await runLoop({
    ...{ model, seed, batchSize, threads, signal, folder: resolveUserPath(out) },
    settings: {
      task,
      heldOut: flags.heldOut ?? task,
      split: flags.split,
      heldOutSplit: flags.heldOutSplit,
      rounds: flags.rounds ?? 3,
      tasks: flags.tasks ?? 64,
      pool: flags.pool,
      samples: flags.samples ?? 8,
      learner: flags.learner ?? "bc",
      search: flags.search,
      budget: flags.budget,
      temperature: flags.temperature,
      maxNewTokens: flags.maxNewTokens ?? (domain === "math" ? 96 : 256),
      heldOutTasks: flags.heldOutTasks,
      heldOutSamples: flags.heldOutSamples,
      active: !flags.randomTasks,
      lora: flags.lora,
      weaken: flags.weaken,
      epochs: flags.epochs,
      learningRate: flags.learningRate,
    },
    onRound: (record) => shown.push(record),
  });
  console.log(json ? JSON.stringify(result) : readable(shown));
}

function readable(rounds: readonly RoundRecord[]): string {
  return alignedLines([
    [
      "round",
      "held-out %",
      "95 %",
      "tokens",
      "attempts",
      "right %",
      "partial %",
      "solutions",
      "learned from",
      "updates",
    ],
    ...rounds.map(({ round, heldOut, collected, store, learned }) => [
      String(round),
      percent(heldOut.accuracy),
      percentRange(heldOut.interval),
      heldOut.tokens.toFixed(1),
      collected ? String(collected.attempts) : "",
      collected ? percent(collected.reward) : "",
      collected ? percent(collected.stepReward) : "",
      store ? String(store.differentRight) : "",
      learned ? String(learned.examples) : round === 0 ? "" : "nothing",
      learned ? String(learned.updates) : "",
    ]),
  ]).join("\n");
}
