import { badInput } from "../../core/index.js";
import { checkEstimate, checkEstimates } from "../check.js";
import { markerOf } from "../style/marks.js";
import { extremes, paddedRange } from "../style/numbers.js";
import { COLOURS, legendName, plainText, type SeriesStyle, SIZES } from "../style/style.js";
import { textWidth } from "../style/text-width.js";
import { type Estimate, errorBars, estimates, type Interval, shownNumbers } from "./intervals.js";

export interface LineSeries {
  name: string;
  x: readonly number[];
  y: readonly number[];
  /** One for each point: [low, high] around y. Default: none. */
  intervals?: readonly (Interval | null)[];
}

/** How series of points are drawn, whatever the figure. */
export interface LineOptions {
  xTitle: string;
  yTitle: string;
  /** Default: "linear". */
  xScale?: "linear" | "log";
  /** How intervals are drawn: a whisker at each point, or a band along the line. Default: "bars". */
  uncertainty?: "bars" | "band";
  /** Make the y axis hold zero. Default: false. */
  fromZero?: boolean;
}

/** A marked part of the x axis: "trained on", or a phase. */
export interface Region {
  name: string;
  from: number;
  to: number;
}

export interface Line {
  name: string;
  x: number[];
  points: Estimate[];
  style: SeriesStyle;
}

/** More points than this are a curve: not every one gets a marker. */
const MAX_MARKERS = 20;
const REGION_FONT = { size: SIZES.label, color: COLOURS.muted };
/** Tints of neighbouring regions. */
const REGION_FILLS = ["#DDE7EF", "#F1EBDD"];
/** What regions' names take of the y axis, at its upper end. */
const REGION_STRIP = 0.1;
/** The same where there may be names on two lines. */
const REGION_STRIPS = 0.17;
const MANY_REGIONS = 4;
const REGION_LINE = 15;
const REGION_GAP = 6;

export function lineOf({ name, x, y, intervals }: LineSeries, style: SeriesStyle): Line {
  return { name, style, x: [...x], points: estimates(y, intervals) };
}

/** Throws bad-input unless a series has points, all right, and with `isSorted` in the order of x. */
export function checkLine(
  { name, x, y, intervals }: LineSeries,
  { isLog, isSorted }: { isLog: boolean; isSorted: boolean },
): void {
  const owner = `series "${name}"`;
  if (x.length === 0) throw badInput(`${owner}: no points, expected at least one`, "Leave it out.");
  const places = x.map((value) => `x = ${value}`);
  checkEstimates(owner, { values: y, ...(intervals ? { intervals } : {}) }, places);
  for (const [index, value] of x.entries()) {
    const what = `${owner}, x ${index}`;
    checkEstimate(what, { value, interval: null });
    if (isLog && value <= 0) {
      throw badInput(`${what} is ${value}, expected more than 0 on a logarithmic axis`, "Use a linear one.");
    }
    if (isSorted && index > 0 && value < x[index - 1]!) {
      throw badInput(`${what} is ${value}, less than the one before it`, "Sort the points by x.");
    }
  }
}

/** Throws bad-input unless regions begin before they end. */
export function checkRegions(regions: readonly Region[]): void {
  for (const { name, from, to } of regions) {
    if (Number.isFinite(from) && Number.isFinite(to) && from < to) continue;
    throw badInput(`region "${name}" is from ${from} to ${to}`, "Give finite numbers, the smaller one as `from`.");
  }
}

/** The values of x at which there is a point, in ascending order. */
export function distinctX(lines: readonly { x: readonly number[] }[]): number[] {
  return [...new Set(lines.flatMap(({ x }) => x))].sort((a, b) => a - b);
}

/** The range of an x axis as Plotly has it: of exponents on a logarithmic one. */
export function xRangeOf(xs: readonly number[], isLog: boolean, share = 0.04): [low: number, high: number] {
  return paddedRange(isLog ? xs.map(Math.log10) : xs, share);
}

