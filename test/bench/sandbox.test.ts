import { expect, it } from "vitest";
import { benchSandbox, summariseSandbox } from "../../bench/sandbox/index.js";

it("measures rates, starts, memory and processes of the sandbox", { timeout: 240_000 }, async () => {
  const said: string[] = [];
  const onProgress = (line: string) => said.push(line);
  const result = await benchSandbox({ programs: 20, interpreters: 1, workers: 1, checkpoints: [5, 10], onProgress });
  expect(result.rows.map(({ language }) => language)).toEqual(["javascript", "python"]);
  expect(said[0]).toBe("javascript: 20 programs");
  for (const row of result.rows) {
    expect(row.startSeconds).toBeGreaterThan(0.01);
    expect(row.firstSeconds).toBeGreaterThan(row.startSeconds);
    expect(row.programsPerSecond).toBeGreaterThan(row.interpretersPerSecond);
    expect(row.memoryAfter.map(({ programs }) => programs)).toEqual([5, 10]);
  }
  if (process.platform === "linux") expect(result.processesLeft).toBe(0);
  expect(summariseSandbox(result)).toMatch(/resident memory after 10 programs, MB +[\d.]+ +[\d.]+/);
});
