import { badInput, checkEstimate, checkLength, checkName, checkNames } from "./check.js";
import type { Figure, FigureOptions } from "./figure.js";
import { type Estimate, errorBars, estimates, estimateTable, type Interval, shownNumbers } from "./intervals.js";
import { decimalsFor, formatNumber, paddedRange } from "./numbers.js";
import {
  axis,
  baseLayout,
  COLOURS,
  headHeight,
  nameAxis,
  plainText,
  SIZES,
  seriesStyle,
  textLines,
  WIDTH,
} from "./style.js";
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
const OWN_TINT = `${OWN.colour}1A`;

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
  const { name, title, benchmarks, methods } = options;
  const grid = panelGrid(options);
  const panels = benchmarks.map((_, index) => panel(options, index, grid));
  const layout = baseLayout({ ...options, height: grid.height }, false, {
    margin: { l: grid.left, r: SIDE, t: grid.top, b: 0, pad: 0 },
    ...Object.assign({}, ...panels.map(({ axes }) => axes)),
    annotations: panels.flatMap(({ annotations }) => annotations),
    shapes: panels.flatMap(({ shapes }) => shapes),
  });
  const data = panels.map(({ trace }) => trace);
  const table = estimateTable(
    ["benchmark", "method", "value"],
    panels.flatMap(({ shown }, at) =>
      shown.map((one, row) => ({ keys: [benchmarks[at]!.name, methods[row]!.name], ...one })),
    ),
  );
  return { name, title, spec: { data, layout }, table };
}

function checkComparison({ name, benchmarks, methods }: ComparisonFigureOptions): void {
  checkName(name);
  checkNames(
    "benchmarks",
    benchmarks.map((benchmark) => benchmark.name),
  );
  checkNames(
    "methods",
    methods.map((method) => method.name),
  );
  for (const { name: method, values, intervals } of methods) {
    checkLength(`method "${method}": values`, values, benchmarks.length);
    if (intervals) checkLength(`method "${method}": intervals`, intervals, benchmarks.length);
    for (const [index, estimate] of estimates(values, intervals).entries()) {
      checkEstimate(`method "${method}", value ${index} ("${benchmarks[index]!.name}")`, estimate);
    }
  }
  for (const [index, benchmark] of benchmarks.entries()) {
    if (methods.some(({ values }) => values[index] !== null)) continue;
    throw badInput(`benchmark "${benchmark.name}": no values, expected at least one`, "Leave it out.");
  }
}

/** Where panels and their rows are, in pixels; panels begin at (`left`, `top`). */
interface PanelGrid {
  left: number;
  top: number;
  height: number;
  perRow: number;
  /** A panel with its header and ticks. */
  panelWidth: number;
  panelHeight: number;
  headerHeight: number;
  /** Of all panels together. */
  width: number;
  bodyHeight: number;
  methodLines: string[][];
}

function panelGrid(options: ComparisonFigureOptions): PanelGrid {
  const { benchmarks, methods, width: figureWidth = WIDTH } = options;
  const methodLines = methods.map(({ name, own = false }) =>
    wrapText(name, MAX_NAME_WIDTH, { ...NAME_FONT, bold: own }),
  );
  const namesWidth = Math.max(...methodLines.flat().map((line) => textWidth(line, { ...NAME_FONT, bold: true })));
  const left = Math.ceil(SIDE + namesWidth + 14);
  const width = figureWidth - left - SIDE;
  const fitting = Math.max(1, Math.min(benchmarks.length, Math.floor(width / MIN_PANEL_WIDTH)));
  const panelRows = Math.ceil(benchmarks.length / fitting);
  const perRow = Math.ceil(benchmarks.length / panelRows);
  const panelWidth = width / perRow;
  const headerLines = Math.max(...benchmarks.map((one) => wrapText(header(one), panelWidth - GAP, HEADER_FONT).length));
  const headerHeight = headerLines * 17 + 8;
  const methodHeight = 16 * Math.max(...methodLines.map((lines) => lines.length)) + 9;
  const top = Math.ceil(headHeight(options, figureWidth) + 4);
  const natural = top + panelRows * (headerHeight + methods.length * methodHeight + TICK_ROOM);
  const { height = Math.round(natural) } = options;
  const bodyHeight = height - top;
  const panelHeight = bodyHeight / panelRows;
  return { left, top, height, perRow, panelWidth, panelHeight, headerHeight, width, bodyHeight, methodLines };
}

