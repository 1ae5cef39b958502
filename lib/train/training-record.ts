import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readSettingsFile } from "../core/index.js";
import { OPERATION_NAMES, type OperationName } from "../operations/index.js";
import { type Recipe, recipeSchema } from "./pretrain/recipe.js";

export const TRAINING_FILE = "training.json";

/** The fields that cards and notebooks use: recipes older than the present schema can be read. */
const trainingSchema = z.object({
  seed: z.int(),
  recipe: z.object({
    name: z.string(),
    tokenizer: z.object({ vocabularySize: z.int() }),
    model: z.object({
      hidden_size: z.int(),
      intermediate_size: z.int(),
      num_hidden_layers: z.int(),
      num_attention_heads: z.int(),
      num_key_value_heads: z.int(),
      max_position_embeddings: z.int(),
    }),
    phases: z.array(
      z.object({
        name: z.string(),
        operations: z.tuple([z.int(), z.int()]),
        longest: z.int(),
        mixture: z.record(z.string(), z.number()),
      }),
    ),
  }),
  phases: z.array(z.object({ phase: z.string(), updates: z.int(), hours: z.number() })),
  /** For a model that is the mean of those after some phases: their shares. */
  meanOf: z.record(z.string(), z.number()).optional(),
});

/** How a published model was trained: the recipe up to there, its seed, updates and hours of each phase. */
export type TrainingOfModel = z.output<typeof trainingSchema>;

/**
 * How a model was trained that `publishModels` wrote.
 *
 * @param folder of the model
 * @throws not-found, file-system, bad-input (with the place in the file)
 */
export const readTraining = (folder: string): Promise<TrainingOfModel> =>
  readSettingsFile(join(folder, TRAINING_FILE), trainingSchema, {
    what: "training",
    example: "data/models/mini/training.json",
  });

const madeSchema = z.looseObject({ recipe: z.looseObject({}), meanOf: z.unknown().optional() });

/**
 * Whether a model that `publishModels` wrote was trained by a recipe, up to one of its phases: by the same tokenizer,
 * sizes and phases. An older recipe may have settings that recipes do not have any more; then it was not.
 *
 * @param folder of the model
 * @throws like {@link readTraining}
 */
export async function isTrainedBy(folder: string, recipe: Recipe): Promise<boolean> {
  const kind = { what: "training", example: "data/models/mini/training.json" };
  const made = await readSettingsFile(join(folder, TRAINING_FILE), madeSchema, kind);
  const parsed = recipeSchema.safeParse(made.recipe);
  if (!parsed.success || made.meanOf !== undefined) return false;
  const { tokenizer, model, phases } = parsed.data;
  const until = recipe.phases.slice(0, phases.length);
  return isDeepStrictEqual([tokenizer, model, phases], [recipe.tokenizer, recipe.model, until]);
}

/** Operations that a problem of the training needs at most. */
export const mostOperations = ({ recipe }: TrainingOfModel): number =>
  Math.max(...recipe.phases.map((phase) => phase.operations[1]));

/** Operations that examples of some phases are of. */
export const trainedOperations = (
  phases: readonly { mixture: Readonly<Partial<Record<string, number>>> }[],
): OperationName[] => OPERATION_NAMES.filter((name) => phases.some(({ mixture }) => (mixture[name] ?? 0) > 0));
