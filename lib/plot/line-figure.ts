import { badInput, checkEstimate, checkLength, checkName, checkSeries } from "./check.js";
import type { Figure, FigureOptions } from "./figure.js";
import { type Estimate, errorBars, estimates, type Interval, shownNumbers } from "./intervals.js";
import { paddedRange } from "./numbers.js";
import { axis, baseLayout, plainText, SIZES, seriesStyle, WIDTH } from "./style.js";
import { textWidth } from "./text-width.js";

export interface LineSeries {
  name: string;
  x: readonly number[];
  y: readonly number[];
  /** [low, high] around each y. Default: none. */
  intervals?: readonly Interval[];
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

/** More points than this are a curve: not every one gets a marker. */
const MAX_MARKERS = 20;
const MAX_TICKS = 12;

/**
 * Series of points, joined by lines, with intervals as whiskers or bands. Series differ in colour, marker and dash.
 * Table: series, x, y, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, a value is
 * outside of its interval, joined points are not in the order of x, or x ≤ 0 on a logarithmic axis
 */
export function lineFigure(options: LineFigureOptions): Figure {
  checkLines(options);
  const { name, title, series, xTitle, yTitle, xScale = "linear", fromZero = false, width = WIDTH } = options;
  const lines = series.map((one) => ({ ...one, points: estimates(one.y, one.intervals) }));
  const scale = xScale === "log" ? Math.log10 : (x: number) => x;
  const xs = [...new Set(series.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const xRange = paddedRange(xs.map(scale), 0.04);
  const ys = [...lines.flatMap(({ points }) => shownNumbers(points)), ...(fromZero ? [0] : [])];
  const yRange = paddedRange(ys, 0.06);
  if (fromZero && Math.min(...ys) === 0) yRange[0] = 0;

  const isBand = options.uncertainty === "band";
  const bands = isBand ? lines.flatMap(({ x, points }, index) => bandTrace(x, points, index)) : [];
  const data = [...bands, ...lines.map((line, index) => lineTrace(line, index, !isBand, options.connect ?? true))];
  const layout = baseLayout(options, series.length > 1, {
    xaxis: axis(xTitle, { type: xScale, range: xRange, ...ticksAt(xs, scale, xRange, width - 100) }),
    yaxis: axis(yTitle, { range: yRange }),
  });
  return { name, title, spec: { data, layout }, table: lineTable(series) };
}

function checkLines({ name, series, xScale, connect = true }: LineFigureOptions): void {
  checkName(name);
  checkSeries(series);
  for (const { name: seriesName, x, y, intervals } of series) {
    const what = `series "${seriesName}"`;
    if (x.length === 0) throw badInput(`${what}: no points, expected at least one`, "Leave it out.");
    checkLength(`${what}: y`, y, x.length);
    if (intervals) checkLength(`${what}: intervals`, intervals, x.length);
    for (const [index, point] of estimates(y, intervals).entries()) {
      checkEstimate(`${what}, x ${index}`, { value: x[index]!, interval: null });
      checkEstimate(`${what}, y ${index}`, point);
      if (xScale === "log" && x[index]! <= 0) {
        throw badInput(`${what}, x ${index} is ${x[index]}, expected more than 0 on a logarithmic axis`, "Use a linear one.");
      }
      if (connect && index > 0 && x[index]! < x[index - 1]!) {
        throw badInput(`${what}, x ${index} is ${x[index]}, less than the one before it`, "Sort the points by x.");
      }
    }
  }
}

function lineTrace(
  { name, x, points }: LineSeries & { points: Estimate[] },
  index: number,
  whiskers: boolean,
  connect: boolean,
): object {
  const { colour, outline, marker, dash } = seriesStyle(index);
  return {
    type: "scatter",
    mode: connect ? "lines+markers" : "markers",
    name: plainText(name),
    x: [...x],
    y: points.map(({ value }) => value),
    line: { color: colour, width: 2.2, dash },
    marker: {
      symbol: marker,
      size: 8,
      color: colour,
      line: { color: outline, width: 1 },
      maxdisplayed: connect && x.length > MAX_MARKERS ? MAX_MARKERS / 2 : 0,
    },
    ...(whiskers ? errorBars("y", points, outline) : {}),
    cliponaxis: false,
  };
}

/** The area between the intervals' ends, as one closed outline. */
function bandTrace(x: readonly number[], points: readonly Estimate[], index: number): object[] {
  const inside = points.flatMap(({ interval }, at) => (interval ? [{ x: x[at]!, low: interval[0], high: interval[1] }] : []));
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

/** Ticks where the data are, if those are few and their labels have room; else Plotly's own. */
function ticksAt(
  xs: readonly number[],
  scale: (x: number) => number,
  [low, high]: readonly [number, number],
  pixels: number,
): object {
  const labels = xs.map((x) => String(Number(x.toPrecision(6))));
  const ends = xs.map((x, at) => {
    const middle = ((scale(x) - low) / (high - low)) * pixels;
    const half = textWidth(labels[at]!, { size: SIZES.tick }) / 2;
    return { left: middle - half, right: middle + half };
  });
  const apart = ends.every(({ left }, at) => at === 0 || left - ends[at - 1]!.right >= 8);
  return xs.length <= MAX_TICKS && apart ? { tickvals: [...xs], ticktext: labels } : {};
}

function lineTable(series: readonly LineSeries[]): Figure["table"] {
  const hasIntervals = series.some(({ intervals }) => intervals);
  const rows = series.flatMap(({ name, x, y, intervals = [] }) =>
    x.map((value, at) => {
      const [low = null, high = null] = intervals[at] ?? [];
      return [name, value, y[at]!, ...(hasIntervals ? [low, high] : [])];
    }),
  );
  return { columns: ["series", "x", "y", ...(hasIntervals ? ["low", "high"] : [])], rows };
}
