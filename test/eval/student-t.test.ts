import { describe, expect, it } from "vitest";
import { studentT95 } from "../../lib/dist/eval/student-t.js";

describe("studentT95", () => {
  it.each([
    [1, 12.7062],
    [1.1, 10.2768],
    [2, 4.302653],
    [2.5, 3.57468],
    [4, 2.776445],
    [30, 2.042272],
    [1000, 1.962339],
    [1_000_000, 1.959966],
  ])("of %d degrees of freedom is %d, as tables say", (freedom, expected) => {
    expect(studentT95(freedom)).toBeCloseTo(expected, 3);
  });

  it("refuses fewer than one", () => {
    expect(() => studentT95(0.5)).toThrow("expected 1 degree of freedom or more, got 0.5");
  });
});
