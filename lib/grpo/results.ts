import { join } from "node:path";
import { z } from "zod";
import { dataFolder, readSettingsFile, ThoughtbookError } from "../core/index.js";
import { crossedEstimate, type Estimate, mean } from "../eval/index.js";
import type { GrpoResults, PlannedResult } from "./plan.js";

const estimate = z.looseObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]).optional() });

/** The parts that figures and tables need. */
const schema = z.looseObject({
  name: z.string(),
  command: z.string(),
  results: z.array(
    z.looseObject({
      id: z.string(),
      arm: z.string(),
      title: z.string(),
      model: z.string(),
      records: z.array(z.looseObject({ step: z.int(), completions: z.int(), reward: z.number() })).min(1),
      evaluations: z
        .array(
          z.looseObject({
            step: z.int(),
            completions: z.int(),
            problems: z.int().positive(),
            accuracy: estimate,
            passAt: z.array(z.looseObject({ k: z.int(), value: z.number() })).optional(),
            right: z.string(),
          }),
        )
        .min(1),
    }),
  ),
  unfinished: z.array(z.string()),
});

/**
 * Read the results that `thoughtbook grpo plan --results` wrote, such as those in `data/results`.
 *
 * @throws not-found, bad-input for a file with other contents
 */
async function readGrpoResults(file: string): Promise<GrpoResults> {
  const kind = { what: "file of results of optimisations", example: "What `thoughtbook grpo plan --results` writes" };
  return (await readSettingsFile(file, schema, kind)) as unknown as GrpoResults;
}

/** Results that are committed, or the command that makes them. */
export interface MeasuredGrpo extends GrpoResults {
  /** One line on where they come from, or that there are none yet. */
  source: string;
}

/**
 * Read the committed results of a plan of `data/grpo`. Where it was not run yet, there are none, and `source` says so with the
 * command that makes them.
 *
 * @param plan the name of the plan, such as `mini-weights`
 * @throws bad-input for a file with other contents
 */
export async function measuredGrpo(plan: string): Promise<MeasuredGrpo> {
  const command = `thoughtbook grpo plan data/grpo/${plan}.json --results data/results/grpo-${plan}.json`;
  const found = await readGrpoResults(join(dataFolder(), "results", `grpo-${plan}.json`)).catch((error: unknown) => {
    if (error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  });
  if (!found || found.results.length === 0) {
    return {
      name: plan,
      command,
      results: [],
      unfinished: [],
      source: `Not run yet; this command makes it: ${command}`,
    };
  }
  const missing = found.unfinished.length === 0 ? "" : `; not run yet: ${found.unfinished.join(", ")}`;
  return { ...found, source: `Made by: ${command}${missing}` };
}

/** What an arm gained on held-out problems, over its seeds. Shares from 0 to 1. */
export interface GrpoGain {
  arm: string;
  title: string;
  model: string;
  seeds: number;
  problems: number;
  completions: number;
  /** Greedy accuracy before and after, and the difference, with intervals over seeds and problems. */
  before: Estimate;
  after: Estimate;
  gain: Estimate;
  /** pass@k before and after, means over seeds. */
  passAt: { k: number; before: number; after: number }[];
  /** Divergence in the last update, in nats a token. */
  kl: number | undefined;
}

/** The gain of each arm from its first measurement to its last. */
export function grpoGains({ results }: GrpoResults): GrpoGain[] {
  return [...new Set(results.map(({ arm }) => arm))].map((arm) => {
    const own = results.filter((each) => each.arm === arm);
    const [before, after] = [own.map((each) => rights(each, 0)), own.map((each) => rights(each, -1))];
    const { title, model, evaluations } = own[0]!;
    const last = evaluations.at(-1)!;
    const passOf = (each: PlannedResult, at: number, k: number) =>
      each.evaluations.at(at)!.passAt?.find((pass) => pass.k === k)?.value ?? Number.NaN;
    const kls = own.flatMap(({ records }) => records.at(-1)!.kl ?? []);
    return {
      ...{ arm, title, model, seeds: own.length, problems: last.problems, completions: last.completions },
      before: crossedEstimate([before], (value) => value, { scale: "logit" }),
      after: crossedEstimate([after], (value) => value, { scale: "logit" }),
      gain: crossedEstimate([before, after], (from, to) => to - from),
      passAt: (last.passAt ?? []).map(({ k }) => ({
        k,
        before: mean(own.map((each) => passOf(each, 0, k))).value,
        after: mean(own.map((each) => passOf(each, -1, k))).value,
      })),
      kl: kls.length === 0 ? undefined : mean(kls).value,
    };
  });
}

const rights = ({ evaluations }: PlannedResult, at: number): number[] => [...evaluations.at(at)!.right].map(Number);
