import { z } from "zod";
import { readSettingsFile } from "../../core/index.js";
import { MOST_DISTRACTORS, MOST_OPERATIONS } from "../../data/index.js";
import { OPERATION_NAMES } from "../../operations/index.js";
import { trainingSettingsSchema } from "../options.js";

const count = z.int().positive();
const share = z.number().min(0).max(1);
/** The least and the most. */
const range = (from: number, to: number) => {
  const number = z.int().min(from).max(to);
  return z.tuple([number, number]).refine(([least, most]) => least <= most);
};

const operationName = z.enum(OPERATION_NAMES as [string, ...string[]]);

const phaseSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** Updates. */
  steps: count,
  /** As of training, each said; examples are questions with all that follows them. */
  ...trainingSettingsSchema.pick({
    batchSize: true,
    learningRate: true,
    schedule: true,
    warmup: true,
    optimizer: true,
    weightDecay: true,
    beta2: true,
  }).shape,
  /** Operations that a problem needs, all numbers equally often. */
  operations: range(1, MOST_OPERATIONS),
  distractors: range(0, MOST_DISTRACTORS),
  /** How often a problem has distractors at all. */
  withDistractors: share,
  /** How often a question is followed by each operation. What does not fit beside the others is left out. */
  mixture: z.partialRecord(operationName, share),
  /** How often a long thought comes with paragraphs left out, and only the solution after it is learned; default: never. */
  shortened: share.exactOptional(),
  /** Share of examples that hold nothing but equations, as the steps of such problems have them. */
  equations: share.default(0),
  /** How often each form of an equation occurs, such as n+n+n: as in problems, or all equally. */
  equationForms: z.enum(["frequent", "balanced"]).default("frequent"),
  /** Share of the other examples that are texts without tags, to be judged rather than answered. */
  documents: share.default(0),
  /** How often a question comes without a tag, as in a plain chat: it is thought about step by step. */
  untagged: share,
  /** Tokens of a question with all that follows it, at most. */
  longest: count,
});

export const recipeSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]+$/),
    seed: z.int(),
    tokenizer: z.strictObject({ vocabularySize: count, problems: count }),
    /** Keys of a Llama's config.json. */
    model: z.strictObject({
      hidden_size: count,
      intermediate_size: count,
      num_hidden_layers: count,
      num_attention_heads: count,
      num_key_value_heads: count,
      max_position_embeddings: count,
    }),
    evaluation: z.strictObject({
      /** Updates between two evaluations. */
      every: count,
      /** Problems for each number of operations. */
      problems: count,
      operations: z.array(count.max(MOST_OPERATIONS)).min(1),
      maxNewTokens: count,
    }),
    phases: z.array(phaseSchema).min(1),
    /** The models that the recipe is for: name, and the phase after which it is so. */
    publish: z.record(z.string().regex(/^[a-z0-9-]+$/), z.string()).default({}),
  })
  .refine(({ phases, publish }) => Object.values(publish).every((phase) => phases.some(({ name }) => name === phase)), {
    path: ["publish"],
    error: "names a phase that the recipe does not have",
  })
  .refine(({ phases }) => new Set(phases.map(({ name }) => name)).size === phases.length, {
    path: ["phases"],
    error: "two phases have the same name",
  })
  .refine(({ phases, model }) => phases.every(({ longest }) => longest <= model.max_position_embeddings), {
    path: ["phases"],
    error: "`longest` is above the model's max_position_embeddings",
  });

/** How a model is trained from nothing on procedural problems: tokenizer, sizes, and phases one after the other. */
export type Recipe = z.infer<typeof recipeSchema>;
export type Phase = z.infer<typeof phaseSchema>;

/**
 * A recipe from its JSON file.
 *
 * @throws not-found, file-system, bad-input (with the place in the file)
 */
export function readRecipe(file: string): Promise<Recipe> {
  return readSettingsFile(file, recipeSchema, { what: "recipe", example: "data/recipes/mini.json" });
}
