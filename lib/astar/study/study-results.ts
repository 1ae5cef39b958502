import { z } from "zod";
import { readSettingsFile } from "../../core/index.js";
import type { AstarStudyResults } from "./study.js";
import { studySchema } from "./study-config.js";

const named = z.looseObject({ name: z.string(), method: z.string() });
const budgets = z.array(z.looseObject({ budget: z.int().positive() }));

/** As far as a file could be another one; what `runAstarStudy` wrote is as its type says. */
const resultsSchema = z.object({
  study: studySchema,
  models: z.looseObject({ base: z.looseObject({ hash: z.string().nullable() }) }),
  sets: z.array(named).min(1),
  students: z.array(named.extend({ budgets })),
  comparisons: z.array(z.looseObject({ set: z.string(), other: z.string(), budgets })),
  unfinished: z.array(z.string()).default([]),
});

/**
 * Read the results of a study from the file that `thoughtbook study --results` wrote, such as
 * `data/results/astar.json`.
 *
 * @throws not-found, file-system, bad-input (with the place in the file)
 */
export async function readStudyResults(file: string): Promise<AstarStudyResults> {
  const kind = { what: "result of a study", example: "data/results/astar.json" };
  return (await readSettingsFile(file, resultsSchema, kind)) as unknown as AstarStudyResults;
}
