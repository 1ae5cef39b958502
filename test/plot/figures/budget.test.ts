import { type BudgetRow, budgetFigure, type Figure, linePanelsFigure, scatterFigure } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";

interface Trace {
  name: string;
  x: number[];
  y: number[];
  xaxis: string;
  showlegend: boolean;
  legendrank: number;
  fill?: string;
  opacity?: number;
  line: { color: string; dash: string; width: number };
  marker: { symbol: string };
  error_y?: { array: (number | string)[]; arrayminus: (number | string)[] };
}
interface Axis {
  range: [number, number];
  tickvals: number[];
  domain: [number, number];
  showticklabels: boolean;
}
const traces = (figure: Figure) => figure.spec.data as Trace[];
const axis = (figure: Figure, name: string) => figure.spec.layout[name] as Axis;

const row = (panel: string, method: string, budget: number, more: Partial<BudgetRow> = {}): BudgetRow => {
  return { panel, method, budget, accuracy: 40, length: budget / 2, acu: 8000 / budget, ...more };
};
const common = { name: "figure", title: "Title" };
const METHODS = ["A*-Thought", "full chain", "TokenSkip"];
const rows = ["paper", "ours"].flatMap((panel) =>
  METHODS.flatMap((method) => [1024, 512, 2048].map((budget) => row(panel, method, budget))),
);

