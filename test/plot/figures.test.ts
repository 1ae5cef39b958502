import {
  type BarFigureOptions,
  barFigure,
  type ComparisonFigureOptions,
  comparisonFigure,
  type Figure,
  type HeatmapFigureOptions,
  type HistogramFigureOptions,
  heatmapFigure,
  histogramFigure,
  importanceFigure,
  type LineFigureOptions,
  lineFigure,
  linePanelsFigure,
  scatterFigure,
} from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import { EXAMPLES } from "./examples.js";

const common = { name: "figure", title: "Title" };

const histogram = (options: Partial<HistogramFigureOptions> = {}) =>
  histogramFigure({ ...common, xTitle: "x", series: [{ name: "s", values: [1, 2, 2] }], ...options });
const bar = (options: Partial<BarFigureOptions> = {}) =>
  barFigure({
    ...common,
    valueTitle: "v",
    categories: ["a", "b"],
    series: [{ name: "s", values: [1, 2] }],
    ...options,
  });
const line = (options: Partial<LineFigureOptions> = {}) =>
  lineFigure({ ...common, xTitle: "x", yTitle: "y", series: [{ name: "s", x: [1, 2], y: [3, 4] }], ...options });
const heatmap = (options: Partial<HeatmapFigureOptions> = {}) =>
  heatmapFigure({ ...common, valueTitle: "v", rows: ["r"], columns: ["c", "d"], values: [[1, 2]], ...options });
const comparison = (options: Partial<ComparisonFigureOptions> = {}) =>
  comparisonFigure({ ...common, benchmarks: [{ name: "b" }], methods: [{ name: "m", values: [1] }], ...options });

interface Axis {
  range: [number, number];
  tickvals?: number[];
  ticktext?: string[];
}
interface Trace {
  type: string;
  mode: string;
  name: string;
  x: number[];
  y: (number | null)[];
  width: number;
  line: { dash: string; color: string };
  marker: { color: string; symbol: string; size: number };
  error_y?: { array: number[]; arrayminus: number[] };
  error_x?: { array: number[]; arrayminus: number[] };
}

const axis = (figure: Figure, name: string) => figure.spec.layout[name] as Axis;
const traces = (figure: Figure) => figure.spec.data as Trace[];
const annotations = (figure: Figure) => figure.spec.layout.annotations as { text: string }[];

