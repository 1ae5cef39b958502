import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { HeldOut, Optimization, OptimizationInput } from "../../grpo/index.js";
import type { RewardName } from "../../rollouts/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, LOW_MEMORY_HELP, MEMORY, THREADS, useMemory } from "../memory.js";
import { byteSize, count, decimal, integer, wholeNumber } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent, percentRange } from "../table.js";

const OUTPUT = `
--train says what learns:
  weights  all weights of the model                   saved in OUT/model, a Hugging Face folder
  lora     an adapter beside frozen weights           likewise, merged; with --low-memory the adapter alone
  vectors  vectors before the prompts; the weights stay frozen bit for bit
                                                      saved in OUT/prompt; "grpo read" tells the tokens near to them
  words    the choice among written prompts (--pool)  the best one in OUT/prompt/prompt.json

Rewards, each with a weight if it is not 1; --reward answer --reward format=0.1 adds them up:
  answer    the labelled answer        majority  agreement with the group's other attempts, no labels
  format    an answer that can be read verifier  a model finds the solution right (--verifier; default: the model before training)
  length    brevity: 1 - tokens / --max-new-tokens of an attempt with an answer

It learns on a training split (--task, --split) and is measured on other problems (--test-task, --test-split), before, every
--evaluate-every updates, and after: greedy accuracy, and with --samples pass@1 and pass@k at the temperature of training.
--per question learns vectors for each question of --task itself (test time).

OUT has records.jsonl (of each update the reward and its parts, divergence "kl", entropy, tokens), source/rollouts (all
attempts), OUT/held-out the measurements, OUT/optimization.json all results. Ctrl-C keeps finished steps, and a kill at any moment loses
one at most: the same command goes on from there.`;

/** "answer", "format=0.1". */
function rewards(text: string, earlier: Partial<Record<RewardName, number>> = {}): Partial<Record<RewardName, number>> {
  const [name = "", weight = "1"] = text.split("=", 2);
  const value = Number(weight);
  if (weight.trim() === "" || !Number.isFinite(value)) {
    throw new InvalidArgumentError("Give a name, and a weight if it is not 1, such as format=0.1.");
  }
  return { ...earlier, [name.trim()]: value };
}

export const optimizeCommand = (grpo: Command) =>
  grpo
    .command("optimize", { isDefault: true })
    .description("optimise weights, vectors or written prompts (what the command does without another word)")
    .requiredOption("--model <model>", "mini, folder of a checkpoint, GGUF file, or owner/name of the Hugging Face hub")
    .requiredOption("--task <task>", "the problems to learn from, as evaluate --task takes them")
    .requiredOption("--out <folder>", "the folder of the run")
    .addOption(
      new Option("--train <what>", "what learns").choices(["weights", "lora", "vectors", "words"]).default("vectors"),
    )
    .option("--reward <name[=weight]>", "may be given again, see below (default: answer)", rewards)
    .option("--split <split>", "of the problems to learn from (default: train)")
    .addOption(new Option("--part <part>", "of that split of a data set").choices(["tune", "rest"]))
    .option("--limit <n>", "the most problems to learn from", count)
    .option("--problem-seed <n>", "which word problems to learn from", integer)
    .option("--test-task <task>", "the problems to measure on (default: as --task)")
    .option("--test-split <split>", "their split (default: test)")
    .addOption(new Option("--test-part <part>", "of that split").choices(["tune", "rest"]))
    .option("--test-limit <n>", "the most problems to measure on (default: 200)", count)
    .option("--strategy <name>", "how each problem is attempted, as evaluate --strategy takes it (default: cot)")
    .option("--instruction <text>", "instead: words before the question")
    .option("--asking <kind>", "how the model is asked (default: by its name)")
    .option("--collections <n>", "times that problems are attempted; of words the most rounds (default: 20)", count)
    .option("--problems <n>", "problems of a collection (default: 8)", count)
    .option("--group-size <n>", "attempts at each (default: 8)", count)
    .option("--passes <n>", "passes over a collection's attempts (default: 1)", count)
    .option("--updates <n>", "updates of a pass (default: 1)", count)
    .option("--max-new-tokens <n>", "of a call (default: 128)", count)
    .option("--temperature <t>", "of sampling (default: 1)", decimal)
    .option("--learning-rate <x>", "default: 1e-5 weights, 1e-3 lora, for vectors a fifth of their scale", decimal)
    .option("--beta <x>", "weight of the divergence from the model before training (default: 0)", decimal)
    .option("--epsilon <x>", "how far a ratio may move (default: 0.2)", decimal)
    .option("--epsilon-high <x>", "and upwards (default: as --epsilon)", decimal)
    .addOption(
      new Option("--loss-type <type>", "of averages (default: grpo)").choices(["grpo", "bnpo", "dapo", "dr_grpo"]),
    )
    .addOption(
      new Option("--scale-rewards <by>", "the deviation that divides advantages (default: group)").choices([
        "group",
        "batch",
        "none",
      ]),
    )
    .addOption(new Option("--level <level>", "of ratios (default: token)").choices(["token", "sequence"]))
    .option("--entropy-coefficient <x>", "weight of the entropy (default: 0)", decimal)
    .option("--mask-truncated", "leave out attempts that were cut off")
    .option("--no-kl", "measure no divergence, which costs a pass over the model before training")
    .option("--rank <n>", "of the adapter (default: 8)", count)
    .option("--vectors <n>", "before a prompt (default: 16)", count)
    .option("--text <text>", "what the vectors begin as")
    .addOption(
      new Option("--per <what>", "vectors for the task or for each question (default: task)").choices([
        "task",
        "question",
      ]),
    )
    .option("--pool <file>", "written prompts, such as data/grpo/instructions.json")
    .option("--keep <share>", "of the written prompts that a round keeps (default: 0.5)", decimal)
    .option("--verifier <model>", "checks solutions for the reward verifier")
    .option("--evaluate-every <n>", "updates between two measurements (default: only before and after)", count)
    .option("--samples <n>", "of each problem to measure on, 0 for greedy accuracy alone (default: 8)", wholeNumber)
    .option("--seed <n>", "where the random numbers come from", integer, 0)
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option("--json", "print all results as one JSON object")
    .addHelpText("after", OUTPUT);

