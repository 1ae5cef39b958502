import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { Flags } from "../flags.js";
import { count } from "../numbers.js";
import { addOptimizeCommand } from "./optimize.js";
import { addPlanCommand } from "./plan.js";

export function addGrpoCommand(program: Command): void {
  const grpo = program
    .command("grpo")
    .description(
      "optimise a model, vectors before its prompts, or written prompts by the rewards of groups of attempts",
    );
  addOptimizeCommand(grpo);
  addPlanCommand(grpo);
  readCommand(grpo).action(read);
}

const readCommand = (grpo: Command) =>
  grpo
    .command("read")
    .description("read the vectors that were learned, by the tokens nearest to them")
    .argument("<folder>", 'of the vectors: "prompt" in the folder of the run')
    .requiredOption("--model <model>", "the model that they were learned for")
    .option("--count <n>", "tokens for each vector", count, 5)
    .option("--json", "print one JSON array");

async function read(folder: string, { model: spec, count: nearest, json }: Flags<typeof readCommand>): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { loadSoftPrompt } = await import("../../grpo/index.js");
  const { loadLocalModel, nearestTokens } = await import("../../llm/index.js");
  const model = await loadLocalModel(spec);
  try {
    const prompts = [];
    for (const { name, vectors } of await loadSoftPrompt(resolveUserPath(folder), model)) {
      prompts.push({ name, vectors: await nearestTokens(model, vectors, { count: nearest }) });
    }
    if (json) {
      console.log(JSON.stringify(prompts));
      return;
    }
    for (const { name, vectors } of prompts) {
      console.log(name);
      for (const [at, tokens] of vectors.entries()) {
        const shown = tokens.map(({ text, cosine }) => `${JSON.stringify(text)} ${cosine.toFixed(2)}`);
        console.log(`${String(at + 1).padStart(4)}  ${shown.join("  ")}`);
      }
    }
  } finally {
    await model.dispose();
  }
}
