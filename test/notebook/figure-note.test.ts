import { noteFigures } from "thoughtbook/notebook";
import { afterEach, describe, expect, it } from "vitest";
import { figureNote } from "../../lib/dist/notebook/figure-note.js";

afterEach(() => noteFigures({ scale: "standard" }));

describe("figureNote", () => {
  it("says nothing at larger scales with the data that was asked for", () => {
    expect(figureNote()).toBe("");
    for (const scale of ["standard", "full"] as const) {
      noteFigures({ scale, problems: "60 problems", loaded: { origin: "gsm8k" } });
      expect(figureNote({ problems: "1 problem" })).toBe("");
      expect(figureNote({ from: "the paper's table" })).toBe("");
    }
  });

  it("says the smoke scale with the number of problems, a figure's own where it has one", () => {
    noteFigures({ scale: "smoke", problems: "60 problems" });
    expect(figureNote()).toBe("smoke scale · 60 problems");
    expect(figureNote({ problems: "1 chain" })).toBe("smoke scale · 1 chain");
    expect(figureNote({ from: "the paper's table" })).toBe("smoke scale · the paper's table");
  });

  it("says at every scale that the sample was used, but not of a figure that does not use it", () => {
    noteFigures({ scale: "standard", problems: "50 problems", loaded: { origin: "sample" } });
    expect(figureNote()).toBe("the project's sample, not GSM8K · 50 problems");
    expect(figureNote({ from: "the paper's table" })).toBe("");
    noteFigures({ scale: "smoke", problems: "50 problems", loaded: { origin: "sample" } });
    expect(figureNote()).toBe("smoke scale · the project's sample, not GSM8K · 50 problems");
  });
});
