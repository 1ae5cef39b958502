import { checkAxisTitle, checkEstimates, checkName, checkNames, checkSeries } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { barMarker, barSlot } from "../parts/grouped-bars.js";
import { type Estimate, errorBars, estimates, estimateTable, type Interval, shownNumbers } from "../parts/intervals.js";
import { methodStyles } from "../style/method-style.js";
import { decimalsFor, extremes, formatNumber } from "../style/numbers.js";
import {
  axis,
  baseLayout,
  COLOURS,
  HEIGHT,
  headHeight,
  legendName,
  nameTicks,
  plainText,
  SIZES,
  WIDTH,
} from "../style/style.js";
import { textWidth, wrapText } from "../style/text-width.js";

export interface BarSeries {
  name: string;
  /** One value per category; null where it is missing. */
  values: readonly (number | null)[];
  /** One interval per category: [low, high] in the values' units. Default: no error bars. */
  intervals?: readonly (Interval | null)[];
}

export interface BarFigureOptions extends FigureOptions {
  categories: readonly string[];
  /** The series, at most eight. */
  series: readonly BarSeries[];
  /** Title of the value axis, with its unit. */
  valueTitle: string;
  categoryTitle?: string;
  /** Draw horizontal bars. Default: only if the categories' names do not fit under vertical bars. */
  horizontal?: boolean;
  /** Write each value at the end of its bar. Default: if there is room. */
  labels?: boolean;
}

interface Bar extends Estimate {
  /** Where its middle stands on the category axis, on which categories are 1 apart. */
  position: number;
  /** The value as text; empty where there is none. */
  label: string;
}

interface BarGroup {
  name: string;
  bars: Bar[];
  /** Width of each bar on the category axis. */
  width: number;
}

const LABEL_FONT = { size: SIZES.label };
/** Keeps the lines of the grid out of the values. */
const LABEL_GROUND = "rgba(255,255,255,0.85)";
const NAME_FONT = { size: SIZES.tick };
const MAX_NAME_LINES = 3;
const MAX_NAME_WIDTH = 220;
/** About what the value axis with its ticks and titles takes from the figure's width or height. */
const AXIS_ROOM = 80;
const LEGEND_ROOM = 30;

/** What the bars of a category take of its room. */
const groupWidth = (seriesCount: number): number => (seriesCount > 1 ? 0.82 : 0.6);

/**
 * Draw categories × series as grouped bars, with error bars where there are intervals. The value axis always includes
 * zero. Table: category, series, value, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, or a value is
 * outside of its interval
 *
 * @example
 * ```ts
 * import { barFigure, exportFigure } from "thoughtbook/plot";
 *
 * const figure = barFigure({
 *   name: "accuracy",
 *   title: "Accuracy of two strategies",
 *   categories: ["2 operations", "3 operations"],
 *   series: [
 *     { name: "direct", values: [41, 23] },
 *     { name: "step by step", values: [80, 56], intervals: [[78, 82], [53, 59]] },
 *   ],
 *   valueTitle: "accuracy (%)",
 * });
 * console.log(await exportFigure(figure, "figures"));
 * ```
 */
export function barFigure(options: BarFigureOptions): Figure {
  checkBars(options);
  const { name, title, categories, series, valueTitle, categoryTitle, width = WIDTH } = options;
  const decimals = decimalsFor(series.flatMap(({ values }) => values.flatMap((value) => value ?? [])));
  const groups = series.map((one, index): BarGroup => {
    const slot = barSlot(index, series.length, groupWidth(series.length));
    const bars = estimates(one.values, one.intervals).map((estimate, at): Bar => {
      const label = estimate.value === null ? "" : formatNumber(estimate.value, decimals);
      return { ...estimate, position: at + slot.offset, label };
    });
    return { name: one.name, bars, width: slot.width };
  });
  const bars = groups.flatMap((group) => group.bars);
  const { horizontal, names, height, labelled, labelShare } = planBars(
    options,
    bars.map(({ label }) => label),
  );

  const range = valueRange(bars, labelShare);
  const valueAxis = { range, zeroline: range[0] < 0, zerolinecolor: COLOURS.axis };
  const ends = [-0.5, categories.length - 0.5];
  const categoryAxis = { ...nameTicks(names), range: horizontal ? ends.reverse() : ends };
  const styles = methodStyles(series.map((one) => one.name));
  const layout = baseLayout({ ...options, height }, series.length > 1, {
    barmode: "overlay",
    xaxis: horizontal ? axis(valueTitle, valueAxis, width) : axis(categoryTitle, categoryAxis, width),
    yaxis: horizontal ? axis(categoryTitle, categoryAxis) : axis(valueTitle, valueAxis),
    annotations: labelled ? bars.flatMap((bar) => barLabel(bar, horizontal)) : [],
  });
  const data = groups.map((group, index) => {
    return barTrace(group, barMarker(styles.get(group.name)!, index), categories, horizontal);
  });
  const table = estimateTable(
    ["category", "series", "value"],
    groups.flatMap((group) => group.bars.map((bar, at) => ({ keys: [categories[at]!, group.name], ...bar }))),
  );
  return { name, title, spec: { data, layout }, table };
}

