import { type EvaluationSummary, evaluationRows } from "thoughtbook/eval";
import { describe, expect, it } from "vitest";
import { summarizeRecords } from "../../lib/dist/eval/summary.js";
import { record } from "./helpers.js";

const right = { strict: true, astar: true };
const wrong = { strict: false, astar: false };

describe("a summary", () => {
  it("has accuracy, finish rate, length and ACU of each budget and number of operations", () => {
    const [small, large] = summarizeRecords(
      [
        record({ problem: "b", budget: 100, operations: 3, completionTokens: 100, finishReason: "length" }),
        record({ problem: "a", budget: 100, operations: 2, correct: right }),
        record({
          problem: "b",
          budget: 40,
          operations: 3,
          completionTokens: 40,
          finishReason: "length",
          correct: { strict: false, astar: true },
        }),
        record({ problem: "a", budget: 40, operations: 2, correct: right }),
      ],
      2e6,
    );
    expect([small!.budget, large!.budget]).toEqual([40, 100]);
    expect(small).toMatchObject({
      problems: 2,
      samples: 1,
      tooLong: 0,
      calls: 1,
      promptTokens: 10,
      completionTokens: 30,
    });
    expect(small!.accuracy.strict!.value).toBe(0.5);
    expect(small!.accuracy.astar!.value).toBe(1);
    expect(small!.accuracy).not.toHaveProperty("aot");
    expect(small!.length!.value).toBe(30);
    expect(small!.finishRate.value).toBe(0.5);
    expect(small!.acu.strict).toBeCloseTo((100 * 50) / 30, 10);
    expect(small!.acu.astar).toBeCloseTo((100 * 100) / 30, 10);
    expect(small!.acuByParameters!.astar).toBeCloseTo((100 * 100) / 30 / 0.002, 6);
    expect(small).not.toHaveProperty("passAtK");
    expect(
      large!.byOperations!.map(({ operations, accuracy, length }) => [
        operations,
        accuracy.strict!.value,
        length!.value,
      ]),
    ).toEqual([
      [2, 1, 20],
      [3, 0, 100],
    ]);
  });

  it("of several samples has pass@k, the majority and the calls of a question", () => {
    const texts = [
      record({ problem: "a", sample: 0, answer: "5", correct: right }),
      record({ problem: "a", sample: 1, answer: "7" }),
      record({ problem: "a", sample: 2, answer: "5.0", correct: right }),
      record({ problem: "b", sample: 2, answer: "9", correct: right, reference: "9" }),
      record({ problem: "b", sample: 1, answer: "8" }),
      record({ problem: "b", sample: 0, answer: "8" }),
    ];
    const [measures] = summarizeRecords(texts);
    expect(measures!.accuracy.strict).toMatchObject({ value: 0.5, count: 2 });
    // (2/3 + 1/3) / 2, (1 + 2/3) / 2, 1.
    expect(measures!.passAtK!.map(({ k, strict }) => [k, Number(strict!.toFixed(6))])).toEqual([
      [1, 0.5],
      [2, 0.833333],
      [3, 1],
    ]);
    expect(measures!.majority!.value).toBe(0.5);
    expect(measures).toMatchObject({ calls: 3, promptTokens: 30, completionTokens: 60 });
  });

  it("leaves prompts that were too long out of the length and counts them as wrong", () => {
    const unasked = record({ problem: "b", calls: [], promptTokens: 0, completionTokens: 0, finishReason: "length" });
    const [measures] = summarizeRecords([record({ problem: "a", correct: right }), unasked]);
    expect(measures).toMatchObject({
      tooLong: 1,
      length: { value: 20 },
      accuracy: { strict: { value: 0.5 } },
      calls: 0.5,
    });
  });

  it("refuses problems of which records are missing", () => {
    const texts = [record({ problem: "a" }), record({ problem: "a", sample: 1 }), record({ problem: "b" })];
    expect(() => summarizeRecords(texts)).toThrow(/as many records/);
    expect(() => summarizeRecords([])).toThrow(/no records/);
  });

  it("becomes rows, in percent", () => {
    const budgets = summarizeRecords([
      record({ problem: "a", operations: 2, correct: right }),
      record({ problem: "b", operations: 3, correct: wrong }),
    ]);
    const summary: EvaluationSummary = {
      model: "m",
      task: "t",
      problems: 2,
      leftOut: 0,
      strategy: "cot",
      temperature: 0,
      seed: 0,
      budgets,
    };
    const rows = evaluationRows(summary);
    expect(rows.map(({ operations, policy, accuracy }) => [operations, policy, accuracy])).toEqual([
      [null, "strict", 50],
      [null, "astar", 50],
      [2, "strict", 100],
      [2, "astar", 100],
      [3, "strict", 0],
      [3, "astar", 0],
    ]);
    expect(rows[0]).toMatchObject({
      model: "m",
      task: "t",
      budget: 100,
      length: 20,
      acu: 250,
      pass: 50,
      majority: null,
    });
    expect(rows[0]!.low).toBeCloseTo(100 * budgets[0]!.accuracy.strict!.interval![0], 10);
  });
});
