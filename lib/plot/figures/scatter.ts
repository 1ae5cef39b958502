import { checkAxisTitle, checkEstimate, checkName, checkNames } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { type Estimate, errorBars, type Interval, shownNumbers } from "../parts/intervals.js";
import { type LabelledPoint, placeLabels } from "../parts/label-places.js";
import { dashRing, markerOf } from "../style/marks.js";
import { methodStyles } from "../style/method-style.js";
import { extremes, paddedRange } from "../style/numbers.js";
import {
  axis,
  baseLayout,
  COLOURS,
  HEIGHT,
  headHeight,
  plainText,
  type SeriesStyle,
  SIZES,
  textLines,
  WIDTH,
} from "../style/style.js";
import type { Box } from "../style/text-box.js";
import { textWidth, wrapText } from "../style/text-width.js";

export interface ScatterPoint {
  /** Written beside the point. */
  name: string;
  x: number;
  y: number;
  /** [low, high] around x. Default: none. */
  xInterval?: Interval | null;
  yInterval?: Interval | null;
}

export interface ScatterFigureOptions extends FigureOptions {
  /** At most as many as there are styles; methods have the style of their name, as in other figures. */
  points: readonly ScatterPoint[];
  xTitle: string;
  yTitle: string;
  /** Make an axis hold zero. Default: neither. */
  fromZero?: "x" | "y" | "both";
}

const LABEL_FONT = { size: SIZES.subtitle };
/** Width of a name beside its point; longer names are wrapped. */
const LABEL_WIDTH = 185;
const LINE_HEIGHT = 1.3 * LABEL_FONT.size;
const MARGIN = { left: 66, right: 24, bottom: 56 };
const PADDING = 0.08;
const AT_ZERO = 0.025;
/** Keeps lines out of the names. */
const LABEL_GROUND = "rgba(255,255,255,0.75)";

/**
 * One named point for each method, with intervals on both axes: what a method reaches against what it costs. Names stand
 * beside their points, where they cover nothing as far as there is room, with a line where that is not close by.
 * Table: point, x, x_low, x_high, y, y_low, y_high.
 * @throws bad-input if there are no points, names repeat, a number is not finite, or a value is outside of its interval
 */
export function scatterFigure(options: ScatterFigureOptions): Figure {
  const { name, title, points, xTitle, yTitle, fromZero, width = WIDTH, height = HEIGHT } = options;
  checkName(name);
  checkAxisTitle(xTitle);
  checkAxisTitle(yTitle);
  const names = points.map((point) => point.name);
  checkNames("points", names);
  const [xs, ys] = [points.map(estimateOf("x")), points.map(estimateOf("y"))];
  for (const [at, point] of points.entries()) {
    checkEstimate(`point "${point.name}", x`, xs[at]!);
    checkEstimate(`point "${point.name}", y`, ys[at]!);
  }
  const styles = methodStyles(names, { named: true });
  const top = Math.ceil(headHeight(options, width) + 12);
  const size = { width: width - MARGIN.left - MARGIN.right, height: height - top - MARGIN.bottom };
  const ranges = {
    x: rangeOf(xs, fromZero === "x" || fromZero === "both"),
    y: rangeOf(ys, fromZero === "y" || fromZero === "both"),
  };
  const layout = baseLayout({ ...options, height }, false, {
    margin: { l: MARGIN.left, r: MARGIN.right, t: top, b: MARGIN.bottom, pad: 0 },
    xaxis: axis(xTitle, { range: ranges.x, automargin: false }, width),
    yaxis: axis(yTitle, { range: ranges.y, automargin: false }),
    ...labels(names, xs, ys, ranges, size, styles),
  });
  const data = points.map((point, at) => {
    const style = styles.get(point.name)!;
    return {
      type: "scatter",
      mode: "markers",
      name: plainText(point.name),
      x: [point.x],
      y: [point.y],
      marker: markerOf(style, 11),
      ...errorBars("x", [xs[at]!], style.outline),
      ...errorBars("y", [ys[at]!], style.outline),
      cliponaxis: false,
    };
  });
  const ends = ({ value, interval }: Estimate) => [value, interval?.[0] ?? null, interval?.[1] ?? null];
  const table = {
    columns: ["point", "x", "x_low", "x_high", "y", "y_low", "y_high"],
    rows: names.map((point, at) => [point, ...ends(xs[at]!), ...ends(ys[at]!)]),
  };
  return { name, title, spec: { data, layout }, table };
}

