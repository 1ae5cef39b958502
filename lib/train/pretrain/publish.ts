import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ThoughtbookError } from "../../core/index.js";
import { operationsFile } from "../../llm/index.js";
import { openCheckpoint, readParameters, saveCheckpoint } from "../../model/index.js";
import { CURVE_FILE, trainingCurve } from "../training-curve.js";
import { TRAINING_FILE, trainedOperations } from "../training-record.js";
import { filesOf, isFinished, pretrainFolders } from "./folders.js";
import { requireOrigin } from "./origin.js";
import type { Phase, Recipe } from "./recipe.js";

export interface PublishOptions {
  recipe: Recipe;
  /** Instead of the recipe's. */
  seed?: number | undefined;
  /** The folder of `pretrain`. */
  out: string;
  /** Gets one folder for each model. */
  into: string;
}

const resultSchema = z.object({ updates: z.int(), seconds: z.number() });

/**
 * Write the models that a recipe is for, as far as their phases are done: each a Hugging Face folder with weights of 16
 * bits, besides `training.json` (the recipe up to there with seed and time) and `curve.csv` (loss and accuracy).
 *
 * @returns the folders
 * @throws not-found if no phase of a model is done; bad-input for a folder of another recipe or seed; corrupt-data,
 *   file-system
 */
export async function publishModels({ recipe, seed = recipe.seed, out, into }: PublishOptions): Promise<string[]> {
  const places = pretrainFolders(out);
  await requireOrigin({ recipe, seed, out });
  const written: string[] = [];
  for (const [name, source] of Object.entries(recipe.publish)) {
    const phases = recipe.phases.slice(0, 1 + recipe.phases.findIndex((phase) => phase.name === source));
    if (!isFinished(out, phases.at(-1)!)) continue;
    const lastFolder = places.model(phases.at(-1)!);
    const checkpoint = await openCheckpoint(lastFolder);
    const { publish: _, ...rest } = recipe;
    const training = { recipe: { ...rest, name, phases }, seed, phases: await Promise.all(phases.map(timeOf)) };
    const folder = join(into, name);
    await saveCheckpoint(folder, {
      config: checkpoint.config,
      parameters: await readParameters(checkpoint),
      dtype: "float16",
      extraFiles: {
        // Tokenizer and chat template.
        ...(await filesOf(lastFolder, (name) => /\.json$/.test(name) && !/^(config|model)/.test(name))),
        ...operationsFile(name, trainedOperations(phases)),
        [TRAINING_FILE]: `${JSON.stringify(training, null, 2)}\n`,
        [CURVE_FILE]: await trainingCurve(phases, out),
      },
    });
    written.push(folder);
  }
  if (written.length > 0) return written;
  throw new ThoughtbookError("not-found", `${out} has no finished model of the recipe ${recipe.name}`, {
    hint: `Its models: ${Object.entries(recipe.publish)
      .map(([name, phase]) => `${name} after the phase ${phase}`)
      .join(", ")}.`,
  });

  async function timeOf(phase: Phase) {
    const { updates, seconds } = resultSchema.parse(JSON.parse(await readFile(places.result(phase), "utf8")));
    return { phase: phase.name, updates, hours: Number((seconds / 3600).toFixed(2)) };
  }
}
