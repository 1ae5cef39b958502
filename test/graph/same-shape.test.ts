import { sameShape } from "thoughtbook/graph";
import { expect, it } from "vitest";

it("tells graphs that differ in the order of independent nodes from those that differ", () => {
  expect(sameShape([], [])).toBe(true);
  expect(sameShape([[], [0]], [[], [0]])).toBe(true);
  expect(sameShape([[], [0], [], [1, 2]], [[], [], [1], [2, 0]])).toBe(true);
  expect(sameShape([[], [], [0, 1]], [[], [0], [1]])).toBe(false);
  expect(sameShape([[], [0], [0]], [[], [0], [1]])).toBe(false);
  expect(sameShape([[], [0]], [[], [0], [1]])).toBe(false);
  // As many edges and degrees, another shape.
  expect(sameShape([[], [], [0], [1], [2], [3]], [[], [], [0], [1], [3], [2]])).toBe(true);
  expect(sameShape([[], [], [0, 1], [0, 1], [2], [3]], [[], [], [0, 1], [0, 1], [2], [2]])).toBe(false);
});
