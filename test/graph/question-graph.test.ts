import Fraction from "fraction.js";
import { formatExpression, formatRational } from "thoughtbook/answer";
import { loadSample, problemGraph } from "thoughtbook/data";
import { computeValues, contract, dependenciesOf, longestPath, type QuestionGraph } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";

const reference = (index: number) => ({ kind: "reference", index }) as const;
const number = (value: number) => ({ kind: "number", value: new Fraction(value), text: String(value) }) as const;
const times = (left: ReturnType<typeof reference>, right: ReturnType<typeof number> | ReturnType<typeof reference>) =>
  ({ kind: "binary", operator: "*", left, right }) as const;

// 3; 5; [1] × 2 = 6; [3] × [2] = 30
const graph: QuestionGraph = {
  nodes: [
    { question: "a?", answer: "3", value: new Fraction(3), expression: number(3), dependsOn: [] },
    { question: "b?", answer: "5", value: new Fraction(5), expression: number(5), dependsOn: [] },
    { question: "c?", answer: "6", value: new Fraction(6), expression: times(reference(0), number(2)), dependsOn: [0] },
    {
      question: "d?",
      answer: "30",
      value: new Fraction(30),
      expression: times(reference(2), reference(1)),
      dependsOn: [1, 2],
    },
  ],
};

describe("contract", () => {
  it("answers the sources, substitutes their values and renumbers what remains", () => {
    const contraction = contract(graph)!;
    expect(contraction.known.map(({ index }) => index)).toEqual([0, 1]);
    expect(contraction.origin).toEqual([2, 3]);
    expect(contraction.remaining.nodes.map(({ expression }) => formatExpression(expression!))).toEqual([
      "3 × 2",
      "[1] × 5",
    ]);
    expect(dependenciesOf(contraction.remaining)).toEqual([[], [0]]);
  });

  it("leaves the graph it is given as it was", () => {
    const before = JSON.stringify(dependenciesOf(graph));
    contract(graph);
    expect(JSON.stringify(dependenciesOf(graph))).toBe(before);
    expect(formatExpression(graph.nodes[3]!.expression!)).toBe("[3] × [2]");
  });

  it("has nothing left where no sub-question depends on another", () => {
    expect(contract({ nodes: graph.nodes.slice(0, 2) })).toBeUndefined();
    expect(contract({ nodes: [] })).toBeUndefined();
  });

  it("shortens the longest path by one and keeps every value, on all sample problems", async () => {
    const { problems } = await loadSample();
    let contractions = 0;
    for (const problem of problems) {
      let current = problemGraph(problem).graph;
      const answer = formatRational(computeValues(current).at(-1)!);
      for (let next = contract(current); next; next = contract(current)) {
        contractions++;
        expect(longestPath(dependenciesOf(next.remaining))).toBe(longestPath(dependenciesOf(current)) - 1);
        expect(formatRational(computeValues(next.remaining).at(-1)!)).toBe(answer);
        current = next.remaining;
      }
      expect(longestPath(dependenciesOf(current))).toBe(0);
    }
    expect(contractions).toBeGreaterThan(problems.length);
  });
});

describe("computeValues", () => {
  it("computes in order", () => {
    expect(computeValues(graph).map((value) => value && formatRational(value))).toEqual(["3", "5", "6", "30"]);
  });

  it("has no value where one it needs is missing", () => {
    const [first, ...rest] = graph.nodes;
    const { value: _, expression: __, ...unknown } = first!;
    expect(computeValues({ nodes: [unknown, ...rest] }).map((value) => value !== undefined)).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});
