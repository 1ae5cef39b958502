import { existsSync } from "node:fs";
import { z } from "zod";
import { readSettingsFile, requireSameSettings, writeWhole } from "../../core/index.js";
import { isFinished, pretrainFolders } from "./folders.js";
import { type Recipe, recipeSchema } from "./recipe.js";

/** What the models in a folder of `pretrain` come from. */
export interface PretrainOrigin {
  recipe: Recipe;
  seed: number;
  /** The folder. */
  out: string;
}

const schema = z.object({ recipe: recipeSchema, seed: z.int() });

/**
 * Check that what is finished in a folder was made by this recipe and seed. Phases that are not finished may differ: a run
 * can be planned anew as it goes.
 *
 * @throws bad-input that names the first difference; file-system
 */
export async function requireOrigin({ recipe, seed, out }: PretrainOrigin): Promise<void> {
  const { origin, tokenizer } = pretrainFolders(out);
  if (!existsSync(origin) || !existsSync(tokenizer)) return;
  const earlier = await readSettingsFile(origin, schema, { what: "recipe and seed of a run", example: origin });
  const finished = 1 + earlier.recipe.phases.findLastIndex((phase) => isFinished(out, phase));
  const partsOf = (of: z.infer<typeof schema>) => ({
    seed: of.seed,
    tokenizer: of.recipe.tokenizer,
    model: of.recipe.model,
    phases: of.recipe.phases.slice(0, finished),
  });
  requireSameSettings(partsOf(earlier), partsOf({ recipe, seed }), out);
}

/** Write down what the folder's models come from. */
export const keepOrigin = ({ recipe, seed, out }: PretrainOrigin): Promise<void> =>
  writeWhole(pretrainFolders(out).origin, `${JSON.stringify({ seed, recipe }, null, 2)}\n`);
