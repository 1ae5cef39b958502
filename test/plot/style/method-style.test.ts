import {
  barFigure,
  budgetFigure,
  comparisonFigure,
  histogramFigure,
  lineFigure,
  linePanelsFigure,
  methodStyles,
  scatterFigure,
} from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import { isOwnMethod } from "../../../lib/dist/plot/style/method-style.js";
import { colourDistance } from "../helpers.js";

const FAMILIES = {
  "as the paper compares": [
    "base model",
    "full chain",
    "Chain of Draft",
    "BtC effective shortcut",
    "BtC skip steps",
    "TokenSkip",
    "A*-Thought",
  ],
  "as measured": [
    "full chain",
    "random steps",
    "importance only",
    "last steps",
    "TokenSkip",
    "solution only",
    "necessary steps",
    "A*-Thought",
  ],
  "ways to ask": ["direct", "CoT", "CoT-SC", "Self-Refine", "program", "least-to-most", "AoT", "DOTS"],
  "the AoT paper": ["CoT", "CoT-SC", "Self-Refine", "Analogical Prompting", "AFlow", "FoT", "AoT"],
  searches: ["CoT", "CoT-SC", "best-of-N", "beam", "MCTS", "revision", "AoT", "A*-Thought"],
};
const METHODS = [...new Set([...Object.values(FAMILIES).flat(), "ToT"])];
const styleOf = (name: string) => methodStyles([name]).get(name)!;

describe("methodStyles", () => {
  it("gives no two methods the same colour and marker, alone or together", () => {
    const together = methodStyles(METHODS);
    expect(new Set(METHODS.map((name) => `${styleOf(name).colour} ${styleOf(name).marker}`)).size).toBe(METHODS.length);
    for (const name of METHODS) expect(together.get(name)).toEqual(styleOf(name));
  });

  it.each(Object.entries(FAMILIES))("has colours for %s that readers of any colour vision tell apart", (_, names) => {
    const colours = names.map((name) => styleOf(name).colour);
    for (const [at, one] of colours.entries()) {
      for (const other of colours.slice(at + 1))
        expect(colourDistance(one, other), `${one} ${other}`).toBeGreaterThan(12);
    }
  });

  it("has colours for eight series of any name that readers of any colour vision tell apart", () => {
    const colours = [...methodStyles(Array.from({ length: 8 }, (_, at) => `series ${at}`)).values()].map(
      ({ colour }) => colour,
    );
    for (const [at, one] of colours.entries()) {
      for (const other of colours.slice(at + 1))
        expect(colourDistance(one, other), `${one} ${other}`).toBeGreaterThan(12);
    }
  });

  it.each([
    ["A*-Thought", ["a-star-thought".replace("a-star", "astar"), "A*-THOUGHT", "+ A*-Thought"]],
    ["full chain", ["full-chain", "Full Chain"]],
    ["Chain of Draft", ["+ CoD", "chain-of-draft"]],
    ["CoT", ["cot", "chain of thought", "chain-of-thought"]],
    ["CoT-SC", ["cot_sc", "self-consistency", "majority voting"]],
    ["AoT", ["Atom of Thoughts"]],
    ["MCTS", ["monte carlo tree search"]],
    ["program", ["program of thought", "PoT"]],
  ])("knows %s by its other names", (name, others) => {
    for (const other of others) expect(styleOf(other)).toEqual(styleOf(name));
  });

  it.each([
    [
      "A*-Thought",
      ["A*-Thought, accepted", "A*-Thought, steps alone", "A*-Thought, Algorithm 1, accepted", "A*-Thought, kmin = 3"],
    ],
    ["random steps", ["random steps, as much as steps alone, accepted"]],
    ["importance only", ["importance only, as many steps as: steps alone, accepted"]],
    ["CoT-SC", ["CoT-SC (n=5)", "CoT-SC (n=20)"]],
    ["AoT", ["AoT*", "AoT (d=1) + FoT (n=2)"]],
    ["DOTS", ["DOTS, external", "DOTS w/o rewriting", "DOTS (internalised)"]],
    ["best-of-N", ["best-of-8", "best of 16"]],
    ["QwQ-32B", ["QwQ-32B, accepted"]],
  ])("gives variants of %s its colour and marker, and tells them apart", (name, variants) => {
    const styles = methodStyles([name, ...variants]);
    const own = styles.get(name)!;
    for (const variant of variants) {
      const { colour, outline, marker, width } = styles.get(variant)!;
      expect({ colour, outline, marker, width }).toEqual({
        colour: own.colour,
        outline: own.outline,
        marker: own.marker,
        width: own.width,
      });
    }
    const looks = [...styles.values()].map(({ dash, hollow }) => `${dash} ${hollow}`);
    expect(new Set(looks).size).toBe(variants.length + 1);
  });

  it("draws accepted chains hollow, steps alone dashed, and both so", () => {
    for (const method of ["A*-Thought", "random steps, as much as"]) {
      const alone = method === "A*-Thought" ? `${method}, steps alone` : `${method} steps alone`;
      expect(styleOf(`${alone}, accepted`)).toMatchObject({ hollow: true, dash: "6px,3px" });
      expect(styleOf(alone).hollow).toBeUndefined();
      expect(styleOf(alone).dash).toBe("6px,3px");
    }
    expect(styleOf("A*-Thought, accepted")).toMatchObject({ hollow: true, dash: "solid" });
  });

  it("tells a number of samples only where there are several", () => {
    expect(styleOf("CoT-SC (n=5)")).toEqual(styleOf("CoT-SC"));
    expect(styleOf("best-of-8")).toEqual(styleOf("best-of-N"));
    const dashes = [...methodStyles(["CoT-SC (n=5)", "CoT-SC (n=20)"]).values()].map(({ dash }) => dash);
    expect(new Set(dashes).size).toBe(2);
  });

  it("keeps what it is not told of apart from the methods", () => {
    const styles = [...methodStyles(["A*-Thought", "mine", "full chain", "yours"]).values()];
    expect(new Set(styles.map(({ colour }) => colour)).size).toBe(4);
    expect(new Set(styles.map(({ dash }) => dash))).toEqual(new Set(["solid"]));
    const many = [...methodStyles(Array.from({ length: 16 }, (_, at) => `series ${at}`)).values()];
    expect(new Set(many.map(({ colour, marker }) => `${colour} ${marker}`)).size).toBe(16);
  });

  it("knows which methods are to be looked at", () => {
    expect(["A*-Thought, best-first", "AoT*", "DOTS, external"].map(isOwnMethod)).toEqual([true, true, true]);
    expect(["CoT", "full chain", "mine"].map(isOwnMethod)).toEqual([false, false, false]);
  });
});

