import { z } from "zod";
import { badInput, readSettingsFile } from "../../core/index.js";
import { PARTS } from "../../data/index.js";

const armSchema = z.strictObject({
  /** A name of `models`. */
  model: z.string().min(1),
  task: z.string().min(1),
  split: z.string().optional(),
  part: z.enum(PARTS).optional(),
  /** Maximum number of problems, the first ones. */
  limit: z.int().positive().optional(),
  strategy: z.string().min(1),
  /** Worked examples before each problem. Default: as the model's kind says. */
  demonstrations: z.int().min(0).max(32).optional(),
  /** Texts for each problem; their majority is reported too. */
  samples: z.int().positive().default(1),
  temperature: z.number().min(0).default(0),
  topP: z.number().positive().max(1).optional(),
  budgets: z.array(z.int().positive()).min(1),
  /** A soft prompt that is learned first, by group-relative advantages with the answer as reward, and then precedes all calls. */
  prompt: z
    .strictObject({
      task: z.string().min(1),
      split: z.string().default("train"),
      /** Problems to learn on. */
      limit: z.int().positive(),
      updates: z.int().positive(),
      /** Problems of an update, and attempts at each. */
      problems: z.int().positive().default(8),
      groupSize: z.int().min(2).default(8),
      vectors: z.int().positive().default(16),
      /** Text whose token embeddings the vectors begin with. */
      text: z.string().min(1).optional(),
      learningRate: z.number().positive().optional(),
    })
    .optional(),
});

const planSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  about: z.string().optional(),
  seed: z.int().default(0),
  /** What the models are, by the names that arms call them: a specification, or a file to be given by --model NAME=FILE. */
  models: z.record(z.string(), z.strictObject({ spec: z.string().min(1), title: z.string().min(1) })),
  arms: z.array(armSchema).min(1),
  /** Pairs of arms, by their ids, that are compared problem by problem. */
  comparisons: z.array(z.tuple([z.string(), z.string()])).default([]),
  /**
   * Pairs of an arm and one of several samples: of these as many vote as cost about the same tokens a problem, at least as many.
   */
  equalTokens: z.array(z.tuple([z.string(), z.string()])).default([]),
});

export type BaselineArm = z.infer<typeof armSchema>;
export type BaselinePlan = z.infer<typeof planSchema>;

/**
 * Read the plan of baselines: arms in the order in which they are to be run, so that what does not fit into the time is left out.
 *
 * @throws bad-input (with the place) for a file that is no plan, an arm of a model that is not listed, an arm that is there
 *   twice, or a comparison of arms of different data sets; not-found
 */
export async function readBaselinePlan(file: string): Promise<BaselinePlan> {
  const plan = await readSettingsFile(file, planSchema, {
    what: "plan of baselines",
    example: "data/baselines/real-baselines.json",
  });
  const ids = new Set<string>();
  for (const arm of plan.arms) {
    const id = armId(arm);
    if (plan.models[arm.model] === undefined) {
      throw badInput(
        `${file}: the arm ${id} is of no model that is listed`,
        `Those are ${Object.keys(plan.models).join(", ")}.`,
      );
    }
    if (ids.has(id)) throw badInput(`${file}: the arm ${id} is there twice`, "Remove one.");
    ids.add(id);
  }
  const unknown = [...plan.comparisons, ...plan.equalTokens].flat().find((id) => !ids.has(id));
  if (unknown !== undefined) {
    throw badInput(`${file}: there is no arm ${unknown} to compare`, `Those are ${[...ids].join(", ")}.`);
  }
  const arms = new Map(plan.arms.map((arm) => [armId(arm), arm]));
  for (const [one, other] of [...plan.comparisons, ...plan.equalTokens]) {
    const { task } = arms.get(one)!;
    if (task === arms.get(other)!.task) continue;
    throw badInput(`${file}: ${one} and ${other} have no problem in common`, "Compare arms of the same data set.");
  }
  return plan;
}

/** "cot-4", "cot-8-samples", "aot-prompt": the strategy with its demonstrations, samples and optimised prompt. */
export const methodOf = ({ strategy, demonstrations, samples, prompt }: BaselineArm): string =>
  [
    strategy,
    ...(demonstrations ? [String(demonstrations)] : []),
    ...(samples > 1 ? [`${samples}-samples`] : []),
    ...(prompt ? ["prompt"] : []),
  ].join("-");

/** "qwen/gsm8k/cot-4": also the folder of its records. */
export const armId = (arm: BaselineArm): string =>
  [arm.model, arm.task.replace(/[^\w.-]+/g, "-"), methodOf(arm)].join("/");

/** The ids of all arms, in their order. */
export const armIds = ({ arms }: BaselinePlan): string[] => arms.map(armId);
