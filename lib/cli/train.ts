import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { badInput, resolveUserPath } from "../core/index.js";
import type { FineTuneOptions } from "../train/index.js";
import type { Flags } from "./flags.js";
import { LOW_MEMORY_HELP, MEMORY, THREADS, useMemory } from "./memory.js";
import { byteSize, count, integer } from "./numbers.js";
import { resumable } from "./resumable.js";

const ROWS = `
One row a line, or a JSON array of rows (also CSV and Parquet), of any of these kinds, for --data and --eval alike; the loss counts
what is written in capitals:
  {"prompt": "…", "completion": "…"}            the COMPLETION
  {"messages": [{"role": "…", "content": "…"}]} the ASSISTANT'S TURNS, as the model's chat template writes them
  {"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}
                                                the same in ShareGPT's words
  {"prompt": [turns], "completion": [turns]}    the ASSISTANT'S TURNS of the completion (TRL; the completion may be a text)
  {"instruction": "…", "input": "…", "output": "…", "history": [["…", "…"]]}
                                                the OUTPUT and the replies before it (Alpaca); the input stands below the instruction
  {"text": "…"}                                 the WHOLE TEXT
  {"ids": [1, 2], "labels": [-100, 2]}          the LABELS that are not -100, all ids without labels; no tokenizer needed
A field "system" is the first turn. A turn with "weight": 0, or false as "trainable", "train", "training" or "loss", is read, not
learned. A row's own "weight", a number above 0, is what its tokens count for. Turns of tools in ShareGPT, images and lists of tools are refused.

Where the chat template writes earlier turns otherwise when others follow (Qwen3, DeepSeek-R1 and -V3 drop their thoughts), a row is split
by turn: each of the assistant's turns is learned behind the conversation before it as the template then writes it. Where
it leaves out something of the turn itself (DeepSeek's drop the last thought too), the prompt is what the template writes, and the turn's own
text stands behind it. Rows that "compress --training-path" wrote are taken with every template that takes a user's turn.

The folder ends as a Hugging Face checkpoint; its subfolder training/ holds run.json (the settings) and records.jsonl
(a record an update). Ctrl-C saves the state: the same command with --resume goes on from there.`;

export function addTrainCommand(program: Command): void {
  trainCommand(program).action(train);
}

/** How the weights of a trained model are stored. */
export const dtypeOption = () =>
  new Option("--dtype <type>", "how weights are stored (default: float32)").choices(["float32", "float16", "bfloat16"]);

const trainCommand = (program: Command) =>
  program
    .command("train")
    .description("train a language model on texts, conversations or prompts with completions")
    .requiredOption(
      "--model <model>",
      "mini-base (embedded), folder of a checkpoint, GGUF file, or owner/name or owner/name:FILE.gguf of the Hugging Face hub",
    )
    .requiredOption("--data <file>", "the rows to train on")
    .requiredOption("--out <folder>", "the folder of the trained model")
    .option("--eval <file>", "rows to measure the loss on: the weights with the lowest are kept")
    .option("--fresh", "begin with random weights, of the model's configuration and tokenizer")
    .option("--lora <rank>", "train an adapter of this rank instead of all weights", count)
    .option(
      "--alpha <alpha>",
      "the adapter's addition is alpha / rank times its product (default: twice the rank)",
      above0,
    )
    .option("--targets <names...>", 'layers with an adapter, such as q_proj v_proj (default: "all-linear")')
    .option("--no-merge", "write the adapter only, not the model with it")
    .option("--epochs <n>", "how often each row is seen (default: 1)", count)
    .option("--max-steps <n>", "the most updates", count)
    .option("--batch-size <n>", "rows a batch; packed, on average (default: 16)", count)
    .option("--accumulation <n>", "batches an update (default: 1)", count)
    .addOption(
      new Option("--batching <how>", "several rows in one sequence, or like lengths together (default: pack)").choices([
        "pack",
        "bucket",
      ]),
    )
    .option("--learning-rate <x>", "the highest learning rate (default: 5e-4, for an adapter 2e-3)", above0)
    .addOption(
      new Option("--schedule <schedule>", "how it goes down (default: cosine)").choices([
        "cosine",
        "linear",
        "constant",
      ]),
    )
    .option("--warmup <n>", "updates until it is reached; below 1 a share of all (default: 0.05)", from0)
    .addOption(
      new Option("--optimizer <name>", "muon takes linear layers by Muon, all else by AdamW (default: adamw)").choices([
        "adamw",
        "muon",
      ]),
    )
    .option("--weight-decay <x>", "decay of matrices (default: 0.01)", from0)
    .option("--clip-norm <x>", "the largest norm of the gradient (default: 1)", above0)
    .option("--context <n>", "the most tokens of a row (default: the model's positions)", count)
    .addOption(
      new Option("--too-long <rule>", "what becomes of a row with more (default: cut)").choices(["cut", "drop"]),
    )
    .option("--eval-every <n>", "updates between two evaluations (default: 100)", count)
    .option("--save-every <n>", "updates between two savings of the state (default: 100)", count)
    .addOption(dtypeOption())
    .option("--seed <n>", "where the random numbers come from", integer, 0)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--low-memory", `${LOW_MEMORY_HELP}; for an adapter that is not merged`)
    .option("--resume", "go on with the run in the folder, if there is one")
    .addHelpText("after", ROWS);

async function train({
  lora,
  alpha,
  targets,
  eval: heldOut,
  evalEvery,
  resume,
  memory,
  ...flags
}: Flags<typeof trainCommand>): Promise<void> {
  const stray = Object.entries({
    "--alpha": alpha,
    "--targets": targets,
    "--no-merge": flags.merge ? undefined : true,
  });
  const given = stray.find(([, value]) => value !== undefined);
  if (lora === undefined && given) {
    throw badInput(`${given[0]} is for an adapter`, "Give its rank, such as --lora 8.");
  }
  useMemory(memory);
  // Imported on demand: the engine takes half a second to load, and no other command needs it.
  const { resolveModel } = await import("../model/index.js");
  const { describeCounts, fineTune } = await import("../train/index.js");
  const out = resolveUserPath(flags.out);
  const options: FineTuneOptions = {
    ...flags,
    model: await resolveModel(flags.model),
    data: resolveUserPath(flags.data),
    heldOut: heldOut === undefined ? undefined : resolveUserPath(heldOut),
    out,
    evaluateEvery: evalEvery,
    resume: resume ?? false,
    lora:
      lora === undefined
        ? undefined
        : { rank: lora, ...(alpha === undefined ? {} : { alpha }), ...(targets ? { targets } : {}) },
    onRows(rows) {
      console.log(`data: ${describeCounts(rows.train)}`);
      if (rows.heldOut) console.log(`eval: ${describeCounts(rows.heldOut)}`);
    },
  };
  const hint = "The same command with --resume goes on from there.";
  const { step, steps, value } = await resumable((signal) => fineTune({ ...options, signal }), hint);
  const best = value === undefined ? "" : `, the best on the rows of --eval: loss ${value.toFixed(4)}`;
  console.log(`${out}: the model after update ${step} of ${steps}${best}`);
}

function from0(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError("Give a number, 0 or more.");
  }
  return value;
}

function above0(text: string): number {
  const value = from0(text);
  if (value === 0) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}