function checkBars({ name, categories, series, valueTitle }: BarFigureOptions): void {
  checkAxisTitle(valueTitle);
  checkName(name);
  checkNames("categories", categories);
  checkSeries(series);
  for (const one of series) checkEstimates(`series "${one.name}"`, one, categories);
}

interface BarPlan {
  horizontal: boolean;
  /** Categories, wrapped. */
  names: string[][];
  height: number;
  labelled: boolean;
  /** Share of the value axis to leave free beyond the longest bar. */
  labelShare: number;
}

/** Decide what depends on how much room there is. */
function planBars(options: BarFigureOptions, labels: readonly string[]): BarPlan {
  const { categories, series, width = WIDTH } = options;
  const slotWidth = (width - AXIS_ROOM) / categories.length;
  const nameWidth = 0.92 * slotWidth;
  const horizontal = options.horizontal ?? !namesFit(categories, nameWidth);
  const names = categories.map((category) => wrapText(category, horizontal ? MAX_NAME_WIDTH : nameWidth, NAME_FONT));
  const namesWidth = Math.max(...names.flat().map((line) => textWidth(line, NAME_FONT)));

  const ends = headHeight(options, width) + (series.length > 1 ? LEGEND_ROOM : 0) + AXIS_ROOM;
  const row = Math.max(20 * series.length + 10, 16 * Math.max(...names.map((lines) => lines.length)) + 10, 34);
  const { height = horizontal ? Math.round(ends + row * categories.length) : HEIGHT } = options;
  const slot = horizontal ? (height - ends) / categories.length : slotWidth;
  const thickness = (slot * groupWidth(series.length)) / series.length;

  const labelWidth = Math.max(...labels.map((text) => textWidth(text, LABEL_FONT)));
  const labelled = options.labels ?? thickness >= (horizontal ? 1.1 * SIZES.label : labelWidth);
  const axisLength = horizontal ? width - namesWidth - AXIS_ROOM : height - ends;
  const labelLength = (horizontal ? labelWidth : 1.3 * SIZES.label) + 8;
  return { horizontal, names, height, labelled, labelShare: labelled ? labelLength / axisLength : 0.04 };
}

/** Whether names can stand side by side, each wrapped into `room` pixels without breaking a word. */
function namesFit(names: readonly string[], room: number): boolean {
  const wordsFit = names.every((name) => name.split(/\s+/).every((word) => textWidth(word, NAME_FONT) <= room));
  return wordsFit && names.every((name) => wrapText(name, room, NAME_FONT).length <= MAX_NAME_LINES);
}

function valueRange(bars: readonly Bar[], labelShare: number): [low: number, high: number] {
  const [low, high] = extremes([0, ...shownNumbers(bars)]);
  if (low === high) return [0, 1];
  const pad = ((high - low) * labelShare) / (1 - labelShare);
  return [low < 0 ? low - pad : 0, high > 0 ? high + pad : 0];
}

function barTrace(
  { name, bars, width }: BarGroup,
  marker: object,
  categories: readonly string[],
  horizontal: boolean,
): object {
  const [across, along] = horizontal ? (["y", "x"] as const) : (["x", "y"] as const);
  return {
    type: "bar",
    orientation: horizontal ? "h" : "v",
    name: legendName(name),
    [across]: bars.map(({ position }) => position),
    [along]: bars.map(({ value }) => value),
    width,
    marker,
    ...errorBars(along, bars, COLOURS.text),
    customdata: categories.map(plainText),
    hovertemplate: `%{customdata}: %{${along}}`,
  };
}

/** A value as text just beyond the end of its bar or interval. */
function barLabel({ value, interval, position, label }: Bar, horizontal: boolean): object[] {
  if (value === null) return [];
  const isDown = value < 0;
  const end = interval?.[isDown ? 0 : 1] ?? value;
  const place = horizontal
    ? { x: end, y: position, xanchor: isDown ? "right" : "left", xshift: isDown ? -3 : 3 }
    : { x: position, y: end, yanchor: isDown ? "top" : "bottom" };
  return [{ ...place, text: label, font: LABEL_FONT, bgcolor: LABEL_GROUND, borderpad: 0, showarrow: false }];
}
