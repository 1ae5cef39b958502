import { type Figure, scatterFigure } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import type { ScatterPoint } from "../../../lib/dist/plot/figures/scatter.js";

const common = { name: "scatter", title: "Title", xTitle: "x", yTitle: "y" };
const figureOf = (points: ScatterPoint[]) => scatterFigure({ ...common, points });

describe("scatterFigure", () => {
  it("draws intervals on both axes", () => {
    const figure = figureOf([{ name: "p", x: 1, y: 5, xInterval: [0.5, 2], yInterval: [4, 7] }]);
    expect(figure.spec.data[0]).toMatchObject({
      error_x: { array: [1], arrayminus: [0.5] },
      error_y: { array: [2], arrayminus: [1] },
    });
    expect(figure.table.rows).toEqual([["p", 1, 0.5, 2, 5, 4, 7]]);
  });

  it("holds zero where asked, and all intervals", () => {
    const points: ScatterPoint[] = [{ name: "p", x: 10, y: 10, yInterval: [5, 30] }];
    const range = (fromZero?: "x" | "y") =>
      (scatterFigure({ ...common, points, ...(fromZero ? { fromZero } : {}) }).spec.layout.yaxis as { range: number[] })
        .range;
    expect(range("y")[0]).toBe(0);
    expect(range("x")[0]).toBeGreaterThan(0);
    expect(range("x")[0]).toBeLessThan(5);
    expect(range()[1]).toBeGreaterThan(30);
  });

  it("keeps what lies at zero clear of the ticks, and wraps long names", () => {
    const name = "importance only, as much as steps alone, accepted";
    const figure = scatterFigure({
      ...common,
      fromZero: "x",
      points: [
        { name, x: 0, y: 1 },
        { name: "q", x: 9, y: 2 },
      ],
    });
    const [low] = (figure.spec.layout.xaxis as { range: number[] }).range;
    expect(low).toBeLessThan(0);
    expect(low).toBeGreaterThan(-1);
    const [label] = figure.spec.layout.annotations as { text: string }[];
    expect(label!.text.split("<br>").join(" ")).toBe(name);
    expect(label!.text).toContain("<br>");
  });

  it("writes names that do not fit beside their points apart from them, with a line", () => {
    const lines = (figure: Figure) => figure.spec.layout.shapes as object[];
    const names = (figure: Figure) => (figure.spec.layout.annotations as { text: string }[]).map(({ text }) => text);
    const crowd = Array.from({ length: 6 }, (_, at) => ({ name: `a rather long name ${at}`, x: 5 + at / 50, y: 5 }));
    const spread = crowd.map((point, at) => ({ ...point, y: at }));
    const ends = [
      { name: "low", x: 0, y: 0 },
      { name: "high", x: 10, y: 10 },
    ];
    expect(lines(figureOf([...crowd, ...ends])).length).toBeGreaterThan(0);
    expect(lines(figureOf(spread))).toEqual([]);
    expect(names(figureOf(spread))).toEqual(spread.map(({ name }) => name));
  });

  it.each<[string, ScatterPoint[], RegExp]>([
    ["no points", [], /no points/],
    ["a name twice", [1, 2].map((x) => ({ name: "p", x, y: 1 })), /"p" occurs twice/],
    ["an x that is no number", [{ name: "p", x: Number.NaN, y: 1 }], /point "p", x is NaN/],
    ["a y outside of its interval", [{ name: "p", x: 1, y: 1, yInterval: [2, 3] }], /point "p", y is 1 in \[2, 3\]/],
  ])("refuses %s", (_, points, message) => {
    expect(() => figureOf(points)).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringMatching(message) }),
    );
  });
});
