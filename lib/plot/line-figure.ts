import { badInput, checkEstimate, checkEstimates, checkName, checkSeries } from "./check.js";
import type { Figure, FigureOptions } from "./figure.js";
import { type Estimate, errorBars, estimates, estimateTable, type Interval, shownNumbers } from "./intervals.js";
import { extremes, paddedRange } from "./numbers.js";
import { axis, baseLayout, legendName, seriesStyle, WIDTH } from "./style.js";
import { chooseTicks } from "./ticks.js";

export interface LineSeries {
  name: string;
  x: readonly number[];
  y: readonly number[];
  /** One for each point: [low, high] around y. Default: none. */
  intervals?: readonly (Interval | null)[];
}

export interface LineFigureOptions extends FigureOptions {
  /** At most eight. */
  series: readonly LineSeries[];
  xTitle: string;
  yTitle: string;
  /** Default: "linear". */
  xScale?: "linear" | "log";
  /** How intervals are drawn: a whisker at each point, or a band along the line. Default: "bars". */
  uncertainty?: "bars" | "band";
  /** Join each series' points by a line; false for a scatter plot. Default: true. */
  connect?: boolean;
  /** Make the y axis hold zero. Default: false. */
  fromZero?: boolean;
}

interface Line {
  name: string;
  x: number[];
  points: Estimate[];
}

/** More points than this are a curve: not every one gets a marker. */
const MAX_MARKERS = 20;
/** About what the y axis with its ticks and title takes from the figure's width. */
const AXIS_ROOM = 100;

/**
 * Series of points, joined by lines, with intervals as whiskers or bands. Series differ in colour, marker and dash.
 * Table: series, x, y, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, a value is
 * outside of its interval, joined points are not in the order of x, or x ≤ 0 on a logarithmic axis
 */
export function lineFigure(options: LineFigureOptions): Figure {
  checkLines(options);
  const { name, title, series, connect = true, fromZero = false, width = WIDTH } = options;
  const lines = series.map(({ name: lineName, x, y, intervals }): Line => {
    return { name: lineName, x: [...x], points: estimates(y, intervals) };
  });
  const isLog = options.xScale === "log";
  const xs = [...new Set(lines.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const xRange = paddedRange(isLog ? xs.map(Math.log10) : xs, 0.04);
  const ys = [...lines.flatMap(({ points }) => shownNumbers(points)), ...(fromZero ? [0] : [])];
  const yRange = paddedRange(ys, 0.06);
  if (fromZero && extremes(ys)[0] === 0) yRange[0] = 0;

  const isBand = options.uncertainty === "band";
  const bands = isBand ? lines.flatMap(bandTrace) : [];
  const traces = lines.map((line, index) => ({
    ...lineTrace(line, index, connect, lines.length === 1),
    ...(isBand ? {} : errorBars("y", line.points, seriesStyle(index).outline)),
  }));
  const layout = baseLayout(options, series.length > 1, {
    xaxis: axis(
      options.xTitle,
      {
        type: isLog ? "log" : "linear",
        range: xRange,
        ...chooseTicks(connect ? xs : [], { isLog, range: xRange, pixels: width - AXIS_ROOM }),
      },
      width,
    ),
    yaxis: axis(options.yTitle, { range: yRange }),
  });
  const table = estimateTable(
    ["series", "x", "y"],
    lines.flatMap(({ name: line, x, points }) => points.map((point, at) => ({ keys: [line, x[at]!], ...point }))),
  );
  return { name, title, spec: { data: [...bands, ...traces], layout }, table };
}

function checkLines({ name, series, xScale, connect = true }: LineFigureOptions): void {
  checkName(name);
  checkSeries(series);
  for (const { name: seriesName, x, y, intervals } of series) {
    const owner = `series "${seriesName}"`;
    if (x.length === 0) throw badInput(`${owner}: no points, expected at least one`, "Leave it out.");
    const places = x.map((value) => `x = ${value}`);
    checkEstimates(owner, { values: y, ...(intervals ? { intervals } : {}) }, places);
    for (const [index, value] of x.entries()) {
      const what = `${owner}, x ${index}`;
      checkEstimate(what, { value, interval: null });
      if (xScale === "log" && value <= 0) {
        throw badInput(`${what} is ${value}, expected more than 0 on a logarithmic axis`, "Use a linear one.");
      }
      if (connect && index > 0 && value < x[index - 1]!) {
        throw badInput(`${what} is ${value}, less than the one before it`, "Sort the points by x.");
      }
    }
  }
}

function lineTrace({ name, x, points }: Line, index: number, connect: boolean, isAlone: boolean): object {
  const { colour, outline, marker, dash } = seriesStyle(index);
  // A long curve has a few markers, to be told from the others, and none if it is alone.
  const isCurve = connect && x.length > MAX_MARKERS;
  return {
    type: "scatter",
    mode: isCurve && isAlone ? "lines" : connect ? "lines+markers" : "markers",
    name: legendName(name),
    x,
    y: points.map(({ value }) => value),
    line: { color: colour, width: 2.2, dash },
    marker: {
      symbol: marker,
      size: 8,
      color: colour,
      line: { color: outline, width: 1 },
      maxdisplayed: isCurve ? MAX_MARKERS / 2 : 0,
    },
    cliponaxis: false,
  };
}

/** The area between the intervals' ends, as one closed outline. */
function bandTrace({ x, points }: Line, index: number): object[] {
  const inside = points.flatMap(({ interval }, at) =>
    interval ? [{ x: x[at]!, low: interval[0], high: interval[1] }] : [],
  );
  if (inside.length === 0) return [];
  const back = inside.toReversed();
  return [
    {
      type: "scatter",
      mode: "lines",
      x: [...inside.map((point) => point.x), ...back.map((point) => point.x)],
      y: [...inside.map(({ high }) => high), ...back.map(({ low }) => low)],
      line: { width: 0 },
      fill: "toself",
      fillcolor: `${seriesStyle(index).colour}2B`,
      showlegend: false,
      hoverinfo: "skip",
    },
  ];
}
