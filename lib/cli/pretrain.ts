import { join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { dataFolder, resolveUserPath } from "../core/index.js";
import type { Flags } from "./flags.js";
import { MEMORY, useMemory } from "./memory.js";
import { byteSize, count, integer } from "./numbers.js";
import { resumable } from "./resumable.js";

const OUTPUT = `
The folder gets tokenizer/, runs/PHASE/ (run.json, records.jsonl with loss and accuracies, the state to go on from) and
models/PHASE/, a Hugging Face checkpoint each. Ctrl-C saves the state; the same command goes on from there.`;

export function addPretrainCommand(program: Command): void {
  pretrainCommand(program).action(pretrainModel);
}

const pretrainCommand = (program: Command) =>
  program
    .command("pretrain")
    .description("train a model from nothing on procedural problems, by a recipe")
    .requiredOption("--out <folder>", "the folder of everything that comes out")
    .option("--recipe <file.json>", "the recipe", join(dataFolder(), "recipes", "mini.json"))
    .option("--seed <n>", "instead of the recipe's", integer)
    .option("--until <phase>", "stop after this phase")
    .option("--threads <n>", "threads of the engine (default: the processors of this machine)", count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--save-every <n>", "updates between two times that the state is saved (default: 100)", count)
    .option("--publish <folder>", "afterwards write the models that the recipe names there, each with its curve")
    .addHelpText("after", OUTPUT);

async function pretrainModel({
  recipe: file,
  out: folder,
  publish,
  memory,
  ...options
}: Flags<typeof pretrainCommand>): Promise<void> {
  useMemory(memory);
  // Here, so that other commands need not load the engine.
  const { pretrain, publishModels, readRecipe } = await import("../train/index.js");
  const recipe = await readRecipe(resolveUserPath(file));
  const out = resolveUserPath(folder);
  const hint = `The same command goes on from there: the state is in ${out}.`;
  console.log(await resumable((signal) => pretrain({ ...options, recipe, out, signal }), hint));
  if (publish === undefined) return;
  const { seed } = options;
  for (const model of await publishModels({ recipe, seed, out, into: resolveUserPath(publish) })) console.log(model);
}