describe("every figure", () => {
  const names: [string, () => Figure, RegExp][] = [
    ["upper case", () => bar({ name: "Figure" }), /figure name "Figure"/],
    ["a path", () => line({ name: "../a" }), /figure name "..\/a"/],
    ["an empty name", () => histogram({ name: "" }), /figure name ""/],
    ["spaces", () => heatmap({ name: "a b" }), /figure name "a b"/],
    ["a hyphen at the end", () => comparison({ name: "a-" }), /figure name "a-"/],
  ];
  const data: [string, () => Figure, RegExp][] = [
    ["no series", () => histogram({ series: [] }), /no series/],
    ["a series without values", () => histogram({ series: [{ name: "s", values: [] }] }), /series "s": no values/],
    [
      "values between integers",
      () => histogram({ series: [{ name: "s", values: [1, 2.5] }] }),
      /series "s", value 1 is 2.5/,
    ],
    ["NaN", () => histogram({ series: [{ name: "s", values: [Number.NaN] }] }), /series "s", value 0 is NaN/],
    ["a million bars", () => histogram({ series: [{ name: "s", values: [1, 1e6] }], binWidth: 1 }), /1000000 bars/],
    ["half a bin", () => histogram({ binWidth: 0.5 }), /bin width 0.5/],

    ["no categories", () => bar({ categories: [], series: [{ name: "s", values: [] }] }), /no categories/],
    ["no bar series", () => bar({ series: [] }), /no series/],
    ["a category twice", () => bar({ categories: ["a", "a"] }), /"a" occurs twice/],
    ["a series twice", () => bar({ series: [1, 2].map(() => ({ name: "s", values: [1, 2] })) }), /"s" occurs twice/],
    ["too few values", () => bar({ series: [{ name: "s", values: [1] }] }), /series "s": values: 1 given, expected 2/],
    [
      "too many intervals",
      () => bar({ series: [{ name: "s", values: [1, 2], intervals: [null, null, null] }] }),
      /series "s": intervals: 3 given, expected 2/,
    ],
    [
      "an infinite value",
      () => bar({ series: [{ name: "s", values: [1, Number.POSITIVE_INFINITY] }] }),
      /series "s", value 1 \(b\) is Infinity/,
    ],
    [
      "an interval with NaN",
      () => bar({ series: [{ name: "s", values: [1, 2], intervals: [[Number.NaN, 2], null] }] }),
      /series "s", value 0 .* in \[NaN, 2\]/,
    ],
    [
      "an interval beside its value",
      () => bar({ series: [{ name: "s", values: [1, 2], intervals: [null, [2.5, 3]] }] }),
      /series "s", value 1 .* is 2 in \[2.5, 3\]/,
    ],
    [
      "an interval the wrong way round",
      () => bar({ series: [{ name: "s", values: [1, 2], intervals: [[2, 0], null] }] }),
      /series "s", value 0/,
    ],
    [
      "an interval without a value",
      () => bar({ series: [{ name: "s", values: [null, 2], intervals: [[0, 1], null] }] }),
      /interval without a value/,
    ],
    ["a series of nothing", () => bar({ series: [{ name: "s", values: [null, null] }] }), /series "s": no values/],
    [
      "nine series",
      () => bar({ series: Array.from({ length: 9 }, (_, at) => ({ name: `${at}`, values: [1, 2] })) }),
      /9 series: expected at most 8/,
    ],

    ["no points", () => line({ series: [{ name: "s", x: [], y: [] }] }), /series "s": no points/],
    [
      "x and y of different lengths",
      () => line({ series: [{ name: "s", x: [1, 2], y: [1] }] }),
      /series "s": values: 1 given, expected 2/,
    ],
    ["x not finite", () => line({ series: [{ name: "s", x: [1, Number.NaN], y: [1, 2] }] }), /series "s", x 1 is NaN/],
    [
      "y not finite",
      () => line({ series: [{ name: "s", x: [1, 2], y: [1, Number.NEGATIVE_INFINITY] }] }),
      /series "s", value 1 \(x = 2\) is -Infinity/,
    ],
    [
      "an interval that y is not in",
      () => line({ series: [{ name: "s", x: [1], y: [1], intervals: [[2, 3]] }] }),
      /series "s", value 0 \(x = 1\) is 1 in \[2, 3\]/,
    ],
    [
      "zero on a logarithmic axis",
      () => line({ xScale: "log", series: [{ name: "s", x: [0, 1], y: [1, 1] }] }),
      /series "s", x 0 is 0, .*logarithmic/,
    ],
    [
      "joined points out of order",
      () => line({ series: [{ name: "s", x: [2, 1], y: [1, 1] }] }),
      /series "s", x 1 is 1, less/,
    ],

    ["no rows", () => heatmap({ rows: [], values: [] }), /no rows/],
    ["no columns", () => heatmap({ columns: [], values: [[]] }), /no columns/],
    ["too few rows of values", () => heatmap({ rows: ["r", "q"] }), /rows of values: 1 given, expected 2/],
    ["a short row", () => heatmap({ values: [[1]] }), /row "r": values: 1 given, expected 2/],
    ["a cell of NaN", () => heatmap({ values: [[1, Number.NaN]] }), /row "r", column "d" is NaN/],
    ["nothing but missing cells", () => heatmap({ values: [[null, null]] }), /no values/],
    [
      "a cell outside of the range",
      () => heatmap({ range: [0, 1.5] }),
      /row "r", column "d" is 2, outside of the range \[0, 1.5\]/,
    ],

    ["no benchmarks", () => comparison({ benchmarks: [], methods: [{ name: "m", values: [] }] }), /no benchmarks/],
    ["no methods", () => comparison({ methods: [] }), /no methods/],
    [
      "a missing value that is not said",
      () => comparison({ methods: [{ name: "m", values: [] }] }),
      /method "m": values: 0 given, expected 1/,
    ],
    [
      "a value not finite",
      () => comparison({ methods: [{ name: "m", values: [Number.NaN] }] }),
      /method "m", value 0 \(b\) is NaN/,
    ],
    [
      "a benchmark without values",
      () => comparison({ benchmarks: [{ name: "a" }, { name: "b" }], methods: [{ name: "m", values: [1, null] }] }),
      /benchmark "b": no values/,
    ],
  ];

  it.each([
    () => bar({ valueTitle: "%" }),
    () => line({ yTitle: "(%)" }),
    () => line({ xTitle: "" }),
    () => scatterFigure({ ...common, xTitle: "x", yTitle: "%", points: [{ name: "p", x: 1, y: 1 }] }),
    () =>
      linePanelsFigure({ ...common, xTitle: "x", yTitle: "%", panels: [{ series: [{ name: "s", x: [1], y: [1] }] }] }),
  ])("refuses an axis that does not say what it measures", (make) => {
    expect(make).toThrow(expect.objectContaining({ code: "bad-input", message: expect.stringMatching(/axis title/) }));
  });

  it.each([...names, ...data])("refuses %s", (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringMatching(message), hint: expect.any(String) }),
    );
  });

  it("accepts an interval that begins a rounding error above its value", () => {
    expect(() =>
      bar({
        series: [
          {
            name: "s",
            values: [0, 1],
            intervals: [
              [1e-17, 0.2],
              [0.8, 1 - 1e-16],
            ],
          },
        ],
      }),
    ).not.toThrow();
  });

  it("does not change its data", () => {
    const series = [{ name: "s", x: [1, 2], y: [3, 4], intervals: [[2, 4] as const, [3, 5] as const] }];
    const before = JSON.stringify(series);
    line({ series, uncertainty: "band" });
    expect(JSON.stringify(series)).toBe(before);
  });

  it("shows a legend only where there is a choice", () => {
    expect(bar().spec.layout.showlegend).toBe(false);
    expect(EXAMPLES.find(({ name }) => name === "bar")!.spec.layout.showlegend).toBe(true);
  });

  it("is of the size asked for", () => {
    for (const make of [histogram, bar, line, heatmap, comparison]) {
      expect(make({ width: 500, height: 300 }).spec.layout).toMatchObject({ width: 500, height: 300 });
    }
  });
});

