import { describe, expect, it } from "vitest";
import { joinSteps, splitSteps } from "../../../lib/dist/astar/chains/split-steps.js";

describe("splitting a thought into steps", () => {
  const thought = "A\n\nB\n\n\n\nC\n\n \n\nD\n\n\nE";

  it("keeps the empty step that the released code keeps", () => {
    expect(splitSteps(thought, "faithful")).toEqual(["A", "B", "C", "", "D", "E"]);
  });

  it("drops empty steps otherwise", () => {
    expect(splitSteps(thought, "clean")).toEqual(["A", "B", "C", "D", "E"]);
    expect(splitSteps(thought)).toEqual(splitSteps(thought, "clean"));
  });

  it.each([
    ["", [], []],
    ["\n\n", [], []],
    [" ", [""], []],
    ["one\nline after line", ["one\nline after line"], ["one\nline after line"]],
    ["\n\n a \n\n", ["a"], ["a"]],
    ["a\r\n\r\nb", ["a\r\n\r\nb"], ["a", "b"]],
    ["a\r\rb", ["a\r\rb"], ["a", "b"]],
    ["a\n \t\nb", ["a\n \t\nb"], ["a", "b"]],
    ["a \r\n\u00a0\r\n\r\n b\r\nc\n\r\nd", ["a \r\n\u00a0\r\n\r\n b\r\nc\n\r\nd"], ["a", "b\r\nc", "d"]],
    ["a\r\nb\rc\nd", ["a\r\nb\rc\nd"], ["a\r\nb\rc\nd"]],
  ])("splits %j", (text, faithful, clean) => {
    expect(splitSteps(text, "faithful")).toEqual(faithful);
    expect(splitSteps(text, "clean")).toEqual(clean);
  });

  it("is undone by joining", () => {
    const steps = ["First, a.", "So b:\nc.", "d"];
    for (const splitting of ["clean", "faithful"] as const)
      expect(splitSteps(joinSteps(steps), splitting)).toEqual(steps);
  });
});