describe("budgetFigure", () => {
  it("draws a line for each method in each panel, from the smallest budget to the largest", () => {
    const drawn = traces(budgetFigure({ ...common, rows }));
    expect(drawn).toHaveLength(6);
    for (const { x } of drawn) expect(x).toEqual([512, 1024, 2048]);
    expect(drawn.map(({ xaxis }) => xaxis)).toEqual(["x", "x", "x", "x2", "x2", "x2"]);
  });

  it("names each method once, A*-Thought last: it is drawn over the others", () => {
    const drawn = traces(budgetFigure({ ...common, rows }));
    const named = drawn.filter(({ showlegend }) => showlegend);
    expect(named.map(({ name }) => name)).toEqual(["full chain", "TokenSkip", "A*-Thought"]);
    expect(named.map(({ legendrank }) => legendrank)).toEqual([0, 1, 2]);
  });

  it("gives a method the same look in every panel and figure, whatever else there is", () => {
    const looks = (figure: Figure) =>
      traces(figure).map(({ name, line, marker }) => [name, `${line.color} ${line.dash} ${marker.symbol}`] as const);
    const some = budgetFigure({ ...common, rows: rows.filter(({ method }) => method !== "full chain") });
    const other = budgetFigure({
      ...common,
      rows: [row("p", "mine", 8), row("p", "full-chain", 8), ...rows],
      measure: "acu",
    });
    const byName = new Map<string, Set<string>>();
    for (const [name, look] of [...looks(some), ...looks(other)]) {
      const key = name.replace("-chain", " chain");
      byName.set(key, (byName.get(key) ?? new Set()).add(look));
    }
    expect([...byName.values()].map((set) => set.size)).toEqual(Array.from(byName, () => 1));
    expect(new Set([...byName.values()].flatMap((set) => [...set])).size).toBe(byName.size);
    const point = scatterFigure({ ...common, xTitle: "x", yTitle: "y", points: [{ name: "TokenSkip", x: 1, y: 1 }] });
    const colour = (point.spec.data[0] as { marker: { color: string } }).marker.color;
    expect(traces(some).find(({ name }) => name === "TokenSkip")!.line.color).toBe(colour);
  });

  it("draws A*-Thought bold, all methods solid and each with a colour and marker of its own", () => {
    const methods = ["base model", "full chain", "Chain of Draft", "BtC effective shortcut", "BtC skip steps"];
    methods.push("TokenSkip", "random steps", "importance only", "last steps", "solution only", "necessary steps");
    const drawn = traces(
      budgetFigure({ ...common, rows: [...methods, "A*-Thought"].map((name) => row("p", name, 8)) }),
    );
    const own = drawn.find(({ name }) => name === "A*-Thought")!;
    const others = drawn.filter((trace) => trace !== own);
    expect(new Set(drawn.map(({ line }) => line.dash))).toEqual(new Set(["solid"]));
    expect(others.every(({ line }) => line.width < own.line.width)).toBe(true);
    expect(new Set(drawn.map(({ marker, line }) => `${marker.symbol} ${line.color}`)).size).toBe(12);
  });

  it("spaces budgets evenly where they double, with a tick at each", () => {
    const figure = budgetFigure({ ...common, rows });
    expect(figure.spec.layout.xaxis).toMatchObject({ type: "log", tickvals: [512, 1024, 2048] });
    const [low, high] = axis(figure, "xaxis").range;
    expect(low).toBeLessThan(Math.log10(512));
    expect(high).toBeGreaterThan(Math.log10(2048));
  });

  it("has a tick at every second budget, the largest among them, where there is no room for all", () => {
    const budgets = Array.from({ length: 9 }, (_, at) => 1000 * 2 ** at);
    const panels = ["a", "b", "c"].flatMap((panel) => budgets.map((budget) => row(panel, "full chain", budget)));
    const { tickvals } = axis(budgetFigure({ ...common, rows: panels }), "xaxis");
    expect(tickvals.length).toBeLessThan(9);
    expect(tickvals.at(-1)).toBe(256_000);
    const steps = tickvals.slice(1).map((budget, at) => budget / tickvals[at]!);
    expect(new Set(steps).size).toBe(1);
  });

  it("draws the intervals of its measure, and nothing where there is none", () => {
    const measured = { low: 35, high: 47, acuLow: 10, acuHigh: 20, acu: 16 };
    const both = [row("p", "full chain", 512, measured), row("p", "full chain", 1024)];
    const bars = (measure: "accuracy" | "acu" | "length") =>
      traces(budgetFigure({ ...common, rows: both, measure }))[0]!;
    expect(bars("accuracy").error_y).toMatchObject({ array: [7, "none"], arrayminus: [5, "none"] });
    expect(bars("acu").error_y).toMatchObject({ array: [4, "none"], arrayminus: [6, "none"] });
    expect(bars("length").error_y).toBeUndefined();
    const [band, line] = traces(budgetFigure({ ...common, rows: both, uncertainty: "band" }));
    expect([band!.fill, band!.y, line!.error_y]).toEqual(["toself", [47, 35], undefined]);
  });

  it("has one scale of accuracy for all panels, or one each where asked", () => {
    const mixed = [row("a", "full chain", 8, { accuracy: 10 }), row("b", "full chain", 8, { accuracy: 90 })];
    const shared = budgetFigure({ ...common, rows: mixed });
    expect(axis(shared, "yaxis").range).toEqual(axis(shared, "yaxis2").range);
    expect(axis(shared, "yaxis").range[0]).toBe(0);
    expect([axis(shared, "yaxis").showticklabels, axis(shared, "yaxis2").showticklabels]).toEqual([true, false]);
    const own = budgetFigure({ ...common, rows: mixed, sharedY: false });
    expect(axis(own, "yaxis").range[1]).toBeLessThan(12);
    expect(axis(own, "yaxis2").range[1]).toBeGreaterThan(90);
    expect(axis(own, "yaxis2").showticklabels).toBe(true);
  });

  it("draws what is reached for the tokens spent, joined by budget", () => {
    const spent = [row("p", "full chain", 1024, { length: 300 }), row("p", "full chain", 512, { length: 400 })];
    expect(traces(budgetFigure({ ...common, rows: spent, against: "length" }))[0]!.x).toEqual([400, 300]);
  });

  it("leaves out rows without the measure", () => {
    const some = [row("p", "full chain", 512, { acu: null }), row("p", "full chain", 1024)];
    expect(traces(budgetFigure({ ...common, rows: some, measure: "acu" }))[0]!.x).toEqual([1024]);
    expect(traces(budgetFigure({ ...common, rows: some }))[0]!.x).toEqual([512, 1024]);
  });

  it("has a row of its table for each point", () => {
    const { table } = budgetFigure({ ...common, rows: [row("p", "full chain", 8, { low: 30, high: 50 })] });
    expect(table).toEqual({
      columns: ["panel", "series", "x", "y", "low", "high"],
      rows: [["p", "full chain", 8, 40, 30, 50]],
    });
  });

  it.each<[string, BudgetRow[], RegExp]>([
    ["two rows for one point", [row("p", "m", 8), row("p", "m", 8)], /two rows for m at a budget of 8 in "p"/],
    ["no rows", [], /no panels/],
    ["a budget of 0", [row("p", "m", 0)], /x 0 is 0, expected more than 0/],
    ["a value outside of its interval", [row("p", "m", 8, { low: 41, high: 50 })], /is 40 in \[41, 50\]/],
    [
      "too many methods",
      Array.from({ length: 30 }, (_, at) => row("p", `m${at}`, 8)),
      /30 series that are no known methods/,
    ],
    [
      "five variants that have no dash of their own",
      ["", ", b", ", c", ", d", ", e", ", f"].map((name) => row("p", `A*-Thought${name}`, 8)),
      /5 variants of a\* thought: expected at most 4/,
    ],
  ])("refuses %s", (_, wrong, message) => {
    expect(() => budgetFigure({ ...common, rows: wrong })).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringMatching(message), hint: expect.any(String) }),
    );
  });
});