describe("histogramFigure", () => {
  it("counts in percent of each series' own samples", () => {
    const figure = histogram({
      series: [
        { name: "s", values: [1, 2, 2, 4] },
        { name: "t", values: [2] },
      ],
    });
    expect(traces(figure).map(({ y }) => y)).toEqual([
      [25, 50, null, 25],
      [null, 100, null, null],
    ]);
    expect(figure.table.columns).toEqual(["series", "from", "to", "count", "share"]);
    expect(figure.table.rows[1]).toEqual(["s", 2, 2, 2, 50]);
    expect(figure.table.rows).toHaveLength(8);
  });

  it("counts samples", () => {
    expect(traces(histogram({ measure: "count" }))[0]!.y).toEqual([1, 2]);
  });

  it("counts every sample once in ranges of integers, negative ones too", () => {
    const values = Array.from({ length: 500 }, (_, at) => ((at * 7919) % 1000) - 300);
    const { table } = histogram({ series: [{ name: "s", values }] });
    for (const [, from, to, count] of table.rows as [string, number, number, number, number][]) {
      expect(count).toBe(values.filter((value) => value >= from && value <= to).length);
      expect(to - from).toBe(49);
    }
    expect(table.rows.reduce((sum, row) => sum + Number(row[3]), 0)).toBe(500);
  });

  it("uses the bin width asked for", () => {
    const { table } = histogram({ series: [{ name: "s", values: [1, 9, 10] }], binWidth: 10 });
    expect(table.rows.map((row) => row.slice(1, 4))).toEqual([
      [0, 9, 2],
      [10, 19, 1],
    ]);
  });

  it("takes a hundred thousand samples", () => {
    const values = Array.from({ length: 200_000 }, (_, at) => at % 10);
    expect(histogram({ series: [{ name: "s", values }] }).table.rows).toHaveLength(10);
  });
});

