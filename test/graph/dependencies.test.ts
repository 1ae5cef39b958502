import { graphProblems, graphStatistics, layers, longestPath, sources } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";

describe("longestPath", () => {
  // The oracles of the AoT specification §3.5; the released code takes shortest paths and says 2, 1, 2, 2 and 0.
  it.each([
    ["a chain", [[], [0], [1]], 2],
    ["a chain with a shortcut", [[], [0], [0, 1]], 2],
    ["a longer chain with a shortcut", [[], [0], [1], [0, 2]], 3],
    ["a diamond", [[], [0], [0], [1, 2]], 2],
    ["nothing", [], 0],
    ["nodes without edges", [[], [], []], 0],
  ])("of %s", (_, dependencies, expected) => {
    expect(longestPath(dependencies)).toBe(expected);
  });

  it.each([
    ["a cycle of two", [[1], [0]], "node 0 depends on 1, which does not come before it"],
    ["a node that needs itself", [[], [1]], "node 1 depends on 1, which does not come before it"],
    ["an index out of range", [[], [5]], "node 1 depends on 5, but nodes go from 0 to 1"],
    ["a negative index", [[], [-1]], "node 1 depends on -1, but nodes go from 0 to 1"],
    ["a fraction as index", [[], [0.5]], "node 1 depends on 0.5, but nodes go from 0 to 1"],
    ["a repeated edge", [[], [0, 0]], "node 1 depends on 0 twice"],
  ])("is an error for %s", (_, dependencies, message) => {
    expect(graphProblems(dependencies).map((problem) => problem.message)).toContain(message);
    expect(() => longestPath(dependencies)).toThrow(message);
  });
});

describe("graphStatistics", () => {
  it("describes a graph in which an edge skips a layer", () => {
    const dependencies = [[], [], [0, 1], [0, 2], []];
    expect(layers(dependencies)).toEqual([0, 0, 1, 2, 0]);
    expect(sources(dependencies)).toEqual([0, 1, 4]);
    expect(graphStatistics(dependencies)).toEqual({
      nodes: 5,
      edges: 4,
      depth: 2,
      width: 3,
      independentShare: 0.6,
      skippingEdges: 1,
    });
  });

  it("of the empty graph is all zero", () => {
    expect(Object.values(graphStatistics([]))).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
