import { budgetFigure } from "thoughtbook/plot";
import { armPoints } from "thoughtbook/study";
import { describe, expect, it } from "vitest";
import { armAnswers, armMeasures, compareArms } from "../../lib/dist/study/measures.js";
import { record } from "../eval/helpers.js";

describe("armAnswers", () => {
  it("keeps what is measured by budget, problem by problem, as all studies' folders hold it", () => {
    const records = [
      record({ problem: "a", budget: 20, correct: { strict: true, astar: true }, completionTokens: 7 }),
      record({ problem: "a", budget: 10, correct: { strict: false, astar: true }, finishReason: "length" }),
      record({ problem: "b", budget: 20 }),
      record({ problem: "b", budget: 10 }),
    ];
    expect(JSON.stringify(armAnswers(records, "astar"))).toBe(
      JSON.stringify([
        { budget: 10, astar: [1, 0], strict: [0, 0], finished: [0, 1], length: [20, 20] },
        { budget: 20, astar: [1, 0], strict: [1, 0], finished: [1, 1], length: [7, 20] },
      ]),
    );
    expect(armAnswers(records)[1]).toEqual({ budget: 20, strict: [1, 0], finished: [1, 1], length: [7, 20] });
  });

  it("takes the mean of several texts to a problem", () => {
    const records = [0, 1, 2, 3].map((sample) =>
      record({ sample, correct: { strict: sample === 0 }, completionTokens: 10 + sample }),
    );
    expect(armAnswers(records)).toEqual([{ budget: 100, strict: [0.25], finished: [1], length: [11.5] }]);
  });

  it("refuses a policy that does not apply", () => {
    expect(() => armAnswers([record({ problem: "q", kind: "choice", correct: { strict: true } })], "dots")).toThrow(
      /dots says nothing of q/,
    );
  });
});

describe("armMeasures", () => {
  const answers = (astar: number[], length: number[], budget = 10) => [
    { budget, astar, strict: astar.map(() => 0), finished: astar.map(() => 1), length },
  ];
  const short = [answers([1, 1, 0, 0], [10, 10, 10, 10]), answers([1, 1, 1, 0], [10, 10, 10, 10])];
  const long = [answers([1, 0, 0, 0], [40, 40, 40, 40]), answers([1, 0, 0, 0], [40, 40, 40, 40])];

  it("means over seeds and problems, and ACU from them", () => {
    const [measures] = armMeasures(short, "astar");
    expect(measures!.accuracy.value).toBe(5 / 8);
    expect(measures!.acu.value).toBe((100 * 62.5) / 10);
    expect([measures!.strict.value, measures!.finishRate.value, measures!.length.value]).toEqual([0, 1, 10]);
    const [low, high] = measures!.accuracy.interval!;
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.75);
  });

  it("compares problem by problem", () => {
    const [comparison] = compareArms(short, long, "astar");
    expect(comparison!.difference.value).toBe(3 / 8);
    expect(comparison!.accuracyRatio!.value).toBe(2.5);
    expect(comparison!.acuRatio!.value).toBe(10);
    expect(comparison!.lengthRatio.value).toBe(0.25);
    for (const end of comparison!.lengthRatio.interval!) expect(end).toBeCloseTo(0.25, 9);
    // In pairs: problems that are solved by both do not make the difference uncertain.
    const alike = compareArms(long, long, "astar")[0]!.difference;
    expect(alike.value).toBe(0);
    for (const end of alike.interval!) expect(end).toBeCloseTo(0, 9);
    expect(comparison!.accuracyRatio!.interval![0]).toBeGreaterThan(0);
    expect(
      compareArms(short, [answers([0, 0, 0, 0], [1, 1, 1, 1]), answers([0, 0, 0, 0], [1, 1, 1, 1])], "astar")[0],
    ).not.toHaveProperty("accuracyRatio");
  });

  it("refuses seeds of other budgets, and a policy that nothing was graded by", () => {
    expect(() => armMeasures([answers([1], [1]), answers([1], [1], 20)])).toThrow(/same budgets/);
    const both = [...answers([1], [1]), ...answers([1], [1], 20)];
    expect(() => armMeasures([answers([1], [1]), both])).toThrow(/same budgets/);
    expect(() => armMeasures([answers([1], [1])], "dots")).toThrow(/not graded as dots/);
  });

  it("gives points for the figure of accuracy by budget", () => {
    const points = armPoints([{ method: "A*-Thought", budgets: armMeasures(short, "astar") }]);
    expect(points[0]).toMatchObject({ panel: "ours", method: "A*-Thought", budget: 10, accuracy: 62.5, length: 10 });
    expect(budgetFigure({ name: "f", title: "t", rows: points }).table.rows).toHaveLength(1);
  });
});