const estimateOf =
  (of: "x" | "y") =>
  (point: ScatterPoint): Estimate => ({ value: point[of], interval: point[`${of}Interval`] ?? null });

function rangeOf(shown: readonly Estimate[], holdsZero: boolean): [low: number, high: number] {
  const numbers = [...shownNumbers(shown), ...(holdsZero ? [0] : [])];
  const range = paddedRange(numbers, PADDING);
  // Where something lies at zero, its mark keeps clear of the ticks.
  const isAtZero = shownNumbers(shown).some((value) => value === 0);
  if (holdsZero && extremes(numbers)[0] === 0) range[0] = isAtZero ? -AT_ZERO * range[1] : 0;
  return range;
}

function labels(
  names: readonly string[],
  xs: readonly Estimate[],
  ys: readonly Estimate[],
  ranges: { x: readonly [number, number]; y: readonly [number, number] },
  { width, height }: { width: number; height: number },
  styles: ReadonlyMap<string, SeriesStyle>,
): { annotations: object[]; shapes: object[] } {
  const across = (value: number) => ((value - ranges.x[0]) / (ranges.x[1] - ranges.x[0])) * width;
  const down = (value: number) => (1 - (value - ranges.y[0]) / (ranges.y[1] - ranges.y[0])) * height;
  const lines = names.map((name) => wrapText(name, LABEL_WIDTH, LABEL_FONT));
  const points = lines.map(
    (own, at): LabelledPoint => ({
      x: across(xs[at]!.value!),
      y: down(ys[at]!.value!),
      width: Math.max(...own.map((text) => textWidth(text, LABEL_FONT))),
      height: LINE_HEIGHT * own.length,
    }),
  );
  const whiskers = points.flatMap(({ x, y }, at): Box[] => {
    const [horizontal, vertical] = [xs[at]!.interval?.map(across), ys[at]!.interval?.map(down)];
    return [
      ...(horizontal ? [{ left: horizontal[0]!, right: horizontal[1]!, top: y - 3, bottom: y + 3 }] : []),
      ...(vertical ? [{ left: x - 3, right: x + 3, top: vertical[1]!, bottom: vertical[0]! }] : []),
    ];
  });
  const frame = { left: 2, right: width - 2, top: 2, bottom: height - 2 };
  const places = placeLabels(points, whiskers, frame);
  const leader = { color: COLOURS.muted, width: 0.8 };
  return {
    annotations: places.map(({ x, y }, at) => ({
      text: textLines(lines[at]!),
      font: { size: LABEL_FONT.size, color: styles.get(names[at]!)!.outline },
      xref: "paper",
      x: x / width,
      xanchor: "center",
      yref: "paper",
      y: 1 - y / height,
      yanchor: "middle",
      bgcolor: LABEL_GROUND,
      borderpad: 0,
      showarrow: false,
    })),
    // Plotly's own arrows ask the browser for the length of a path, which a page without one does not know.
    shapes: places.flatMap((place, at) => {
      const ring = dashRing(styles.get(names[at]!)!, { x: xs[at]!.value!, y: ys[at]!.value! });
      if (!place.needsLine) return ring;
      const { from, to } = connection(points[at]!, place);
      const [x0, x1, y0, y1] = [from.x / width, to.x / width, 1 - from.y / height, 1 - to.y / height];
      return [...ring, { type: "line", layer: "below", xref: "paper", yref: "paper", x0, x1, y0, y1, line: leader }];
    }),
  };
}

/** The line from a point's marker to the nearest point of its name. */
function connection(point: LabelledPoint, place: { x: number; y: number }) {
  const nearest = (from: number, middle: number, size: number) =>
    Math.min(middle + size / 2, Math.max(middle - size / 2, from));
  const to = {
    x: nearest(point.x, place.x, point.width),
    y: nearest(point.y, place.y, point.height - 0.55 * LABEL_FONT.size),
  };
  return { from: point, to };
}