describe("barFigure", () => {
  it.each([
    ["positive", [80, 90], 0, 90],
    ["negative", [-3, -1], -3, 0],
    ["mixed", [-3, 5], -3, 5],
    ["zero", [0, 0], 0, 0],
  ])("has zero and all %s values on its axis", (_, values, low, high) => {
    const [from, to] = axis(bar({ series: [{ name: "s", values }] }), "yaxis").range;
    expect(from).toBeLessThanOrEqual(low);
    expect(to).toBeGreaterThanOrEqual(high);
    if (low === 0) expect(from).toBe(0);
  });

  it("has all intervals on its axis", () => {
    const figure = bar({
      series: [
        {
          name: "s",
          values: [1, 2],
          intervals: [
            [-4, 3],
            [1, 9],
          ],
        },
      ],
    });
    const [from, to] = axis(figure, "yaxis").range;
    expect([from < -4, to > 9]).toEqual([true, true]);
    expect(traces(figure)[0]!.error_y).toMatchObject({ array: [2, 7], arrayminus: [5, 1] });
  });

  it("lets no two bars overlap", () => {
    const series = Array.from({ length: 7 }, (_, at) => ({ name: `${at}`, values: [1, 2] }));
    const bars = traces(bar({ series })).flatMap(({ x, width }) =>
      x.map((middle) => [middle - width / 2, middle + width / 2]),
    );
    bars.sort(([a], [b]) => a! - b!);
    for (const [index, [left]] of bars.slice(1).entries()) expect(left).toBeGreaterThanOrEqual(bars[index]![1]!);
  });

  it("lies down for long names, unless told not to", () => {
    const categories = [
      "A name that is much longer than there is room for under one of the bars",
      "b",
      "c",
      "d",
      "e",
      "f",
    ];
    const series = [{ name: "s", values: [1, 2, 3, 4, 5, 6] }];
    expect(traces(bar({ categories, series }))[0]).toMatchObject({ orientation: "h" });
    expect(traces(bar({ categories, series, horizontal: false }))[0]).toMatchObject({ orientation: "v" });
    expect(traces(bar())[0]).toMatchObject({ orientation: "v" });
  });

  it("labels bars where there is room", () => {
    expect(annotations(bar({ series: [{ name: "s", values: [1.25, null] }] })).map(({ text }) => text)).toEqual([
      "1.25",
    ]);
    const many = Array.from({ length: 40 }, (_, at) => at);
    const crowded = { categories: many.map(String), series: [{ name: "s", values: many.map((value) => value / 7) }] };
    expect(annotations(bar({ ...crowded, horizontal: false }))).toEqual([]);
    expect(annotations(bar({ ...crowded, horizontal: false, labels: true }))).toHaveLength(40);
    expect(annotations(bar({ labels: false }))).toEqual([]);
  });

  it.each([
    ["exactly where that is short", [1, 2.5, 30], ["1.0", "2.5", "30.0"]],
    ["to three figures", [12.3456, 7.8912], ["12.3", "7.9"]],
    ["with a true minus", [-5, 3], ["\u22125", "3"]],
    ["never a value as zero that is not", [87.5, 0.04], ["87.50", "0.04"]],
    ["noise as zero", [1, 1e-17], ["1", "0"]],
  ])("writes values %s", (_, values, texts) => {
    expect(
      annotations(bar({ categories: values.map(String), series: [{ name: "s", values }] })).map(({ text }) => text),
    ).toEqual(texts);
  });

  it("has low and high in its table where there are intervals", () => {
    expect(bar().table).toEqual({
      columns: ["category", "series", "value"],
      rows: [
        ["a", "s", 1],
        ["b", "s", 2],
      ],
    });
    const { table } = bar({ series: [{ name: "s", values: [1, null], intervals: [[0, 2], null] }] });
    expect(table).toEqual({
      columns: ["category", "series", "value", "low", "high"],
      rows: [
        ["a", "s", 1, 0, 2],
        ["b", "s", null, null, null],
      ],
    });
  });
});

