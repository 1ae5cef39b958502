import { badInput } from "../../core/index.js";
import { checkName, checkSeries } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { barMarker, barSlot } from "../parts/grouped-bars.js";
import { methodStyles } from "../style/method-style.js";
import { extremes, niceStep } from "../style/numbers.js";
import { axis, baseLayout, legendName, WIDTH } from "../style/style.js";

export interface HistogramSeries {
  name: string;
  /** Integers: one for each sample. */
  values: readonly number[];
}

export interface HistogramFigureOptions extends FigureOptions {
  /** At most eight. */
  series: readonly HistogramSeries[];
  /** What the values count. */
  xTitle: string;
  /** "share": percent of the series' own samples, comparable between series of different sizes. Default: "share". */
  measure?: "share" | "count";
  /** How many integers one bar stands for. Default: 1, or more where the bars would be too many. */
  binWidth?: number;
}

/** The samples from `from` to `to`, both included. */
interface Bin {
  from: number;
  to: number;
  counts: number[];
}

const MAX_BARS = 120;
const MAX_BINS = 30;

/**
 * How often each integer, or each range of integers, occurs in each series, as grouped bars.
 * Table: series, from, to, count, share in percent.
 * @throws bad-input if a series is empty or holds anything but integers, or the bin width is not a positive integer
 */
export function histogramFigure(options: HistogramFigureOptions): Figure {
  const { name, title, series, xTitle, measure = "share", width = WIDTH } = options;
  checkHistogram(options);
  const [low, high] = extremes(series.flatMap(({ values }) => values));
  const mostBins = Math.max(8, Math.min(MAX_BINS, Math.floor(MAX_BARS / series.length)));
  const { binWidth = niceStep((high - low + 1) / mostBins) } = options;
  checkBinCount((high - low + 1) / binWidth);
  const bins = countBins(series, low, high, binWidth);
  const share = (bin: Bin, index: number) => (100 * bin.counts[index]!) / series[index]!.values.length;

  const styles = methodStyles(series.map((one) => one.name));
  // A bar stands in the middle of the integers it counts.
  const data = series.map((one, index) => {
    const slot = barSlot(index, series.length, 0.86 * binWidth);
    return {
      type: "bar",
      name: legendName(one.name),
      x: bins.map(({ from, to }) => (from + to) / 2 + slot.offset),
      // Without null an empty bin shows the outline of a bar of no height.
      y: bins.map((bin) => (measure === "share" ? share(bin, index) : bin.counts[index]!) || null),
      width: slot.width,
      marker: barMarker(styles.get(one.name)!, index),
      customdata: bins.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`)),
      hovertemplate: "%{customdata}: %{y}",
    };
  });
  const ticks = binTicks(bins, binWidth);
  const layout = baseLayout(options, series.length > 1, {
    barmode: "overlay",
    xaxis: axis(xTitle, { ...ticks, range: [bins[0]!.from - 0.5, bins.at(-1)!.to + 0.5], showgrid: false }, width),
    yaxis: axis(measure === "share" ? "Share (%)" : "Count", { rangemode: "tozero" }),
  });
  const rows = series.flatMap((one, index) =>
    bins.map((bin) => [one.name, bin.from, bin.to, bin.counts[index]!, share(bin, index)]),
  );
  return { name, title, spec: { data, layout }, table: { columns: ["series", "from", "to", "count", "share"], rows } };
}

function checkHistogram({ name, series, binWidth = 1 }: HistogramFigureOptions): void {
  checkName(name);
  checkSeries(series);
  if (!Number.isInteger(binWidth) || binWidth < 1) {
    throw badInput(`bin width ${binWidth}: expected a positive integer`, "Leave it out to have it chosen.");
  }
  for (const { name: seriesName, values } of series) {
    const owner = `series "${seriesName}"`;
    if (values.length === 0) throw badInput(`${owner}: no values, expected at least one`, "Leave it out.");
    const index = values.findIndex((value) => !Number.isSafeInteger(value));
    if (index < 0) continue;
    throw badInput(
      `${owner}, value ${index} is ${values[index]}, expected an integer`,
      "A histogram counts integers: round or scale the values.",
    );
  }
}

/** More bars than pixels show nothing, and far too many fill the memory. */
function checkBinCount(count: number): void {
  if (count <= WIDTH) return;
  throw badInput(`${Math.ceil(count)} bars: expected at most ${WIDTH}`, "Leave out the bin width to have it chosen.");
}

/** Bins begin at multiples of their width and reach from the lowest to the highest value. */
function countBins(series: readonly HistogramSeries[], low: number, high: number, width: number): Bin[] {
  const first = Math.floor(low / width);
  const bins = Array.from({ length: Math.floor(high / width) - first + 1 }, (_, at): Bin => {
    const from = (first + at) * width;
    return { from, to: from + width - 1, counts: series.map(() => 0) };
  });
  for (const [index, { values }] of series.entries()) {
    for (const value of values) bins[Math.floor(value / width) - first]!.counts[index]! += 1;
  }
  return bins;
}

/** A tick under the middle of single integers; for wider bins at the integer each begins with. */
function binTicks(bins: readonly Bin[], width: number): object {
  const every = niceStep(bins.length / 12);
  const shown = bins.filter(({ from }) => (from / width) % every === 0);
  return {
    tickvals: shown.map(({ from }) => (width === 1 ? from : from - 0.5)),
    ticktext: shown.map(({ from }) => `${from}`),
  };
}
