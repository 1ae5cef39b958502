import { join } from "node:path";
import { z } from "zod";
import { badInput, checkInterrupt, type ProgressDisplay, readSettingsFile } from "../core/index.js";
import type { LanguageModel } from "../llm/index.js";
import { modelSlot, withinHours } from "../study/index.js";
import { type Optimization, optimize } from "./optimize.js";
import { optimizationSchema } from "./settings.js";

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

const planSchema = z.strictObject({
  name: z.string().regex(NAME),
  about: z.string().optional(),
  /** What the models are, by the names that arms call them. */
  models: z.record(
    z.string(),
    z.strictObject({ spec: z.string().min(1), title: z.string().min(1), lowMemory: z.boolean().default(false) }),
  ),
  seeds: z.array(z.int()).min(1).default([1]),
  arms: z
    .array(
      optimizationSchema.extend({
        id: z.string().regex(NAME),
        /** As figures name it. */
        title: z.string().min(1),
        /** A name of `models`. */
        model: z.string(),
        /** Default: those of the plan. */
        seeds: z.array(z.int()).min(1).optional(),
      }),
    )
    .min(1),
});

export type GrpoPlan = z.infer<typeof planSchema>;
type PlanArm = GrpoPlan["arms"][number];

/** An optimisation of a plan. */
export interface PlannedResult extends Optimization {
  /** `ARM/seed-N`. */
  id: string;
  arm: string;
  title: string;
}

export interface GrpoResults {
  name: string;
  /** The command that makes them. */
  command: string;
  /** Optimisations that are finished, in the order of the plan. */
  results: PlannedResult[];
  /** Ids of those that are not. */
  unfinished: string[];
}

/**
 * Read the plan of optimisations: arms in the order in which they are to be run, each with some seeds.
 *
 * @throws bad-input (with the place) for a file that is no plan, an arm of a model that is not listed or that is there twice; not-found
 */
export async function readGrpoPlan(file: string): Promise<GrpoPlan> {
  const plan = await readSettingsFile(file, planSchema, {
    what: "plan of optimisations",
    example: "data/grpo/mini-weights.json",
  });
  const ids = plan.arms.map(({ id }) => id);
  for (const [at, { id, model }] of plan.arms.entries()) {
    if (plan.models[model] === undefined) {
      throw badInput(
        `${file}: the arm ${id} is of no model that is listed`,
        `Those are ${Object.keys(plan.models).join(", ")}.`,
      );
    }
    if (ids.indexOf(id) !== at) throw badInput(`${file}: the arm ${id} is there twice`, "Remove one.");
  }
  return plan;
}

/** The ids of all optimisations, in their order: the first seed of all arms first, so that all arms are soon known. */
export const optimizationIds = (plan: GrpoPlan): string[] => planned(plan).map(({ id }) => id);

function planned({ arms, seeds: common }: GrpoPlan): { id: string; arm: PlanArm; seed: number }[] {
  const most = Math.max(...arms.map(({ seeds = common }) => seeds.length));
  return Array.from({ length: most }, (_, at) =>
    arms.flatMap((arm) => {
      const seed = (arm.seeds ?? common)[at];
      return seed === undefined ? [] : [{ id: `${arm.id}/seed-${seed}`, arm, seed }];
    }),
  ).flat();
}

export interface GrpoPlanOptions {
  /** Folder of the runs: each in one of its own. */
  folder: string;
  /** Loads a model by its specification. */
  load: (spec: string, options: { lowMemory: boolean }) => Promise<LanguageModel>;
  /** Specifications instead of those of the plan, by the plan's name of a model. */
  specs?: Readonly<Record<string, string>> | undefined;
  /** Arms, or optimisations, to run. Default: all. */
  only?: readonly string[] | undefined;
  /** Hours after which nothing more is begun, and what runs is stopped; its finished steps stay. Default: no limit. */
  hours?: number | undefined;
  /** The command that makes the results. */
  command: string;
  batchSize?: number | undefined;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
  /** Called after each optimisation with all that is finished so far: store it there. */
  onResults?: ((results: GrpoResults) => Promise<void>) | undefined;
}

/**
 * Run the optimisations of a plan. Each goes on where it was killed; finished ones are only read. When the hours are over, what is
 * finished is returned.
 *
 * @throws bad-input for an unknown arm, a folder with other settings; interrupted; as `optimize`
 */
export async function runGrpoPlan(plan: GrpoPlan, options: GrpoPlanOptions): Promise<GrpoResults> {
  const { only, hours, onResults, folder, load, specs, command, ...common } = options;
  const runs = planned(plan);
  const known = runs.flatMap(({ id, arm }) => [id, arm.id]);
  const unknown = only?.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw badInput(`there is no optimisation ${unknown} in the plan`, `Those are ${optimizationIds(plan).join(", ")}.`);
  }
  const models = modelSlot((name) => load(specs?.[name] ?? plan.models[name]!.spec, plan.models[name]!));
  const results: PlannedResult[] = [];
  const soFar = (): GrpoResults => {
    const finished = new Set(results.map(({ id }) => id));
    const unfinished = runs.map(({ id }) => id).filter((id) => !finished.has(id));
    return { name: plan.name, command, results: [...results], unfinished };
  };
  try {
    await withinHours(hours, options.signal, async (signal) => {
      for (const { id, arm, seed } of runs) {
        if (only && !only.includes(id) && !only.includes(arm.id)) continue;
        checkInterrupt(signal, "the plan");
        const { id: name, title, model, seeds: _, ...settings } = arm;
        const own = { ...common, model: await models.use(model), folder: join(folder, id), seed, signal };
        const optimization = await optimize(settings, own);
        results.push({ id, arm: name, title, ...optimization, model: plan.models[model]!.title });
        await onResults?.(soFar());
      }
    });
  } finally {
    await models.empty();
  }
  return soFar();
}