describe("lineFigure", () => {
  it("tells series apart by colour, dash and marker", () => {
    const series = Array.from({ length: 8 }, (_, at) => ({ name: `${at}`, x: [1, 2], y: [at, at] }));
    const drawn = traces(line({ series }));
    for (const styles of [
      drawn.map((t) => t.line.color),
      drawn.map((t) => t.line.dash),
      drawn.map((t) => t.marker.symbol),
    ]) {
      expect(new Set(styles).size).toBe(8);
    }
  });

  it("has ticks at the data where these are few whole numbers", () => {
    const series = [{ name: "s", x: [512, 1024, 4096], y: [1, 2, 3] }];
    expect(axis(line({ series, xScale: "log" }), "xaxis").ticktext).toEqual(["512", "1024", "4096"]);
    expect(axis(line({ series: [{ name: "s", x: [1, 2, 300], y: [1, 2, 3] }] }), "xaxis").tickvals).toBeUndefined();
    expect(axis(line({ series, connect: false }), "xaxis").tickvals).toBeUndefined();
  });

  it("has plain ticks on a long logarithmic axis", () => {
    const x = Array.from({ length: 300 }, (_, at) => at + 1);
    const figure = line({ series: [{ name: "s", x, y: x }], xScale: "log" });
    expect(axis(figure, "xaxis").ticktext).toEqual(["1", "2", "5", "10", "20", "50", "100", "200"]);
  });

  it("draws intervals as whiskers or as one band around the line", () => {
    const series = [{ name: "s", x: [1, 2], y: [3, 4], intervals: [[2, 5] as const, [1, 6] as const] }];
    expect(traces(line({ series }))[0]!.error_y).toMatchObject({ array: [2, 2], arrayminus: [1, 3] });
    const [band, curve] = traces(line({ series, uncertainty: "band" }));
    expect(band).toMatchObject({ x: [1, 2, 2, 1], y: [5, 6, 1, 2], fill: "toself", showlegend: false });
    expect(curve!.error_y).toBeUndefined();
  });

  it("shows all of the intervals, and zero where asked", () => {
    const series = [{ name: "s", x: [1, 2], y: [30, 40], intervals: [[20, 35] as const, [30, 70] as const] }];
    const [from, to] = axis(line({ series }), "yaxis").range;
    expect([from < 20, from > 0, to > 70]).toEqual([true, true, true]);
    expect(axis(line({ series, fromZero: true }), "yaxis").range[0]).toBe(0);
    expect(axis(line({ series: [{ name: "s", x: [1], y: [-1] }], fromZero: true }), "yaxis").range[0]).toBeLessThan(-1);
  });

  it("shades regions within its range, with their names above the data", () => {
    const series = [{ name: "s", x: [1, 5], y: [10, 90] }];
    const plain = axis(line({ series }), "yaxis").range;
    const figure = line({
      series,
      regions: [
        { name: "a <b>", from: -9, to: 3 },
        { name: "out", from: 50, to: 60 },
      ],
    });
    const shapes = figure.spec.layout.shapes as { x0: number; x1: number; layer: string }[];
    expect(shapes).toHaveLength(1);
    expect(shapes[0]).toMatchObject({ x0: axis(figure, "xaxis").range[0], x1: 3, layer: "below" });
    expect(annotations(figure).map(({ text }) => text)).toEqual(["a &lt;b&gt;"]);
    expect(axis(figure, "yaxis").range[1]).toBeGreaterThan(plain[1]);
    const log = line({ series, xScale: "log", regions: [{ name: "r", from: 2, to: 4 }] });
    expect(log.spec.layout.shapes).toMatchObject([{ x0: 2, x1: 4 }].map((each) => expect.objectContaining(each)));
    expect((log.spec.layout.annotations as { x: number }[])[0]!.x).toBeCloseTo(Math.log10(8) / 2, 9);
    expect(() => line({ regions: [{ name: "r", from: 3, to: 2 }] })).toThrow(/region "r" is from 3 to 2/);
  });

  it("draws a single point in the middle of its axes", () => {
    const figure = line({ series: [{ name: "s", x: [3], y: [0] }] });
    expect(axis(figure, "xaxis").range[0]).toBeLessThan(3);
    expect(axis(figure, "xaxis").range[1]).toBeGreaterThan(3);
    expect(axis(figure, "yaxis").range).toEqual([-1, 1]);
  });
});

