import { join } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import type { AnswerReward, AotGrpoResult } from "../../aot/index.js";
import { canonicalJson, resolveUserPath, sha256 } from "../../core/index.js";
import type { EvaluationSummary } from "../../eval/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, LOW_MEMORY_HELP, MEMORY, THREADS, useMemory } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { byteSize, count, decimal, integer, wholeNumber } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, nameOf, percent, percentRange } from "../table.js";

const OUTPUT = `
Vectors are optimised that precede every call of Atom of Thoughts (decompose, solve, contract, judge), by the advantages of attempts
over the others at the same problem; the weights stay as they are. One prompt for the task is learned on other problems than those
that are evaluated: the training split of word problems, gsm8k and math, else the part "tune" of the split, of which the part
"rest" is evaluated. With --per question each question gets a prompt of its own at test time, rewarded by agreement, without labels.
With --opt-steps 0 nothing is optimised. bbh and longbench without --split are all their tasks in turn.

A file has a question and an answer in each row, as for "thoughtbook evaluate".

The folder gets records.jsonl (for each problem the question, both answers, their scores under the strict policy, the sub-questions
with answers, and what was done), result.json (accuracy without and with the prompt, with intervals and the exact McNemar test), and
plain/, training/ (with the prompt in prompt/) and optimised/. Ctrl-C keeps what is finished; the same command goes on from there.`;

const PER = ["task", "question"] as const;
const REWARDS: readonly AnswerReward[] = ["answer", "majority"];

export function addAotGrpoCommand(program: Command): void {
  aotGrpoCommand(program).action((flags: Flags<typeof aotGrpoCommand>) => resumable((signal) => run(flags, signal)));
}

const aotGrpoCommand = (program: Command) =>
  program
    .command("aot-grpo")
    .description(
      "optimise a soft prompt inside Atom of Thoughts by group-relative advantages, and measure what it gains",
    )
    .requiredOption("--model-path <model>", `a model of this library's engine: ${MODEL_SPEC}`)
    .requiredOption(
      "--dataset <name>",
      "gsm8k, math, bbh, mmlu, hotpotqa, longbench, word-problems or word-problems:OPERATIONS, another data set, or a file of your own",
    )
    .option("--samples <n>", "problems to evaluate (default: 1)", count)
    .option("--opt-steps <n>", "updates of the prompt (default: 5)", wholeNumber)
    .option("--no-dependent", "leave out the sub-questions that depend on others: only independent ones are answered")
    .option("--low-memory", `${LOW_MEMORY_HELP}; the prompt is optimised beside them`)
    .addOption(
      new Option("--per <what>", "one prompt for the task, or one for each question (default: task)").choices(PER),
    )
    .addOption(
      new Option("--reward <name>", "a right answer, or agreement (default: answer; per question majority)").choices(
        REWARDS,
      ),
    )
    .option("--split <split>", "which split of the data set is evaluated (default: test)")
    .option("--path <file>", "the file of the data set")
    .option("--training <n>", "the most problems to learn on (default: 64)", count)
    .option("--problems <n>", "problems of an update (default: 4; per question all)", count)
    .option("--group-size <n>", "attempts at each problem of an update (default: 8)", count)
    .option("--vectors <n>", "vectors of a prompt (default: 16)", count)
    .option(
      "--text <text>",
      "the text whose tokens the vectors begin with (default: an instruction to think step by step)",
    )
    .option(
      "--learning-rate <rate>",
      "peak learning rate (default: a fifth of the scale of the first vectors)",
      decimal,
    )
    .option("--beta <weight>", "weight of the divergence from the model without a prompt (default: 0)", decimal)
    .option("--max-new-tokens <n>", "the most new tokens of a call (default: 256)", count)
    .option("--temperature <t>", "of the evaluation; 0 is greedy (default: 0)", decimal)
    .option("--seed <n>", "where all random numbers come from (default: 0)", integer)
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--out <folder>", "the folder of the run (default: runs/aot-grpo/ and a name for these settings)")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", OUTPUT);

async function run(flags: Flags<typeof aotGrpoCommand>, signal: AbortSignal): Promise<void> {
  const { modelPath, dataset, samples = 1, dependent, lowMemory, per = "task", json, ...others } = flags;
  const { split, path, training: most, batchSize, threads, memory, out, ...learning } = others;
  const { optSteps: steps, seed = 0, ...rest } = learning;
  useMemory(memory);
  // Imported here so that other commands do not load the engine.
  const { aot, aotGrpo, promptTasks } = await import("../../aot/index.js");
  const { loadLocalModel } = await import("../../llm/index.js");
  const { isFileTask, loadTask } = await import("../../tasks/index.js");
  const name = isFileTask(dataset) ? resolveUserPath(dataset) : dataset;
  const file = path === undefined ? undefined : resolveUserPath(path);
  const options = { split, path: file, signal };
  const tasks =
    per === "task"
      ? await promptTasks(name, { ...options, samples, training: most })
      : { task: await loadTask(name, isFileTask(name) ? { limit: samples, signal } : { ...options, limit: samples }) };
  const model = await loadLocalModel(modelPath, {
    ...{ lowMemory, signal },
    ...(threads === undefined ? {} : { session: { threads } }),
  });
  try {
    const settings = { ...rest, steps, seed };
    const decisive = { modelPath, name, per, samples, split, file, most, dependent, lowMemory, ...settings };
    const key = sha256(canonicalJson(decisive)).slice(0, 6);
    const folder = resolveUserPath(out ?? join("runs", "aot-grpo", `${nameOf(modelPath)}_${nameOf(name)}_${key}`));
    const result = await aotGrpo({
      ...{ model, ...tasks, ...settings, batchSize, threads, signal, folder },
      strategy: aot(dependent ? {} : { without: ["dependent"] }),
    });
    console.log(json ? JSON.stringify(result) : `${readable(result)}\n${folder}`);
  } finally {
    await model.dispose();
  }
}

function readable({
  model,
  task,
  samples,
  steps,
  per,
  reward,
  strategy,
  plain,
  optimised,
  ...rest
}: AotGrpoResult): string {
  const rows = [
    ["", "accuracy %", "95 %", "calls", "tokens", "went on from failures"],
    rowOf(strategy, plain),
    ...(optimised ? [rowOf("with the prompt", optimised)] : []),
  ];
  const updates = rest.updates.map(({ step, reward, kl }) => {
    return `update ${step}: mean reward ${reward?.toFixed(3) ?? "–"}${kl === undefined ? "" : `, divergence ${kl.toFixed(4)}`}`;
  });
  const { comparison } = rest;
  const compared = comparison
    ? [
        `with the prompt alone right ${comparison.onlyFirst}, without alone ${comparison.onlySecond}; exact McNemar p = ${comparison.p.toFixed(3)}`,
      ]
    : [];
  const title = `${model}: ${samples} problems of ${task}; ${steps} updates per ${per}, reward ${reward}`;
  return [title, ...updates, ...alignedLines(rows), ...compared].join("\n");
}

function rowOf(name: string, { budgets: [measures] }: EvaluationSummary): string[] {
  const { accuracy, calls, completionTokens, failedSteps } = measures!;
  const { value, interval } = accuracy.strict!;
  return [
    name,
    percent(value),
    interval ? percentRange(interval) : "–",
    calls.toFixed(1),
    completionTokens.toFixed(0),
    String(failedSteps?.attempts ?? 0),
  ];
}
