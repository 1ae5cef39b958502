import { loadPaper, paperTable } from "thoughtbook/data";
import { besidePaperFigure, methodFigures } from "thoughtbook/plot";
import type { BaselineResult } from "thoughtbook/study";
import { describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";

const result = (method: string, value: number, measures: Record<string, unknown> = {}) =>
  ({
    ...{ id: method, model: "Small", task: "word-problems:3-6", problems: 50, method, strategy: method, samples: 1 },
    budgets: [{ budget: 64, accuracy: { strict: { value, interval: [value - 0.1, value + 0.1], count: 50 } } }],
    measures,
  }) as unknown as BaselineResult;
const byDepth = [1, 2].map((depth) => ({ depth, accuracy: { value: 1 / depth, interval: [0, 1], count: 9 } }));
const atoms = { chains: 4, transitions: [1, 2, 1] };
const RESULTS = [
  result("cot", 0.5, { byDepth }),
  result("aot", 0.4, { byDepth, atoms }),
  result("cot-prompt", 0.6, { byDepth }),
  result("aot-prompt", 0.3, { byDepth, atoms }),
];

describe("methodFigures", () => {
  it("shows accuracy by depth, transitions, and the two by two of prompts", () => {
    const [depth, transitions, prompts, ...more] = methodFigures({ name: "try", results: RESULTS });
    expect(more).toEqual([]);
    expect(depth!.name).toBe("try-depth");
    // The series with prompts are in their own figure.
    expect(depth!.table.rows.map((row) => row.slice(0, 3))).toEqual([
      ["cot", 1, 100],
      ["cot", 2, 50],
      ["aot", 1, 100],
      ["aot", 2, 50],
    ]);
    expect(transitions!.table.rows.slice(0, 3)).toEqual([
      ["0", "aot", 25],
      ["1", "aot", 50],
      ["2", "aot", 25],
    ]);
    expect(prompts!.table.rows.map(([category, series, value]) => [category, series, value])).toEqual([
      ["chain of thought", "without a prompt", 50],
      ["Atom of Thoughts", "without a prompt", 40],
      ["chain of thought", "with a learned prompt", 60],
      ["Atom of Thoughts", "with a learned prompt", 30],
    ]);
  });

  it("leaves out what there are no numbers for", () => {
    expect(methodFigures({ name: "try", results: [result("cot", 0.5)] })).toEqual([]);
    const other = { ...result("aot", 0.5, { atoms }), task: "gsm8k" };
    expect(methodFigures({ name: "try", results: [...RESULTS, other] }).map(({ name }) => name)).toEqual([
      "try-1-depth",
      "try-1-transitions",
      "try-1-prompts",
      "try-2-transitions",
    ]);
  });
});

describe("besidePaperFigure", () => {
  it("shows the methods that both have", async () => {
    const table = paperTable(await loadPaper("aot"), "v2-table-1");
    const { table: rows } = besidePaperFigure(table, "GSM8K", { name: "try", results: RESULTS });
    expect(rows.rows.map(([category, series, value]) => [category, series, value])).toEqual([
      ["CoT", "GPT-4o-mini (paper)", 90.9],
      ["AoT", "GPT-4o-mini (paper)", 95],
      ["CoT", "Small (measured)", 50],
      ["AoT", "Small (measured)", 40],
    ]);
    const none = () => besidePaperFigure(table, "GSM8K", { name: "try", results: [] });
    expect(await failure(none)).toMatchObject({ code: "bad-input" });
  });
});
