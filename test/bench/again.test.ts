import { cp } from "node:fs/promises";
import { join } from "node:path";
import { type Recipe, readRecipe } from "thoughtbook/train";
import { expect, it } from "vitest";
import { compareRuns, summariseRuns } from "../../bench/model/again.js";
import { failure, temporaryFolder } from "../core/helpers.js";
import { root } from "../notebook/helpers.js";

/** A folder as `pretrain` leaves it, whose phases ended with models that come with the repository. */
async function runOf(models: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [phase, model] of Object.entries(models)) {
    await cp(join(root, "data", "models", model), join(folder, "models", phase), { recursive: true });
  }
  return folder;
}

it("compares two runs of a recipe after the phases that both have", { timeout: 60_000 }, async () => {
  const recipe: Recipe = await readRecipe(join(root, "data", "recipes", "mini.json"));
  const [short, steps] = recipe.phases;
  const run = await runOf({ short: "mini", steps: "mini", depth: "mini" });
  const again = await runOf({ short: "mini", steps: "mini-base", base: "mini" });
  const options = { recipe, problems: 20, seed: 4, budget: 200 };
  const phases = await compareRuns({ ...options, run, again });
  expect(phases.map(({ phase, updates }) => [phase, updates])).toEqual([
    ["short", short!.steps],
    ["steps", short!.steps + steps!.steps],
  ]);
  expect(phases[0]!.levels.map(({ operations }) => operations)).toEqual([1, 2]);
  expect(phases[0]!.difference).toBe(0);
  expect(phases[0]!.levels[0]!.run.value).toBeGreaterThan(0.5);
  const { levels, difference } = phases[1]!;
  expect(levels).toHaveLength(3);
  expect(levels.some((level) => level.run.value !== level.again.value)).toBe(true);
  expect(difference).toBeCloseTo(levels.reduce((sum, level) => sum + level.again.value - level.run.value, 0) / 3, 12);
  expect(summariseRuns(phases)).toContain((100 * difference).toFixed(1));

  const none = await failure(compareRuns({ ...options, run, again: await temporaryFolder() }));
  expect(none).toMatchObject({ code: "bad-input" });
});
