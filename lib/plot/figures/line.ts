import { checkAxisTitle, checkName, checkSeries } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { estimateTable } from "../parts/intervals.js";
import {
  bandTrace,
  checkLine,
  checkRegions,
  distinctX,
  type LineOptions,
  type LineSeries,
  lineOf,
  lineTrace,
  type Region,
  regionMarks,
  xRangeOf,
  yRangeOf,
} from "../parts/lines.js";
import { chooseTicks } from "../parts/ticks.js";
import { methodStyles } from "../style/method-style.js";
import { axis, baseLayout, WIDTH } from "../style/style.js";

export interface LineFigureOptions extends FigureOptions, LineOptions {
  /** The series, at most eight. */
  series: readonly LineSeries[];
  /** Join each series' points by a line; false for a scatter plot. Default: true. */
  connect?: boolean;
  /** Shaded and named parts of the x axis, such as what a model was trained on. Default: none. */
  regions?: readonly Region[];
}

/** About what the y axis with its ticks and title takes from the figure's width. */
const AXIS_ROOM = 100;

/**
 * Draw series of points, joined by lines, with intervals as whiskers or bands. Series differ in colour, marker and
 * dash; methods have the style of their name.
 * Table: series, x, y, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, a value is
 * outside of its interval, joined points are not in the order of x, x ≤ 0 on a logarithmic axis, or a region ends before
 * it begins
 *
 * @example
 * ```ts
 * import { lineFigure, renderSvg } from "thoughtbook/plot";
 *
 * const figure = lineFigure({
 *   name: "loss",
 *   title: "Training loss",
 *   series: [{ name: "loss", x: [1, 2, 3], y: [2.1, 1.4, 1.2] }],
 *   xTitle: "update",
 *   yTitle: "loss (nats)",
 * });
 * console.log((await renderSvg(figure)).startsWith("<svg")); // true
 * ```
 */
export function lineFigure(options: LineFigureOptions): Figure {
  const { name, title, series, connect = true, regions = [], width = WIDTH } = options;
  const isLog = options.xScale === "log";
  checkName(name);
  checkAxisTitle(options.xTitle);
  checkAxisTitle(options.yTitle);
  checkSeries(series);
  for (const one of series) checkLine(one, { isLog, isSorted: connect });
  checkRegions(regions);

  const styles = methodStyles(series.map((one) => one.name));
  const lines = series.map((one) => lineOf(one, styles.get(one.name)!));
  const xs = distinctX(lines);
  const xRange = xRangeOf(xs, isLog);
  const yRange = yRangeOf(lines, options);
  const isBand = options.uncertainty === "band";
  const bands = isBand ? lines.flatMap(bandTrace) : [];
  const traces = lines.map((line) => lineTrace(line, { connect, isAlone: lines.length === 1, whiskers: !isBand }));
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
    ...(regions.length > 0 ? regionMarks(regions, xRange, { isLog, pixels: width - AXIS_ROOM }) : {}),
  });
  const table = estimateTable(
    ["series", "x", "y"],
    lines.flatMap(({ name: line, x, points }) => points.map((point, at) => ({ keys: [line, x[at]!], ...point }))),
  );
  return { name, title, spec: { data: [...bands, ...traces], layout }, table };
}
