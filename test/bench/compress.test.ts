import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { benchCompress, summariseCompress } from "../../bench/compress/index.js";
import { temporaryFolder } from "../core/helpers.js";

it("measures the searches of a study on chains of one length", { timeout: 120_000 }, async () => {
  const study = join(await temporaryFolder(), "study.json");
  const sets = [
    { name: "astar", method: "A*-Thought", mode: "faithful", search: { minSteps: 1, maxSteps: 3, maxNewTokens: 64 } },
    { name: "best-first", method: "best-first", mode: "best-first", search: { maxSteps: 2, maxNewTokens: 64 } },
    { name: "full", method: "full chain", mode: "full" },
  ];
  const models = { base: "mini-base", validator: "mini", scorer: "mini-scorer" };
  const chains = { count: 1, operations: [2, 3], seed: 5 };
  await writeFile(study, JSON.stringify({ name: "two", seed: 1, models, chains, sets }));
  const said: string[] = [];
  const result = await benchCompress({ traces: 3, steps: 8, seed: 2, study, onProgress: (line) => said.push(line) });
  expect(result.rows.map(({ set }) => set)).toEqual(["astar", "best-first"]);
  expect(said).toEqual(["A*-Thought: 3 chains of 8 steps", "best-first: 3 chains of 8 steps"]);
  const [astar, best] = result.rows;
  expect(astar!.scored).toBeGreaterThan(0);
  expect(best).toMatchObject({ scored: 0 });
  // Question and solution with each step; equal steps once.
  expect(best!.weighed).toBeGreaterThan(8);
  expect(best!.weighed).toBeLessThanOrEqual(16);
  expect(best!.verified).toBeGreaterThan(0);
  for (const { seconds, peakMemory } of result.rows) {
    expect(seconds).toBeGreaterThan(0.1);
    expect(peakMemory).toBeGreaterThan(0.05);
  }
  await expect(benchCompress({ traces: 1, steps: 500, seed: 2, study, onProgress: () => {} })).rejects.toThrow(
    "10000 problems in a row had no chain of 500 steps",
  );
  expect(summariseCompress(result)).toContain("3 chains of 8 steps; validator mini, scorer mini-scorer");
});
