import { join } from "node:path";
import { z } from "zod";
import { dataFolder, readSettingsFile, ThoughtbookError } from "../../core/index.js";
import type { BaselineResults } from "./run-baselines.js";

const estimate = z.looseObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]).optional() });
const byPolicy = <T extends z.ZodType>(value: T) =>
  z.looseObject({ strict: value.optional(), astar: value.optional(), dots: value.optional(), aot: value.optional() });

/** The parts that figures and tables need; a summary has more. */
const schema = z.looseObject({
  name: z.string(),
  seed: z.number(),
  results: z.array(
    z.looseObject({
      id: z.string(),
      model: z.string(),
      task: z.string(),
      problems: z.int().positive(),
      method: z.string(),
      strategy: z.string(),
      samples: z.int().positive(),
      command: z.string(),
      budgets: z.array(
        z.looseObject({
          budget: z.int().positive(),
          accuracy: byPolicy(estimate),
          finishRate: estimate,
          length: estimate.optional(),
          majority: estimate.optional(),
        }),
      ),
    }),
  ),
  unfinished: z.array(z.string()),
  comparisons: z
    .array(
      z.looseObject({
        ...{
          arm: z.string(),
          other: z.string(),
          samples: z.int().optional(),
          tokens: z.tuple([z.number(), z.number()]),
        },
        ...{ both: z.int(), onlyFirst: z.int(), onlySecond: z.int(), neither: z.int() },
        ...{ difference: z.number(), interval: z.tuple([z.number(), z.number()]), p: z.number() },
      }),
    )
    .default([]),
});

/**
 * Read the results of baselines that `thoughtbook baselines` wrote, such as those in `data/results`, to show them beside others.
 *
 * @throws not-found, bad-input for a file with other contents
 */
export async function readBaselineResults(file: string): Promise<BaselineResults> {
  const kind = { what: "file of baselines' results", example: "What `thoughtbook baselines --results` writes" };
  return (await readSettingsFile(file, schema, kind)) as unknown as BaselineResults;
}

/**
 * Read the committed results of a plan in data/baselines, data/results/NAME.json, with a line to show in either case: what they are, or that it
 * has not been run yet, and the command.
 *
 * @throws bad-input for a file with other contents
 *
 * @example
 * ```ts
 * import { findBaselineResults } from "thoughtbook/study";
 *
 * const { results, note } = await findBaselineResults("aot-mini");
 * console.log(note, results?.comparisons.length ?? 0);
 * ```
 */
export async function findBaselineResults(name: string): Promise<{ results?: BaselineResults; note: string }> {
  const command = `npx thoughtbook baselines data/baselines/${name}.json --results data/results/${name}.json`;
  try {
    const results = await readBaselineResults(join(dataFolder(), "results", `${name}.json`));
    const left = results.unfinished.length > 0 ? ` ${results.unfinished.length} are not finished.` : "";
    return { results, note: `${results.results.length} arms, measured by: ${command}.${left}` };
  } catch (error) {
    if (!(error instanceof ThoughtbookError && error.code === "not-found")) throw error;
    return { note: `Not run yet; this command makes it: ${command}` };
  }
}
