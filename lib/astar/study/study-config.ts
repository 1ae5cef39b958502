import { z } from "zod";
import { checkSettings, readSettingsFile } from "../../core/index.js";
import { trainingSettingsSchema } from "../../train/index.js";
import { SOLUTION_PARTS } from "../chains/training-row.js";
import { BASELINE_MODES } from "../compress/baselines.js";
import { SEARCH_MODES } from "../compress/compress-row.js";
import { IMPORTANCE_SIGNALS, NORMALISATIONS } from "../importance/formulas.js";

const count = z.int().positive();
const range = z.tuple([count, count]).refine(([least, most]) => least <= most);
/** Maximum tokens of an answer. */
const budgets = z.array(count).min(1);
const slug = z.string().regex(/^[a-z0-9.-]+$/);

const setSchema = z.strictObject({
  /** Name for files. */
  name: slug,
  /** Label in figures. */
  method: z.string().min(1),
  /** A mode of `compress`, or `accepted`: the rows of another set whose chains a search accepted. */
  mode: z.enum([...SEARCH_MODES, ...BASELINE_MODES, "accepted"]),
  /** For `accepted`: the set whose rows are taken, and the set whose search decides; may be the same. */
  of: slug.optional(),
  by: slug.optional(),
  /** For baselines of a given size: another set; each chain keeps as many tokens as there. */
  like: slug.optional(),
  importance: z
    .strictObject({
      alpha: z.number().min(0).max(1),
      normalisation: z.enum(NORMALISATIONS),
      signal: z.enum(IMPORTANCE_SIGNALS),
    })
    .partial()
    .default({}),
  search: z
    .strictObject({
      beta: z.number().nonnegative().exactOptional(),
      expandSize: count.exactOptional(),
      neighbours: z.int().nonnegative().exactOptional(),
      minSteps: z.int().nonnegative().exactOptional(),
      maxSteps: count.exactOptional(),
      samples: count.exactOptional(),
      needed: count.exactOptional(),
      maxNewTokens: count.exactOptional(),
    })
    .default({}),
  /** Whether students are trained on it, where the study trains some. */
  students: z.boolean().default(true),
});

const referencesOf = ({ like, of, by }: z.infer<typeof setSchema>) =>
  [like, of, by].filter((name) => name !== undefined);
const isAmong = (sets: readonly { name: string }[], wanted: string) => sets.some(({ name }) => name === wanted);

export const studySchema = z
  .strictObject({
    name: slug,
    /** Seed of the search and, together with the students' seeds, of the training. */
    seed: z.int(),
    models: z.strictObject({
      /** Model that students start from. */
      base: z.string(),
      validator: z.string(),
      scorer: z.string(),
    }),
    /**
     * Chains that are compressed: those of word problems of the training split, or a file of chains that `compress` reads.
     * Of a file `count` rows are drawn with the seed among those with at least `leastSteps` steps; a relative path is below
     * the folder of data sets (THOUGHTBOOK_DATA).
     */
    chains: z.union([
      z.strictObject({ count, operations: range, seed: z.int() }),
      z.strictObject({ file: z.string().min(1), count, seed: z.int(), leastSteps: count.default(1) }),
    ]),
    sets: z.array(setSchema).min(1),
    /** Pairs of sets: students of the first are compared with those of the second. */
    comparisons: z.array(z.tuple([slug, slug])).default([]),
    /** How students are trained and measured; without it, chains are only compressed. */
    students: z
      .strictObject({
        seeds: z.array(z.int()).min(1),
        /** Number of updates, or of epochs; and examples per update. */
        steps: count.exactOptional(),
        epochs: count.exactOptional(),
        ...trainingSettingsSchema.pick({ batchSize: true, learningRate: true, optimizer: true, schedule: true }).shape,
        /** Batches per update. Default: 1. */
        accumulation: count.exactOptional(),
        /** Maximum tokens of an example; longer ones are cut. Default: the model's positions. */
        context: count.exactOptional(),
        /** Train an adapter, which is merged in, instead of all weights; the model is then kept in half precision. */
        lora: z.strictObject({ rank: count, alpha: z.number().positive().exactOptional() }).exactOptional(),
        /** Which part of the solution students learn to write after the thought. Default: the whole solution. */
        solutions: z.enum(SOLUTION_PARTS).exactOptional(),
      })
      .refine(({ steps, epochs }) => (steps === undefined) !== (epochs === undefined), {
        error: "expected either steps or epochs",
      })
      .exactOptional(),
    /** Word problems, or a data set of `thoughtbook data list`, of which `problems` are drawn that have no chain. */
    evaluation: z
      .union([
        z.strictObject({
          problems: count,
          operations: range,
          split: z.enum(["validation", "test"]),
          seed: z.int(),
          budgets,
        }),
        z.strictObject({ task: slug, problems: count, split: slug.exactOptional(), seed: z.int(), budgets }),
      ])
      .exactOptional(),
  })
  .refine(
    ({ sets, comparisons }) =>
      comparisons.flat().every((name) => sets.some((set) => set.name === name && set.students)),
    { path: ["comparisons"], error: "names a set that has no students" },
  )
  .refine(({ students, evaluation }) => (students === undefined) === (evaluation === undefined), {
    error: "students and evaluation belong together",
  })
  .refine(({ sets }) => new Set(sets.map(({ name }) => name)).size === sets.length, {
    path: ["sets"],
    error: "two sets have the same name",
  })
  .refine(({ sets }) => sets.every(({ mode, of, by }) => (mode === "accepted") === Boolean(of && by)), {
    path: ["sets"],
    error: "`of` and `by` belong to the mode `accepted`, which needs both",
  })
  .refine(({ sets }) => sets.every((set, at) => referencesOf(set).every((name) => isAmong(sets.slice(0, at), name))), {
    path: ["sets"],
    error: "`like`, `of` or `by` names a set that does not come before",
  });

/**
 * Configuration of a study of compressed chains: sets of chains, each shortened in its own way, and students that learn
 * from each set in the same way and are measured on the same problems.
 */
export type AstarStudy = z.infer<typeof studySchema>;
export type StudySet = AstarStudy["sets"][number];

const KIND = { what: "study", example: "data/studies/astar.json" };

/** @throws bad-input, with the place, for settings that are no study */
export const parseStudy = (content: unknown): AstarStudy =>
  checkSettings(content, studySchema, { ...KIND, source: "what was given" });

/**
 * Read a study from its JSON file.
 *
 * @throws not-found, file-system, bad-input (with the place in the file)
 */
export const readStudy = (file: string): Promise<AstarStudy> => readSettingsFile(file, studySchema, KIND);
