import { auditAnnotations, countValues, problemGraph, summariseGraphs } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { parseWordProblem } from "../../../lib/dist/data/annotated/annotated-problem.js";

const problems = [
  "<<7*6=42>>\n<<42-9=33>>\n#### 33",
  "Let x be it\nx = 4\n#### 4",
  "<<1+1=3>>\n#### 4",
  "<<10/3=3.33>>\nso 8//2 is <<8//2=4>>\n#### 4",
].map((answer, row) => parseWordProblem({ question: "There are 9.", answer }, `made/${row}`));

describe("summariseGraphs", () => {
  it("describes valid graphs and counts the others", () => {
    const summary = summariseGraphs(problems.map((problem) => problemGraph(problem)));
    expect(summary.rows.map(({ id, nodes, depth }) => [id, nodes, depth])).toEqual([
      ["made/0", 2, 1],
      ["made/1", 2, 1],
      ["made/3", 2, 0],
    ]);
    expect(summary.invalid).toEqual([{ id: "made/2", issue: "no step produces the final answer" }]);
    expect(summary.origins).toEqual({ annotation: 4, prose: 0, algebra: 2, statement: 0 });
    expect([summary.ambiguousNumbers, summary.ambiguousProblems]).toEqual([0, 0]);
  });
});

describe("auditAnnotations", () => {
  it("lists what is not exact, by row", () => {
    expect(auditAnnotations(problems)).toEqual({
      annotations: 5,
      equal: 2,
      others: [
        { id: "made/2", status: "different", reason: "exactly 2" },
        { id: "made/3", status: "rounded", reason: "exactly 10/3" },
        { id: "made/3", status: "unparseable", reason: 'unexpected "/"' },
      ],
    });
  });
});

describe("countValues", () => {
  it("counts from 0 to the largest", () => {
    expect(countValues([1, 3, 1])).toEqual([0, 2, 0, 1]);
    expect(countValues([])).toEqual([]);
  });
});
