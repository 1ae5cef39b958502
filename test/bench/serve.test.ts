import { expect, it } from "vitest";
import { benchServe, summariseServe } from "../../bench/serve/index.js";

it("serve: measures clients alone and together", { timeout: 120_000 }, async () => {
  const options = { rounds: 1, clients: 3, tokens: 5, threads: 1, inTurn: 2, patienceSeconds: 0.1 };
  const lines: string[] = [];
  const result = await benchServe({ ...options, onProgress: (line) => lines.push(line) });
  expect(lines.length).toBe(3);
  expect(result).toMatchObject({ clients: 3, tokens: 5, threads: 1 });
  expect(result.parameters).toBeGreaterThan(2.4e6);
  expect(result.ways.map(({ name }) => name)).toEqual(["one after another", "at once", "at once, streamed"]);
  for (const { tokensPerSecond } of result.ways) expect(tokensPerSecond.median).toBeGreaterThan(0);
  expect(result.ways.map(({ fasterBy }) => fasterBy === null)).toEqual([true, false, false]);
  expect(result.ways.map(({ firstTextMs }) => firstTextMs === null)).toEqual([true, true, false]);
  expect(summariseServe(result)).toMatch(/3 clients, 5 tokens an answer/);
});