/** A range of y, as Plotly has it, that holds all points and intervals, and above them a strip for the names of regions. */
export function yRangeOf(
  lines: readonly Line[],
  {
    fromZero = false,
    regions = [],
    isLog = false,
  }: { fromZero?: boolean; regions?: readonly Region[]; isLog?: boolean },
): [low: number, high: number] {
  const shown = lines.flatMap(({ points }) => shownNumbers(points));
  const ys = isLog ? shown.map(Math.log10) : [...shown, ...(fromZero ? [0] : [])];
  const range = paddedRange(ys, 0.06);
  if (!isLog && fromZero && extremes(ys)[0] === 0) range[0] = 0;
  const strip = regions.length >= MANY_REGIONS ? REGION_STRIPS : REGION_STRIP;
  if (regions.length > 0) range[1] += ((range[1] - range[0]) * strip) / (1 - strip);
  return range;
}

/** Trace and whiskers of a line. */
export function lineTrace(
  { name, x, points, style }: Line,
  { connect = true, isAlone = false, whiskers = true }: { connect?: boolean; isAlone?: boolean; whiskers?: boolean },
): object {
  const { colour, outline, dash, width = 2.2 } = style;
  // A long curve has a few markers, to be distinguishable from the others, and none if it is alone.
  const isCurve = connect && x.length > MAX_MARKERS;
  return {
    type: "scatter",
    mode: isCurve && isAlone ? "lines" : connect ? "lines+markers" : "markers",
    name: legendName(name),
    x,
    y: points.map(({ value }) => value),
    line: { color: colour, width, dash },
    marker: { ...markerOf(style, 8), maxdisplayed: isCurve ? MAX_MARKERS / 2 : 0 },
    cliponaxis: false,
    ...(whiskers ? errorBars("y", points, outline) : {}),
  };
}

/** The area between the intervals' ends, as one closed outline. */
export function bandTrace({ x, points, style }: Line): object[] {
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
      fillcolor: `${style.colour}2B`,
      showlegend: false,
      hoverinfo: "skip",
    },
  ];
}

/** Where regions are drawn. */
interface RegionPlace {
  /** The length of the x axis. */
  pixels: number;
  isLog?: boolean;
  /** Whether their names are written. Default: true. */
  named?: boolean;
  xref?: string;
  yref?: string;
}

/** Shapes and names of regions, behind the lines of the panel with these axes; cut off at the range of x. */
export function regionMarks(
  regions: readonly Region[],
  range: readonly [low: number, high: number],
  { pixels, isLog = false, named = true, xref = "x", yref = "y" }: RegionPlace,
): { shapes: object[]; annotations: object[] } {
  const onAxis = (x: number) => (isLog ? Math.log10(x) : x);
  const spans = regions.flatMap(({ name, from, to }, at) => {
    const [x0, x1] = [Math.max(onAxis(from), range[0]), Math.min(onAxis(to), range[1])];
    return x0 < x1 ? [{ name, x0, x1, fillcolor: REGION_FILLS[at % REGION_FILLS.length]! }] : [];
  });
  const isLower = staggered(
    spans.map(({ name, x0, x1 }) => {
      const middle = (((x0 + x1) / 2 - range[0]) / (range[1] - range[0])) * pixels;
      const half = textWidth(name, REGION_FONT) / 2;
      return { left: middle - half, right: middle + half };
    }),
  );
  // A shape on a logarithmic axis is given in numbers, an annotation in exponents.
  const value = (position: number) => (isLog ? 10 ** position : position);
  return {
    shapes: spans.map(({ x0, x1, fillcolor }) => ({
      type: "rect",
      layer: "below",
      xref,
      x0: value(x0),
      x1: value(x1),
      yref: `${yref} domain`,
      y0: 0,
      y1: 1,
      fillcolor,
      line: { width: 0 },
    })),
    annotations: spans.flatMap(({ name, x0, x1 }, at) =>
      named && name.trim() !== ""
        ? [
            {
              text: plainText(name),
              font: REGION_FONT,
              xref,
              x: (x0 + x1) / 2,
              yref: `${yref} domain`,
              y: 0.99,
              yanchor: "top",
              ...(isLower[at] ? { yshift: -REGION_LINE } : {}),
              showarrow: false,
            },
          ]
        : [],
    ),
  };
}

/** Which names stand one line lower, since there is no room beside the one before. */
function staggered(names: readonly { left: number; right: number }[]): boolean[] {
  const ends = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return names.map(({ left, right }) => {
    const line = left - ends[0]! >= REGION_GAP ? 0 : 1;
    ends[line] = right;
    return line === 1;
  });
}
