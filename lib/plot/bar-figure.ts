import { checkEstimate, checkLength, checkName, checkNames, checkSeries } from "./check.js";
import type { Figure, FigureOptions } from "./figure.js";
import { barMarker, barSlot } from "./grouped-bars.js";
import { type Estimate, errorBars, estimates, estimateTable, type Interval, shownNumbers } from "./intervals.js";
import { decimalsFor, extremes, formatNumber } from "./numbers.js";
import { axis, baseLayout, COLOURS, HEIGHT, headHeight, nameAxis, plainText, SIZES, WIDTH } from "./style.js";
import { textWidth, wrapText } from "./text-width.js";

export interface BarSeries {
  name: string;
  /** One for each category; null where there is none. */
  values: readonly (number | null)[];
  /** One for each category: [low, high] in the values' units. Default: no error bars. */
  intervals?: readonly (Interval | null)[];
}

export interface BarFigureOptions extends FigureOptions {
  categories: readonly string[];
  /** At most eight. */
  series: readonly BarSeries[];
  /** What a bar's length measures, with its unit. */
  valueTitle: string;
  categoryTitle?: string;
  /** Bars from left to right. Default: only where the categories' names do not fit under upright bars. */
  horizontal?: boolean;
  /** Write each value at the end of its bar. Default: where there is room. */
  labels?: boolean;
}

interface Bar extends Estimate {
  /** Where its middle stands on the category axis, on which categories are 1 apart. */
  position: number;
}

interface BarGroup {
  name: string;
  bars: Bar[];
  /** Of each bar, on the category axis. */
  width: number;
}

const LABEL_FONT = { size: SIZES.label };
const NAME_FONT = { size: SIZES.tick };
const MAX_NAME_LINES = 3;
const MAX_NAME_WIDTH = 220;
/** About what the value axis with its ticks and titles takes from the figure's width or height. */
const AXIS_ROOM = 80;

/**
 * Categories × series as grouped bars, with error bars where there are intervals. The value axis always holds zero.
 * Table: category, series, value, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, or a value is
 * outside of its interval
 */
export function barFigure(options: BarFigureOptions): Figure {
  checkBars(options);
  const { name, title, categories, series, valueTitle, categoryTitle, width = WIDTH } = options;
  const groupWidth = series.length > 1 ? 0.82 : 0.6;
  const groups = series.map((one, index): BarGroup => {
    const slot = barSlot(index, series.length, groupWidth);
    const bars = estimates(one.values, one.intervals).map((bar, at) => ({ ...bar, position: at + slot.offset }));
    return { name: one.name, bars, width: slot.width };
  });

  const slotWidth = (width - AXIS_ROOM) / categories.length;
  const horizontal = options.horizontal ?? !namesFit(categories, 0.92 * slotWidth);
  const names = categories.map((category) =>
    wrapText(category, horizontal ? MAX_NAME_WIDTH : 0.92 * slotWidth, NAME_FONT),
  );
  const height = options.height ?? (horizontal ? horizontalHeight(options, names, width) : HEIGHT);
  const top = headHeight(options, width) + (series.length > 1 ? 30 : 0);

  const decimals = decimalsFor(groups.flatMap(({ bars }) => bars.flatMap(({ value }) => value ?? [])));
  const texts = groups.map(({ bars }) =>
    bars.map(({ value }) => (value === null ? "" : formatNumber(value, decimals))),
  );
  const labelWidth = Math.max(...texts.flat().map((text) => textWidth(text, LABEL_FONT)));
  const thickness =
    ((horizontal ? (height - top - AXIS_ROOM) / categories.length : slotWidth) * groupWidth) / series.length;
  const labelled = options.labels ?? thickness >= (horizontal ? 1.1 * SIZES.label : labelWidth);
  const length = horizontal ? width - widest(names) - AXIS_ROOM : height - top - AXIS_ROOM;
  const labelShare = labelled ? ((horizontal ? labelWidth : 1.3 * SIZES.label) + 8) / length : 0.04;

  const traces = groups.map((group, index) => barTrace(group, index, categories, horizontal));
  const labels = labelled ? groups.flatMap(({ bars }, index) => barLabels(bars, texts[index]!, horizontal)) : [];
  const range = valueRange(groups, labelShare);
  const categoryAxis = nameAxis(categoryTitle, names, {
    range: horizontal ? [categories.length - 0.5, -0.5] : [-0.5, categories.length - 0.5],
  });
  const valueAxis = axis(valueTitle, { range, zeroline: range[0] < 0, zerolinecolor: COLOURS.axis });
  const layout = baseLayout({ ...options, width, height }, series.length > 1, {
    barmode: "overlay",
    xaxis: horizontal ? valueAxis : categoryAxis,
    yaxis: horizontal ? categoryAxis : valueAxis,
    annotations: labels,
  });
  const table = estimateTable(
    ["category", "series", "value"],
    groups.flatMap((group) => group.bars.map((bar, at) => ({ keys: [categories[at]!, group.name], ...bar }))),
  );
  return { name, title, spec: { data: traces, layout }, table };
}

