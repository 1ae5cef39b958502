import { checkEstimate, checkLength, checkName, checkNames } from "./check.js";
import type { Figure, FigureOptions } from "./figure.js";
import { type Estimate, errorBars, estimates, type Interval, shownNumbers } from "./intervals.js";
import { decimalsFor, formatNumber, paddedRange } from "./numbers.js";
import { axis, baseLayout, COLOURS, headHeight, plainText, SIZES, seriesStyle, textLines, WIDTH } from "./style.js";
import { textWidth, wrapText } from "./text-width.js";

export interface Benchmark {
  name: string;
  /** Which of two values is the better one. Default: "higher"; "lower" is marked by an arrow. */
  better?: "higher" | "lower";
}

export interface Method {
  name: string;
  /** One for each benchmark; null where there is none. */
  values: readonly (number | null)[];
  /** One for each benchmark: [low, high]. Default: none. */
  intervals?: readonly (Interval | null)[];
  /** Draw the method in colour, to be found at once. Default: false. */
  own?: boolean;
}

export interface ComparisonFigureOptions extends FigureOptions {
  benchmarks: readonly Benchmark[];
  /** From top to bottom; any number. */
  methods: readonly Method[];
}

const NAME_FONT = { size: SIZES.tick };
const VALUE_FONT = { size: SIZES.label, bold: true };
const HEADER_FONT = { size: SIZES.subtitle, bold: true };
const MAX_NAME_WIDTH = 200;
const MIN_PANEL_WIDTH = 130;
const SIDE = 20;
const GAP = 16;
const TICK_ROOM = 34;
const OTHER = "#707070";
const OWN = seriesStyle(0);

/**
 * A table of methods × benchmarks as dots: one small panel for each benchmark with its own scale, since a point on
 * one benchmark is not a point on another, all with the methods in the same order. Each value stands beside its dot,
 * the best of a panel in bold; own methods are coloured.
 * Table: benchmark, method, value, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, a value is
 * outside of its interval, or a benchmark has no values
 */
export function comparisonFigure(options: ComparisonFigureOptions): Figure {
  checkComparison(options);
  const { name, title, benchmarks, methods, width = WIDTH } = options;
  const grid = panelGrid(options, width);
  const layout = baseLayout({ ...options, width, height: options.height ?? grid.height }, false, {
    margin: { l: grid.left, r: SIDE, t: grid.top, b: 0, pad: 0 },
  });
  const panels = benchmarks.map((_, index) => panel(options, index, grid));
  Object.assign(layout, ...panels.map(({ axes }) => axes), ...rowAxes(methods, grid), {
    annotations: panels.flatMap(({ annotations }) => annotations),
    shapes: ownBands(methods, grid),
  });
  return { name, title, spec: { data: panels.map(({ trace }) => trace), layout }, table: comparisonTable(options) };
}
