import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureSignals, readSignalResults } from "thoughtbook/astar";
import { loadModel } from "thoughtbook/llm";
import { describe, expect, it } from "vitest";
import { dropImportance } from "../../../lib/dist/astar/importance/drop.js";
import { inGroups, readAnchors } from "../../../lib/dist/astar/signals/anchors.js";
import { precisionAt, rankCorrelation } from "../../../lib/dist/astar/signals/rank-correlation.js";

describe("rank correlation", () => {
  it.each([
    // Computed with SciPy's spearmanr.
    [[1, 2, 3, 4, 5], [5, 6, 7, 8, 7], 0.8207826816681233],
    [[1, 1, 2, 3], [3, 1, 2, 4], 0.6324555320336759],
    [[3, 2, 1], [10, 100, 1000], -1],
  ])("of %j and %j", (a, b, wanted) => {
    expect(rankCorrelation(a, b)).toBeCloseTo(wanted, 12);
  });

  it("is undefined where nothing varies", () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
    expect(rankCorrelation([1], [1])).toBeUndefined();
    expect(() => rankCorrelation([1], [1, 2])).toThrow(RangeError);
  });
});

it("precision at k counts the highest of one list among those of the other", () => {
  expect(precisionAt(2, [9, 1, 8, 2], [7, 6, 1, 0])).toBe(0.5);
  expect(precisionAt(4, [9, 1, 8, 2], [7, 6, 1, 0])).toBe(1);
  expect(precisionAt(1, [1, 1], [0, 5])).toBe(0);
  expect(() => precisionAt(0, [1], [1])).toThrow(RangeError);
});

const measures = (value: number) => ({
  resampling_importance_accuracy: -value,
  resampling_importance_kl: value,
  counterfactual_importance_accuracy: value,
  counterfactual_importance_kl: 2 * value,
  forced_importance_accuracy: value,
  forced_importance_kl: 0,
});
const anchorRow = (id: string, sentences: readonly string[]) => ({
  id,
  problem: { problem: "Ana picks 3 apples. Ben picks 4 more apples than Ana. How many apples does Ben pick?" },
  base_answer: "7",
  chunks: sentences.map((chunk, at) => ({ chunk, ...measures((at * 7) % 5) })),
});
const ROWS = [
  anchorRow("first", ["Ana picks 3.", "Let me see.", "Ben picks 3 + 4 = 7.", " ", "So it is 7.", "Wait."]),
  anchorRow("second", ["Hm.", "Ben picks 4 more.", "3 + 4 = 7.", "Yes, 7."]),
];

async function anchorsFile(): Promise<{ place: string; data: string }> {
  const place = await mkdtemp(join(tmpdir(), "signals-"));
  const data = join(place, "anchors.jsonl");
  await writeFile(data, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return { place, data };
}

describe("anchors", () => {
  it("reads sentences with the size of their importance, and joins them into groups", async () => {
    const { data } = await anchorsFile();
    const chains = [];
    for await (const chain of readAnchors(data)) chains.push(chain);
    const [first] = chains;
    expect(first!.steps).toEqual(["Ana picks 3.", "Let me see.", "Ben picks 3 + 4 = 7.", "So it is 7.", "Wait."]);
    expect(first!.gold.resampling_importance_accuracy).toEqual([0, 2, 4, 3, 0]);
    const grouped = inGroups(first!, 2);
    expect(grouped.steps).toEqual(["Ana picks 3. Let me see.", "Ben picks 3 + 4 = 7. So it is 7.", "Wait."]);
    expect(grouped.gold.resampling_importance_kl).toEqual([1, 3.5, 0]);
  });
});

describe("the drop of the solution's log-probability", () => {
  it("is highest for a step that holds the answer, and scores the chain once without each step", async () => {
    const model = await loadModel("mini");
    const [row] = ROWS;
    const chain = {
      question: row!.problem.problem,
      steps: ["Ana picks 3 apples.", "So Ben picks 3 + 4 = 7 apples.", "Let me see."],
      solution: "Ben picks 3 + 4 = 7 apples.\n#### 7",
    };
    const { scores, order, scored } = await dropImportance(model, chain);
    await model.dispose();
    expect(scored).toBe(4);
    expect(order[0]).toBe(1);
    expect(scores[1]).toBeGreaterThan(0);
    expect(order.map((step) => scores[step])).toEqual([...scores].sort((a, b) => b - a));
  });
});

describe("signals against measured importance", () => {
  it("goes on after an interruption to the same numbers, and reads them again", async () => {
    const { place, data } = await anchorsFile();
    const scorer = await loadModel("mini");
    const options = { scorer, data, groups: [1, 2] };
    const whole = await measureSignals({ ...options, folder: join(place, "whole") });
    await measureSignals({ ...options, folder: join(place, "parts"), limit: 1 });
    const parts = await measureSignals({ ...options, folder: join(place, "parts") });
    await scorer.dispose();
    expect(parts).toEqual(whole);
    expect(await readFile(join(place, "parts", "records.jsonl"), "utf8")).toBe(
      await readFile(join(place, "whole", "records.jsonl"), "utf8"),
    );
    const rows = whole.rows.filter(({ group, gold }) => group === 1 && gold === "counterfactual_importance_kl");
    const signals = rows.map(({ signal, alpha, normalisation }) => `${signal} ${alpha} ${normalisation}`);
    expect(signals).toContain("both 0.5 code");
    expect(signals).toContain("nll 1 null");
    expect(new Set(rows.map(({ signal }) => signal))).toEqual(
      new Set(["both", "attention", "nll", "drop", "position", "length", "random"]),
    );
    // A measure that does not vary says nothing.
    expect(whole.rows.some(({ gold }) => gold === "forced_importance_kl")).toBe(false);
    const file = join(place, "results.json");
    await writeFile(file, JSON.stringify(whole));
    expect(await readSignalResults(file)).toEqual(whole);
  });
});
