import { countOf } from "thoughtbook/core";
import { expect, it } from "vitest";

it("writes a count with its noun, in the plural but for one", () => {
  expect([0, 1, 2, 1319].map((count) => countOf(count, "problem"))).toEqual([
    "0 problems",
    "1 problem",
    "2 problems",
    "1,319 problems",
  ]);
  expect([1, 3].map((count) => countOf(count, "query", "queries"))).toEqual(["1 query", "3 queries"]);
});
