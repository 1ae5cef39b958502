import { join } from "node:path";
import { z } from "zod";
import { dataFolder, readIfThere, readSettingsFile, resolveUserPath } from "../../core/index.js";

const share = z.strictObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]).optional() });

const armSchema = z.strictObject({
  /** "dots:plan+cot", "external", "oracle". */
  name: z.string(),
  title: z.string(),
  seeds: z.array(z.int()),
  groups: z.array(
    z.strictObject({ group: z.string(), problems: z.int(), accuracy: share, dots: share, tokens: z.number() }),
  ),
  /** Where it stands from the best static trajectory (0) to the oracle (1). */
  way: share.optional(),
  /** Rows it was trained on, over all seeds. */
  rows: z.int().optional(),
  shares: z
    .array(
      z.strictObject({
        group: z.string(),
        plans: z.int(),
        unread: z.int(),
        trajectories: z.record(z.string(), z.number()),
        actions: z.record(z.string(), z.number()),
      }),
    )
    .optional(),
});

const resultsSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  model: z.string(),
  modelHash: z.string().optional(),
  /** The command that makes this file. */
  command: z.string(),
  seeds: z.array(z.int()),
  /** What the searches found, by seed. */
  searches: z.array(
    z.strictObject({
      seed: z.int(),
      questions: z.int(),
      attempts: z.int(),
      /** New tokens of all attempts, shared ones counted each time. */
      tokens: z.int(),
      kept: z.int(),
      every: z.int(),
      none: z.int(),
      /** The best trajectory for all questions alike: static, chosen on these. */
      static: z.string(),
      /** Questions by their best trajectory, and by group. */
      best: z.record(z.string(), z.record(z.string(), z.int())),
    }),
  ),
  arms: z.array(armSchema),
  /** What is not finished. */
  unfinished: z.array(z.string()),
});

/** Accuracy, cost and plans of all arms of a study; names groups and counts, no problem's text. */
export type DotsResults = z.infer<typeof resultsSchema>;
export type DotsArm = z.infer<typeof armSchema>;

/**
 * Read the results of `thoughtbook dots study`.
 *
 * @throws not-found, bad-input for a file with other contents
 */
export const readDotsResults = (file: string): Promise<DotsResults> =>
  readSettingsFile(resolveUserPath(file), resultsSchema, {
    what: "file of results of DOTS",
    example: "What `thoughtbook dots study --results` writes",
  });

/**
 * The committed results of a study in `data/results`, or a line that says how to make them where they are not there yet.
 *
 * @param study "dots-mini" or "dots-qwen"
 */
export async function loadDotsResults(
  study: "dots-mini" | "dots-qwen",
): Promise<{ results?: DotsResults; note: string }> {
  const file = join(dataFolder(), "results", `${study}.json`);
  const command = `npx thoughtbook dots study data/studies/${study}.json --out runs/${study} --results data/results/${study}.json`;
  if ((await readIfThere(file)) === undefined) {
    return { note: `Not run yet: data/results/${study}.json is not there. This command makes it: ${command}` };
  }
  const results = await readDotsResults(file);
  const { title, seeds, unfinished } = results;
  const rest = unfinished.length === 0 ? "" : `; not finished: ${unfinished.join(", ")}`;
  return { results, note: `${title}, ${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"}: ${command}${rest}` };
}
