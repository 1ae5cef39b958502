import { z } from "zod";
import { badInput, readSettingsFile } from "../../core/index.js";
import { PARTS } from "../../data/index.js";
import { createTask, type Problem, type Task } from "../../tasks/index.js";
import { trainingSettingsSchema } from "../../train/index.js";
import { searchSettingsSchema } from "../search-settings.js";
import { SELECTIONS } from "../select.js";
import { loadDotsTask } from "../tasks.js";
import { PLANNERS } from "../training-rows.js";

const name = z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
const count = z.int().positive();

const problemsSchema = z.strictObject({
  task: z.string().min(1),
  /** Group of its problems in the results. Default: that of each problem, else the task. */
  group: z.string().optional(),
  split: z.string().optional(),
  part: z.enum(PARTS).optional(),
  /** Fields of the data set's rows and the values that are taken: {"level": [1, 2]}. */
  where: z.record(z.string(), z.array(z.union([z.string(), z.number()]))).optional(),
  limit: count,
});

const studentSchema = z.strictObject({
  name,
  title: z.string().min(1),
  planner: z.enum(PLANNERS),
  /** Whose trajectory is learned. Default: the best. */
  select: z.enum(SELECTIONS).default("best"),
  explanations: z.boolean().default(true),
  /** Most new tokens of a call of the trained model. Default: those of the study. */
  maxNewTokens: count.optional(),
});

const studySchema = z.strictObject({
  name,
  about: z.string().optional(),
  /** The solver, or a file to be given by --model. */
  model: z.string().min(1),
  title: z.string().min(1),
  seeds: z.array(z.int()).min(1),
  /** Problems to search; word problems are drawn anew with each seed. */
  train: z.array(problemsSchema).min(1),
  test: z.array(problemsSchema).min(1),
  search: searchSettingsSchema.prefault({}),
  temperature: z.number().min(0).default(0.4),
  policy: z.enum(["strict", "dots"]).default("strict"),
  maxNewTokens: count.default(256),
  /** Ways to answer without actions, by their names in `thoughtbook evaluate`. */
  baselines: z.array(z.string()).default([]),
  students: z.array(studentSchema).default([]),
  /** Training of all students; with `lora` the rank of an adapter. */
  training: z
    .strictObject({
      ...trainingSettingsSchema.omit({ seed: true }).partial().shape,
      lora: count.optional(),
      context: count.optional(),
      dtype: z.enum(["float32", "float16", "bfloat16"]).optional(),
    })
    .default({}),
  batchSize: count.optional(),
});

export type StudyProblems = z.infer<typeof problemsSchema>;
export type DotsStudent = z.infer<typeof studentSchema>;
export type DotsStudy = z.infer<typeof studySchema>;

/** Check the settings of a study. Throws bad-input with the place. */
export const parseDotsStudy = (settings: unknown): DotsStudy => {
  const parsed = studySchema.safeParse(settings);
  if (parsed.success) return checked(parsed.data);
  const { path, message } = parsed.error.issues[0]!;
  throw badInput(`the study has ${path.join(".")}: ${message}`, "See data/studies/dots-mini.json.");
};

/**
 * Read the settings of a study.
 *
 * @throws bad-input (with the place), not-found
 */
export const readDotsStudy = async (file: string): Promise<DotsStudy> =>
  checked(await readSettingsFile(file, studySchema, { what: "study of DOTS", example: "data/studies/dots-mini.json" }));

function checked(study: DotsStudy): DotsStudy {
  const names = study.students.map((student) => student.name);
  const twice = names.find((each, at) => names.indexOf(each) !== at);
  if (twice) throw badInput(`the student ${twice} is there twice`, "Give each a name of its own.");
  return study;
}

/** The problems of several tasks as one, each with its group. Word problems are drawn by the seed. */
export async function loadStudyTask(
  label: string,
  parts: readonly StudyProblems[],
  seed: number,
  signal?: AbortSignal,
): Promise<Task> {
  const problems: Problem[] = [];
  for (const { task: taskName, group, split, part, where, limit } of parts) {
    // What is left out by `where` is not known before all are read.
    const loaded = await loadDotsTask(taskName, { split, part, signal, seed, ...(where ? {} : { limit }) });
    const fits = ({ fields = {} }: Problem) =>
      Object.entries(where ?? {}).every(([field, values]) =>
        values.some((value) => String(value) === String(fields[field])),
      );
    const own = loaded.problems.filter(fits).slice(0, limit);
    if (own.length === 0)
      throw badInput(`${taskName} has no problem with ${JSON.stringify(where)}`, "Correct the study's `where`.");
    problems.push(
      ...own.map((problem) => ({ ...problem, fields: { group: group ?? problem.fields?.group ?? taskName } })),
    );
  }
  return createTask(label, problems);
}