describe("heatmapFigure", () => {
  interface Shape {
    fillcolor: string;
    x0: number;
    y0: number;
  }
  const shapes = (figure: Figure) => figure.spec.layout.shapes as Shape[];
  const luminance = (colour: string) => {
    const channels = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16) / 255);
    const [red, green, blue] = channels.map((share) =>
      share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };

  it("has a cell for each value, lighter for a larger one, none where it is missing", () => {
    const values = [Array.from({ length: 21 }, (_, at) => at / 20)];
    const columns = values[0]!.map(String);
    const cells = shapes(heatmap({ columns, values }));
    const lightness = cells.map(({ fillcolor }) => luminance(fillcolor));
    expect(lightness).toEqual(lightness.toSorted((a, b) => a - b));
    expect(cells[0]!.fillcolor.toLowerCase()).toBe("#440154");
    expect(cells.at(-1)!.fillcolor.toLowerCase()).toBe("#fde725");
    expect(shapes(heatmap({ values: [[1, null]] }))).toHaveLength(1);
  });

  it("writes values in a colour of enough contrast (WCAG: 4.5 to 1)", () => {
    const values = [Array.from({ length: 15 }, (_, at) => at)];
    const figure = heatmap({ columns: values[0]!.map(String), values });
    const colours = (figure.spec.data[0] as { textfont: { color: string[] } }).textfont.color;
    for (const [index, { fillcolor }] of shapes(figure).entries()) {
      const [light, dark] = [luminance(fillcolor), luminance(colours[index]!)].toSorted((a, b) => b - a);
      expect((light! + 0.05) / (dark! + 0.05)).toBeGreaterThan(4.5);
    }
  });

  it("leaves values out where they do not fit their cells", () => {
    const columns = Array.from({ length: 40 }, (_, at) => `${at}`);
    expect(traces(heatmap({ columns, values: [columns.map((_, at) => at / 3)] }))[0]!.mode).toBe("markers");
    expect(traces(heatmap())[0]!.mode).toBe("markers+text");
  });

  it("draws equal values in the middle of the scale", () => {
    expect(shapes(heatmap({ values: [[5, 5]] }))[0]!.fillcolor).toBe("#21918c");
  });

  it("has one row of the table for each cell", () => {
    expect(heatmap({ values: [[1, null]] }).table).toEqual({
      columns: ["row", "column", "value"],
      rows: [
        ["r", "c", 1],
        ["r", "d", null],
      ],
    });
  });
});