function checkBars({ name, categories, series }: BarFigureOptions): void {
  checkName(name);
  checkNames("categories", categories);
  checkSeries(series);
  for (const { name: seriesName, values, intervals } of series) {
    checkLength(`series "${seriesName}": values`, values, categories.length);
    if (intervals) checkLength(`series "${seriesName}": intervals`, intervals, categories.length);
    for (const [index, estimate] of estimates(values, intervals).entries()) {
      checkEstimate(`series "${seriesName}", value ${index} ("${categories[index]}")`, estimate);
    }
  }
}

const widest = (names: readonly string[][]): number =>
  Math.max(...names.flat().map((line) => textWidth(line, NAME_FONT)));

/** Whether names can stand side by side, each wrapped into `room` pixels without breaking a word. */
function namesFit(names: readonly string[], room: number): boolean {
  const wordsFit = names.every((name) => name.split(/\s+/).every((word) => textWidth(word, NAME_FONT) <= room));
  return wordsFit && names.every((name) => wrapText(name, room, NAME_FONT).length <= MAX_NAME_LINES);
}

function horizontalHeight(options: BarFigureOptions, names: readonly string[][], width: number): number {
  const lines = Math.max(...names.map((name) => name.length));
  const row = Math.max(20 * options.series.length + 10, 16 * lines + 10, 34);
  return Math.round(headHeight(options, width) + 30 + AXIS_ROOM + row * options.categories.length);
}

function valueRange(groups: readonly BarGroup[], labelShare: number): [low: number, high: number] {
  const [low, high] = extremes([0, ...groups.flatMap(({ bars }) => shownNumbers(bars))]);
  if (low === high) return [0, 1];
  const pad = ((high - low) * labelShare) / (1 - labelShare);
  return [low < 0 ? low - pad : 0, high > 0 ? high + pad : 0];
}

function barTrace(
  { name, bars, width }: BarGroup,
  index: number,
  categories: readonly string[],
  horizontal: boolean,
): object {
  const [across, along] = horizontal ? (["y", "x"] as const) : (["x", "y"] as const);
  return {
    type: "bar",
    orientation: horizontal ? "h" : "v",
    name: plainText(name),
    [across]: bars.map(({ position }) => position),
    [along]: bars.map(({ value }) => value),
    width,
    marker: barMarker(index),
    ...errorBars(along, bars, COLOURS.text),
    customdata: categories.map(plainText),
    hovertemplate: `%{customdata}: %{${along}}`,
  };
}

/** Values as text just beyond the end of the bar or of its interval. */
function barLabels(bars: readonly Bar[], texts: readonly string[], horizontal: boolean): object[] {
  return bars.flatMap(({ value, interval, position }, at) => {
    if (value === null) return [];
    const side = value < 0 ? -1 : 1;
    const end = interval?.[value < 0 ? 0 : 1] ?? value;
    const place = horizontal
      ? { x: end, y: position, xanchor: value < 0 ? "right" : "left", xshift: 3 * side }
      : { x: position, y: end, yanchor: value < 0 ? "top" : "bottom", yshift: side };
    return [{ ...place, text: texts[at]!, font: LABEL_FONT, showarrow: false }];
  });
}
