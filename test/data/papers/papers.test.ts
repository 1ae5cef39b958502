import { loadPaper, paperCounts, paperTable } from "thoughtbook/data";
import { describe, expect, it } from "vitest";

describe("the numbers of the AoT paper", () => {
  it("have the averages that its Table 1 prints", async () => {
    const { rows } = paperTable(await loadPaper("aot"), "v2-table-1");
    const averages = rows.map(
      ([method, values]) => [method, values.reduce((a, b) => a + b, 0) / values.length] as const,
    );
    const printed = { CoT: 73.7, "CoT-SC (n=5)": 75.5, "Self-Refine": 74.4, AFlow: 76.1, AoT: 80.8, "AoT*": 81.4 };
    for (const [method, average] of Object.entries(printed)) {
      expect(Math.abs(Object.fromEntries(averages)[method]! - average), method).toBeLessThan(0.051);
    }
  });

  it("have 1,000 problems in the distribution of sub-questions", async () => {
    const { counts } = paperCounts(await loadPaper("aot"), "v4-math-sub-questions");
    expect(counts.reduce((a, b) => a + b)).toBe(1000);
  });

  it("name the ids there are", async () => {
    const paper = await loadPaper("aot");
    expect(() => paperTable(paper, "v3")).toThrow(/has no "v3" here/);
  });
});