describe("comparisonFigure", () => {
  it("has a heading above the methods of a group, and a place for it", () => {
    const grouped = [
      { name: "one", values: [1], group: "A & B" },
      { name: "two", values: [2], group: "A & B" },
      { name: "three", values: [3], group: "C" },
    ];
    const figure = comparison({ benchmarks: [{ name: "b" }], methods: grouped });
    expect((figure.spec.data[0] as { y: number[] }).y).toEqual([1, 2, 4]);
    const texts = figure.spec.layout.annotations as { text: string; y: number }[];
    expect(texts.filter(({ text }) => /A|C/.test(text)).map(({ text, y }) => [text, y])).toEqual([
      ["<b>A &amp; B</b>", 0],
      ["<b>C</b>", 3],
    ]);
  });

  const methods = [
    { name: "one", values: [10, 5] },
    { name: "two", values: [20, 3], own: true },
    { name: "three", values: [20, null] },
  ];
  const benchmarks = [{ name: "accuracy" }, { name: "tokens", better: "lower" as const }];

  it("marks the best of each benchmark, ties too, by its direction", () => {
    const bold = annotations(comparison({ benchmarks, methods }))
      .map(({ text }) => text)
      .filter((text) => text.startsWith("<b>"));
    expect(bold).toEqual(["<b>accuracy</b>", "<b>20</b>", "<b>20</b>", "<b>tokens \u2193</b>", "<b>3</b>"]);
  });

  it("draws own methods differently in colour and in shape", () => {
    const { marker } = traces(comparison({ benchmarks, methods }))[0]! as unknown as {
      marker: { color: string[]; symbol: string[] };
    };
    expect(marker.color[0]).toBe(marker.color[2]);
    expect(marker.color[1]).not.toBe(marker.color[0]);
    expect(marker.symbol).toEqual(["circle", "diamond", "circle"]);
  });

  it("has a scale for each benchmark that shows all of its values", () => {
    const figure = comparison({ benchmarks, methods });
    const [[low, high], [from, to]] = [axis(figure, "xaxis").range, axis(figure, "xaxis2").range];
    expect([low < 10, high > 20, from < 3, to > 5, to < 10]).toEqual([true, true, true, true, true]);
  });

  it("puts more benchmarks than fit into several rows", () => {
    const names = Array.from({ length: 6 }, (_, at) => ({ name: `benchmark ${at}` }));
    const rows = comparison({ benchmarks: names, methods: [{ name: "m", values: [1, 2, 3, 4, 5, 6] }] });
    const one = comparison({ benchmarks: names.slice(0, 3), methods: [{ name: "m", values: [1, 2, 3] }] });
    expect(rows.spec.layout.height).toBeGreaterThan(one.spec.layout.height + 60);
  });

  it("has one row of the table for each value", () => {
    expect(comparison({ benchmarks, methods }).table.rows).toEqual([
      ["accuracy", "one", 10],
      ["accuracy", "two", 20],
      ["accuracy", "three", 20],
      ["tokens", "one", 5],
      ["tokens", "two", 3],
      ["tokens", "three", null],
    ]);
  });
});

describe("importanceFigure", () => {
  const steps = [
    { text: "short", question: 1, solution: 10, importance: 2, kept: true },
    { text: "long ".repeat(200), question: 2, solution: 30, importance: 3, kept: false },
    { text: "middle", question: 3, solution: 20, importance: 2.5, kept: false },
  ];
  const figure = (changes = {}) => importanceFigure({ ...common, steps, ...changes });
  const labels = (found: Figure) =>
    found.spec.layout.annotations as { text: string; y: number; font: { color: string } }[];

  it("gives each column the whole colour scale", () => {
    const shapes = figure().spec.layout.shapes as { x0: number; y0: number; fillcolor: string }[];
    const colour = (row: number, column: number) =>
      shapes.find(({ x0, y0 }) => x0 === column - 0.5 && y0 === row - 0.5)!.fillcolor;
    expect([0, 1, 2].map((column) => colour(0, column))).toEqual(Array(3).fill("#440154"));
    expect([colour(2, 0), colour(1, 1), colour(1, 2)]).toEqual(Array(3).fill("#fde725"));
    expect(colour(1, 0)).toBe(colour(2, 1));
  });

  it("marks the steps that are kept, and shortens what has no room", () => {
    const found = labels(figure());
    expect(found.filter(({ text }) => text === "●").map(({ y }) => y)).toEqual([0]);
    const [first, second] = [0, 1].map((row) => found.filter(({ y }) => y === row).at(-1)!);
    expect(first!.text).toBe("short");
    expect(second!.text).toMatch(/^long .*…$/);
    expect(first!.font.color).not.toBe(second!.font.color);
    const unmarked = labels(figure({ steps: steps.map(({ kept: _, ...step }) => step) }));
    expect(new Set(unmarked.map(({ font }) => font.color)).size).toBe(1);
    expect(unmarked.some(({ text }) => text === "●")).toBe(false);
  });

  it("has the whole texts in its table", () => {
    expect(figure().table).toEqual({
      columns: ["step", "kept", "question", "solution", "importance", "text"],
      rows: steps.map(({ text, kept, question, solution, importance }, at) => {
        return [at, kept, question, solution, importance, text];
      }),
    });
  });

  it("refuses no steps and what is not finite", () => {
    expect(() => figure({ steps: [] })).toThrow(/no steps/);
    expect(() => figure({ steps: [{ ...steps[0]!, solution: Number.NaN }] })).toThrow(
      /row "0", column "solution" is NaN/,
    );
  });
});
