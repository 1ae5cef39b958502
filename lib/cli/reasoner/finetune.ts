import { join } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { Flags } from "../flags.js";
import { MEMORY, THREADS, useMemory } from "../memory.js";
import { byteSize, count, decimal, integer } from "../numbers.js";
import { resumable } from "../resumable.js";

const finetuneCommand = (program: Command) =>
  program
    .command("finetune")
    .description("train a model on aggregated solutions")
    .requiredOption("--model <model>", "a folder, a GGUF file, or the name of a model on this library's engine")
    .requiredOption("--aggregated-data <place>", "solutions.jsonl, the folder of a store, or that of a run")
    .requiredOption("--out <folder>", "the folder of the trained model, or of an adapter")
    .addOption(
      new Option(
        "--learner <name>",
        "bc, weighted, dpo, or value: a value head for --value head (default: bc)",
      ).choices(["bc", "weighted", "dpo", "value"]),
    )
    .option("--most-right <n>", "the most right solutions of a task (default: 8)", count)
    .option("--most-near <n>", "the most partly right ones (default: 8)", count)
    .option("--rows <n>", "the most solutions or pairs (default: all)", count)
    .option("--lora <rank>", "train an adapter (default: all weights)", count)
    .option("--epochs <n>", "passes (default: 3)", count)
    .option("--batch-size <n>", "solutions in a batch (default: 16)", count)
    .option("--learning-rate <rate>", "default: by the learner", decimal)
    .option("--beta <beta>", "of dpo (default: 0.1)", decimal)
    .option("--seed <n>", "default: 0", integer)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--json", "print what was done as one JSON object");

export function addFinetuneCommand(program: Command): void {
  finetuneCommand(program).action((flags) => resumable((signal) => finetune(flags, signal)));
}

async function finetune(flags: Flags<typeof finetuneCommand>, signal: AbortSignal): Promise<void> {
  useMemory(flags.memory);
  const { finetuneSolutions } = await import("../../reasoner/index.js");
  const { learner = "bc", seed = 0, threads, out, model, aggregatedData } = flags;
  const { mostRight, mostNear, rows, lora, epochs, batchSize, learningRate, beta } = flags;
  const folder = resolveUserPath(out);
  const done = await finetuneSolutions({
    ...{ model, learner, seed, threads, signal, folder, data: resolveUserPath(aggregatedData) },
    settings: { mostRight, mostNear, rows, lora, epochs, batchSize, learningRate, beta },
  });
  if (flags.json) console.log(JSON.stringify(done));
  else
    console.log(
      `${done.examples} examples, ${done.updates} updates: ${join(folder, done.kind === "weights" ? "model" : done.kind)}`,
    );
}