function header({ name, better }: Benchmark): string {
  return better === "lower" ? `${name} \u2193` : name;
}

interface Panel {
  /** One for each method. */
  shown: Estimate[];
  trace: object;
  axes: Record<string, object>;
  annotations: object[];
  shapes: object[];
}

function panel({ benchmarks, methods }: ComparisonFigureOptions, index: number, grid: PanelGrid): Panel {
  const benchmark = benchmarks[index]!;
  const shown = methods.map(({ values, intervals }): Estimate => {
    return { value: values[index]!, interval: intervals?.[index] ?? null };
  });
  const known = shown.flatMap(({ value }) => value ?? []);
  const decimals = decimalsFor(known);
  const texts = shown.map(({ value }) => (value === null ? "\u2013" : formatNumber(value, decimals)));
  const textRoom = Math.max(...texts.map((text) => textWidth(text, VALUE_FONT)));
  const best = benchmark.better === "lower" ? Math.min(...known) : Math.max(...known);

  const left = (index % grid.perRow) * grid.panelWidth;
  const right = left + grid.panelWidth - GAP;
  const above = Math.floor(index / grid.perRow) * grid.panelHeight;
  const across = (pixels: number) => pixels / grid.width;
  const up = (pixels: number) => 1 - pixels / grid.bodyHeight;
  const isFirst = index % grid.perRow === 0;
  const id = index === 0 ? "" : `${index + 1}`;
  const [x, y] = [`x${id}`, `y${id}`];

  return {
    shown,
    trace: {
      type: "scatter",
      mode: "markers",
      name: plainText(benchmark.name),
      xaxis: x,
      yaxis: y,
      x: shown.map(({ value }) => value),
      y: methods.map((_, at) => at),
      marker: {
        size: 10,
        symbol: methods.map(({ own }) => (own ? "diamond" : "circle")),
        color: methods.map(({ own }) => (own ? OWN.colour : OTHER)),
      },
      ...errorBars("x", shown, COLOURS.text),
      customdata: methods.map((method) => plainText(method.name)),
      hovertemplate: "%{customdata}: %{x}",
    },
    axes: {
      [`xaxis${id}`]: axis(undefined, {
        domain: [across(left), across(right - textRoom - 8)],
        anchor: y,
        range: paddedRange(shownNumbers(shown), 0.12),
        nticks: 4,
        tickangle: 0,
        automargin: false,
      }),
      [`yaxis${id}`]: nameAxis(undefined, grid.methodLines, {
        domain: [up(above + grid.panelHeight - TICK_ROOM), up(above + grid.headerHeight)],
        anchor: x,
        range: [methods.length - 0.5, -0.5],
        ticktext: methods.map(({ own }, at) => {
          const lines = textLines(grid.methodLines[at]!);
          return own ? bold(lines) : lines;
        }),
        showticklabels: isFirst,
        showline: false,
        showgrid: true,
        automargin: false,
      }),
    },
    annotations: [
      {
        text: bold(textLines(wrapText(header(benchmark), grid.panelWidth - GAP, HEADER_FONT))),
        font: { size: HEADER_FONT.size },
        align: "left",
        xref: "paper",
        x: across(left),
        xanchor: "left",
        yref: "paper",
        y: up(above + grid.headerHeight),
        yanchor: "bottom",
        showarrow: false,
      },
      ...texts.map((text, at) => ({
        text: shown[at]!.value === best ? bold(text) : text,
        font: { size: VALUE_FONT.size },
        xref: "paper",
        x: across(right),
        xanchor: "right",
        yref: y,
        y: at,
        showarrow: false,
      })),
    ],
    shapes: methods.flatMap(({ own }, at) => (own && isFirst ? [ownBand(at, y, across(8 - grid.left))] : [])),
  };
}

const bold = (text: string): string => `<b>${text}</b>`;

/** A tint behind an own method's name and dots, through all panels of a row. */
function ownBand(at: number, yref: string, x0: number): object {
  const line = { width: 0 };
  return {
    type: "rect",
    layer: "below",
    xref: "paper",
    x0,
    x1: 1,
    yref,
    y0: at - 0.5,
    y1: at + 0.5,
    fillcolor: OWN_TINT,
    line,
  };
}
