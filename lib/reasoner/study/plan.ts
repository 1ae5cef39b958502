import { z } from "zod";
import { badInput, readSettingsFile } from "../../core/index.js";
import { loopSchema } from "../loop/settings.js";
import { SELECTIONS } from "../search/candidates.js";
import { SCORES, SEARCHES, VALUES } from "../search/settings.js";

const whole = z.int().positive();
const id = z.string().regex(/^[a-z0-9.-]+(?:\/[a-z0-9.-]+)*$/);

const loopPart = z.strictObject({
  kind: z.literal("loop"),
  id,
  title: z.string().min(1),
  model: z.string().min(1),
  seeds: z.array(z.int()).min(1),
  settings: loopSchema,
});

const searchPart = z.strictObject({
  kind: z.literal("search"),
  id,
  title: z.string().min(1),
  model: z.string().min(1),
  task: z.string().min(1),
  split: z.string().optional(),
  limit: whole,
  maxNewTokens: whole,
  seed: z.int().default(0),
  /** New tokens that a problem may cost: the search is measured under each. */
  budgets: z.array(whole).min(1),
  settings: z.strictObject({
    search: z.enum(SEARCHES),
    score: z.enum(SCORES).optional(),
    value: z.enum(VALUES).optional(),
    select: z.enum(SELECTIONS).optional(),
    samples: whole.optional(),
    revisions: whole.optional(),
    width: whole.optional(),
    branches: whole.optional(),
    exploration: z.number().positive().optional(),
    temperature: z.number().positive().optional(),
  }),
  /** For the value `head`: what the head is fitted on, attempts of the same model at other tasks. */
  head: z.strictObject({ task: z.string(), tasks: whole, samples: whole }).optional(),
});

const planSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  about: z.string().optional(),
  models: z.record(z.string(), z.strictObject({ spec: z.string().min(1), title: z.string().min(1) })),
  /** In the order in which they are run, so that what does not fit into the time is left out. */
  parts: z.array(z.discriminatedUnion("kind", [loopPart, searchPart])).min(1),
});

export type LoopPart = z.infer<typeof loopPart>;
export type SearchPart = z.infer<typeof searchPart>;
export type ReasonerPlan = z.infer<typeof planSchema>;

/** A loop with one seed, or a search under one budget. */
export type Job = { id: string; part: LoopPart; seed: number } | { id: string; part: SearchPart; budget: number };

/**
 * Read the plan of a study of the reasoner.
 *
 * @throws bad-input (with the place) for a file that is no plan, a part of a model that is not listed, or two parts with one id; not-found
 */
export async function readReasonerPlan(file: string): Promise<ReasonerPlan> {
  const plan = await readSettingsFile(file, planSchema, {
    what: "plan of a reasoner's study",
    example: "data/studies/reasoner.json",
  });
  const ids = new Set<string>();
  for (const { id, model } of plan.parts) {
    if (ids.has(id)) throw badInput(`${file}: the part ${id} is there twice`, "Rename one.");
    ids.add(id);
    if (plan.models[model] === undefined) {
      throw badInput(
        `${file}: the part ${id} is of no model that is listed`,
        `Those are ${Object.keys(plan.models).join(", ")}.`,
      );
    }
  }
  return plan;
}

/** What the plan consists of, in its order: the first seed of all learners that stand side by side comes before the second. */
export function jobsOf({ parts }: ReasonerPlan): Job[] {
  const jobs: Job[] = [];
  for (let first = 0; first < parts.length; ) {
    const { kind } = parts[first]!;
    let end = first;
    while (end < parts.length && parts[end]!.kind === kind && groupOf(parts[end]!.id) === groupOf(parts[first]!.id))
      end++;
    const group = parts.slice(first, end);
    if (kind === "search") {
      for (const part of group as SearchPart[])
        for (const budget of part.budgets) jobs.push({ id: `${part.id}/${budget}`, part, budget });
    } else {
      const most = Math.max(...(group as LoopPart[]).map(({ seeds }) => seeds.length));
      for (let at = 0; at < most; at++) {
        for (const part of group as LoopPart[]) {
          const seed = part.seeds[at];
          if (seed !== undefined) jobs.push({ id: `${part.id}/${seed}`, part, seed });
        }
      }
    }
    first = end;
  }
  return jobs;
}

const groupOf = (id: string): string => id.split("/")[0]!;