type OptimizeFlags = Flags<typeof optimizeCommand>;

export function addOptimizeCommand(grpo: Command): void {
  optimizeCommand(grpo).action((flags: OptimizeFlags) => resumable((signal) => run(flags, signal)));
}

/** The settings that the flags say; what is left out is left out, for the defaults of the library. */
function settingsOf(flags: OptimizeFlags): OptimizationInput {
  const { task, split, part, limit, problemSeed, testTask, testSplit, testPart, testLimit } = flags;
  const { reward, kl, train, strategy, instruction, asking, pool, ...rest } = flags;
  const { collections, problems, groupSize, passes, updates, maxNewTokens, temperature, learningRate } = rest;
  const { beta, epsilon, epsilonHigh, lossType, scaleRewards, level, entropyCoefficient, maskTruncated } = rest;
  const { rank, vectors, text, per, keep, evaluateEvery, samples } = rest;
  const hasTest = [testTask, testSplit, testPart, testLimit].some((each) => each !== undefined);
  const test = { name: testTask ?? task, split: testSplit, part: testPart, limit: testLimit ?? 200 };
  return {
    ...{ train, strategy, instruction, asking, pool, rewards: reward },
    task: { name: task, split, part, limit, seed: problemSeed },
    test: hasTest ? test : undefined,
    ...{ collections, problems, groupSize, passes, updates, maxNewTokens, temperature, learningRate },
    ...{ beta, epsilon, epsilonHigh, lossType, scaleRewards, level, entropyCoefficient, maskTruncated },
    ...{ measureKl: kl, rank, vectors, text, per, keep, evaluateEvery, samples },
  };
}

async function run(flags: OptimizeFlags, signal: AbortSignal): Promise<void> {
  const { model: spec, train, threads, memory, lowMemory, verifier: checks, seed, batchSize, out, json } = flags;
  useMemory(memory);
  // Imported here so that other commands do not load the engine.
  const { optimize } = await import("../../grpo/index.js");
  const { loadLocalModel, loadModel } = await import("../../llm/index.js");
  const { resolveModel } = await import("../../model/index.js");
  const session = threads === undefined ? undefined : { threads };
  const options = { signal, session, lowMemory };
  // Any model can be asked in words.
  const model = train === "words" ? await loadModel(spec, options) : await loadLocalModel(spec, options);
  const place = train === "words" ? undefined : await resolveModel(spec, { signal });
  const verifier = checks === undefined ? undefined : await loadModel(checks, { signal, session });
  try {
    const folder = resolveUserPath(out);
    const result = await optimize(settingsOf(flags), {
      model,
      place,
      folder,
      seed,
      verifier,
      batchSize,
      threads,
      signal,
    });
    console.log(json ? JSON.stringify(result) : `${readable(result)}\n${folder}`);
  } finally {
    await model.dispose();
    await verifier?.dispose();
  }
}

function readable({ records, evaluations, rounds, best }: Optimization): string {
  const ks = evaluations[0]?.passAt?.map(({ k }) => k) ?? [];
  const of = (step: number) => records.find((record) => record.step === step);
  const number = (value: number | undefined) => (value === undefined ? "" : value.toFixed(3));
  const row = ({ step, completions, accuracy, passAt = [], length }: HeldOut) => [
    String(step),
    String(completions),
    percent(accuracy.value),
    accuracy.interval ? percentRange(accuracy.interval) : "",
    ...passAt.map(({ value }) => percent(value)),
    length.toFixed(1),
    number(of(step)?.reward),
    number(of(step)?.kl),
    number(of(step)?.entropy),
  ];
  const head = [
    "step",
    "attempts",
    "accuracy %",
    "95 %",
    ...ks.map((k) => `pass@${k}`),
    "tokens",
    "reward",
    "kl",
    "entropy",
  ];
  const chosen = (rounds ?? []).map(({ kept }, at) => `round ${at + 1} keeps ${kept.join(", ")}`);
  return [...alignedLines([head, ...evaluations.map(row)]), ...chosen, ...(best ? [`best: ${best}`] : [])].join("\n");
}