describe("linePanelsFigure", () => {
  const series = [{ name: "s", x: [1, 2, 3], y: [4, 5, 6] }];
  const panels = (count: number) => Array.from({ length: count }, (_, at) => ({ title: `panel ${at}`, series }));

  it("places panels apart from each other, inside of the plot", () => {
    for (const count of [1, 2, 3, 4, 5, 8]) {
      const figure = linePanelsFigure({ ...common, xTitle: "x", yTitle: "y", panels: panels(count) });
      const boxes = Array.from({ length: count }, (_, at) => {
        const id = at === 0 ? "" : `${at + 1}`;
        return [axis(figure, `xaxis${id}`).domain, axis(figure, `yaxis${id}`).domain] as const;
      });
      for (const [index, [x, y]] of boxes.entries()) {
        for (const [from, to] of [x, y]) {
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThanOrEqual(1);
          expect(from).toBeLessThan(to);
        }
        for (const [otherX, otherY] of boxes.slice(index + 1)) {
          expect(x[1] < otherX[0] || otherX[1] < x[0] || y[1] < otherY[0] || otherY[1] < y[0]).toBe(true);
        }
      }
    }
  });

  it("is of the size asked for", () => {
    const figure = linePanelsFigure({
      ...common,
      xTitle: "x",
      yTitle: "y",
      panels: panels(3),
      width: 900,
      height: 500,
    });
    expect(figure.spec.layout).toMatchObject({ width: 900, height: 500 });
  });

  it("draws what lies behind a series faintly, in its colour and without a name", () => {
    const both = [...series, { name: "raw", behind: "s", x: [1, 2], y: [1, 9] }];
    const [raw, smooth] = traces(linePanelsFigure({ ...common, xTitle: "x", yTitle: "y", panels: [{ series: both }] }));
    expect(raw).toMatchObject({ y: [1, 9], showlegend: false, opacity: 0.35 });
    expect(raw!.line.color).toBe(smooth!.line.color);
    expect(raw!.line.width).toBeLessThan(smooth!.line.width);
  });

  it("has ticks at the data of a linear axis that have room beside the ones after them", () => {
    const few = [{ series: [{ name: "s", x: [0, 0.02, 0.5, 1], y: [4, 5, 6, 7] }] }];
    const figure = linePanelsFigure({ ...common, xTitle: "x", yTitle: "y", panels: few, ticksAtData: true });
    expect(axis(figure, "xaxis").tickvals).toEqual([0.02, 0.5, 1]);
  });

  it("has no title above panels that have none", () => {
    for (const title of ["", "  ", undefined]) {
      const figure = linePanelsFigure({
        ...common,
        xTitle: "x",
        yTitle: "y",
        panels: [{ ...(title === undefined ? {} : { title }), series }],
      });
      const texts = (figure.spec.layout.annotations as { text: string }[]).map(({ text }) => text);
      expect(texts).toEqual(["y", "x"]);
    }
    const regions = [{ name: "", from: 1, to: 2 }];
    const shaded = linePanelsFigure({ ...common, xTitle: "x", yTitle: "y", panels: [{ series }], regions });
    expect(shaded.spec.layout.annotations as object[]).toHaveLength(2);
    expect(shaded.spec.layout.shapes as object[]).toHaveLength(1);
  });

  it("refuses zero on a logarithmic scale of y", () => {
    const zero = [{ series: [{ name: "s", x: [1], y: [0] }], yScale: "log" as const }];
    expect(() => linePanelsFigure({ ...common, xTitle: "x", yTitle: "y", panels: zero, sharedY: false })).toThrow(
      /a value is 0, expected more than 0/,
    );
  });
});