describe("a method in every kind of figure", () => {
  const NAMES = ["TokenSkip", "A*-Thought, accepted", "A*-Thought, steps alone", "MCTS"];
  const common = { name: "figure", title: "Title", xTitle: "x", yTitle: "y", valueTitle: "v" };
  const series = NAMES.map((name) => ({ name, x: [1, 2], y: [3, 4], values: [1, 2] }));
  const rows = NAMES.map((method) => ({ panel: "p", method, budget: 8, accuracy: 1, length: 1, acu: 1 }));
  interface Trace {
    name: string;
    marker: { color: string | string[]; symbol?: string | string[]; line: { color: string | string[] } };
  }
  /** Fill, outline and, where there is one, marker of each method. */
  const looks = (data: readonly object[]) =>
    (data as Trace[])
      .filter(({ name }) => NAMES.includes(name))
      .map(({ marker }) => [marker.color, marker.line.color, marker.symbol]);
  const expected = NAMES.map((name) => {
    const { colour, outline, marker, hollow } = styleOf(name);
    return [hollow ? "#FFFFFF" : colour, hollow ? colour : outline, marker];
  });

  it("has the look of its name", () => {
    const figures = [
      lineFigure({ ...common, series }),
      linePanelsFigure({ ...common, panels: [{ series }] }),
      budgetFigure({ ...common, rows }),
      scatterFigure({ ...common, points: NAMES.map((name, at) => ({ name, x: at, y: at })) }),
    ];
    for (const { spec } of figures)
      expect(new Set(looks(spec.data).map(String))).toEqual(new Set(expected.map(String)));
    const bars = [barFigure({ ...common, categories: ["a", "b"], series }), histogramFigure({ ...common, series })];
    for (const { spec } of bars) {
      expect(looks(spec.data).map((look) => look.slice(0, 2))).toEqual(expected.map((look) => look.slice(0, 2)));
    }
    const [dots] = comparisonFigure({
      ...common,
      benchmarks: [{ name: "b" }],
      methods: NAMES.map((name, at) => ({ name, values: [at] })),
    }).spec.data as Trace[];
    expect([dots!.marker.color, dots!.marker.line.color, dots!.marker.symbol]).toEqual(
      [0, 1, 2].map((part) => expected.map((look) => look[part])),
    );
  });

  it("has a dashed ring where there is no line to be dashed", () => {
    const rings = (shapes: unknown) =>
      (shapes as { type: string; line: { dash?: string } }[]).flatMap(({ line }) => line.dash ?? []);
    const points = NAMES.map((name, at) => ({ name, x: at, y: at }));
    expect(rings(scatterFigure({ ...common, points }).spec.layout.shapes)).toEqual(["6px,3px"]);
    const methods = NAMES.map((name, at) => ({ name, values: [at] }));
    expect(rings(comparisonFigure({ ...common, benchmarks: [{ name: "b" }], methods }).spec.layout.shapes)).toEqual([
      "6px,3px",
    ]);
  });

  it("gives a setting the look of the method it is one of", () => {
    const { spec } = comparisonFigure({
      ...common,
      benchmarks: [{ name: "b" }],
      methods: ["0.1", "0.5"].map((beta, at) => ({
        name: `β ${beta}`,
        method: "A*-Thought",
        own: at === 0,
        values: [at],
      })),
    });
    expect((spec.data as Trace[])[0]!.marker.symbol).toEqual(["circle", "circle"]);
    expect((spec.data as Trace[])[0]!.marker.color).toEqual(["#0072B2", "#0072B2"]);
  });

  it("tells bars apart without their colours", () => {
    const many = Array.from({ length: 8 }, (_, at) => ({ name: `${at}`, values: [1, 2] }));
    const { spec } = barFigure({ ...common, categories: ["a", "b"], series: many });
    const hatches = (spec.data as { marker: { pattern?: { shape: string } } }[]).map(
      ({ marker }) => marker.pattern?.shape ?? "",
    );
    expect(new Set(hatches).size).toBe(8);
  });
});
