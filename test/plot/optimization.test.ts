import { grpoGains, measuredGrpo, type PlannedResult } from "thoughtbook/grpo";
import { optimizationFigure } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";

const result = (seed: number, rights: readonly string[], kl?: number): PlannedResult =>
  ({
    ...{ id: `a/seed-${seed}`, arm: "a", title: "vectors", model: "mini", seed },
    records: rights.slice(1).map((_, at) => ({
      ...{ step: at + 1, completions: 8 * (at + 1), reward: 0.1 * (at + seed), entropy: 0.5 },
      ...(kl === undefined ? {} : { kl }),
    })),
    evaluations: rights.map((right, step) => {
      const value = [...right].filter((digit) => digit === "1").length / right.length;
      return { step, completions: 8 * step, problems: right.length, accuracy: { value, interval: [0, 1] }, right };
    }),
  }) as unknown as PlannedResult;

describe("optimizationFigure", () => {
  const { table } = optimizationFigure({
    ...{
      name: "grpo",
      title: "Courses",
      results: [result(1, ["0011", "0111", "1111"], 0.02), result(2, ["0001", "0011", "0011"], 0.04)],
    },
  });
  const rowsOf = (measure: string) => table.rows.filter(([first]) => first === measure).map((row) => row.slice(2));

  it("has the mean of seeds with their range", () => {
    expect(rowsOf("Held-out accuracy (%)")).toEqual([
      [0, 37.5, 25, 50],
      [1, 62.5, 50, 75],
      [2, 75, 50, 100],
    ]);
    expect(rowsOf("Reward")[0]![1]).toBeCloseTo(0.15, 9);
    expect(rowsOf("Divergence (nats a token)")[0]![1]).toBeCloseTo(0.03, 9);
  });

  it("leaves out what no run tells, and counts attempts if asked", () => {
    const alone = optimizationFigure({
      name: "g",
      title: "t",
      results: [result(1, ["01", "11"])],
      against: "completions",
    });
    expect([...new Set(alone.table.rows.map(([measure]) => measure))]).toEqual([
      ...["Reward", "Held-out accuracy (%)", "Entropy (nats a token)"],
    ]);
    expect(alone.table.rows.filter(([measure]) => measure === "Held-out accuracy (%)").map((row) => row[2])).toEqual([
      0, 8,
    ]);
    expect(() => optimizationFigure({ name: "g", title: "t", results: [] })).toThrow("no optimisations");
  });
});

describe("grpoGains", () => {
  it("compares first and last measurement over seeds and problems", () => {
    const results = [result(1, ["00110011", "01110111"], 0.02), result(2, ["00010001", "00110011"], 0.04)];
    const [gain] = grpoGains({ name: "g", command: "", results, unfinished: [] });
    expect(gain).toMatchObject({ arm: "a", seeds: 2, problems: 8, completions: 8, kl: 0.03 });
    expect(gain!.before.value).toBeCloseTo(0.375, 9);
    expect(gain!.gain.value).toBeCloseTo(0.25, 9);
    expect(gain!.gain.interval![0]).toBeLessThan(0.25);
  });
});

describe("measuredGrpo", () => {
  it("says what was not run, with the command that runs it", async () => {
    const { results, source } = await measuredGrpo("nothing-like-it");
    expect(results).toEqual([]);
    expect(source).toMatch(
      /^Not run yet; this command makes it: thoughtbook grpo plan data\/grpo\/nothing-like-it\.json/,
    );
  });
});
