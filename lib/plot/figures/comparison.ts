import { badInput } from "../../core/index.js";
import { checkEstimates, checkName, checkNames } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { type Estimate, errorBars, estimateTable, type Interval, shownNumbers } from "../parts/intervals.js";
import { type PanelPlace, panelsPerRow, placePanels } from "../parts/panel-grid.js";
import { dashRing, markersOf } from "../style/marks.js";
import { isKnownMethod, methodStyles } from "../style/method-style.js";
import { decimalsFor, extremes, formatNumber, paddedRange } from "../style/numbers.js";
import {
  axis,
  baseLayout,
  COLOURS,
  headHeight,
  nameTicks,
  plainText,
  type SeriesStyle,
  SIZES,
  textLines,
  WIDTH,
} from "../style/style.js";
import { textWidth, wrapText } from "../style/text-width.js";

export interface Benchmark {
  name: string;
  /** Whether higher or lower values are better. Default: "higher"; "lower" is marked by an arrow. */
  better?: "higher" | "lower";
}

export interface Method {
  name: string;
  /** One value per benchmark; null where it is missing. */
  values: readonly (number | null)[];
  /** One for each benchmark: [low, high]. Default: none. */
  intervals?: readonly (Interval | null)[];
  /** Highlight the method by a tinted band and a bold name. Default: false. */
  own?: boolean;
  /** The method of which this row is a variant, whose mark it gets. Default: its name. */
  method?: string;
  /** A heading above this method and those of the same group that follow, such as what an ablation varies. */
  group?: string;
}

export interface ComparisonFigureOptions extends FigureOptions {
  benchmarks: readonly Benchmark[];
  /** From top to bottom; any number. */
  methods: readonly Method[];
}

/** As wide as the widest names, those of own methods. */
const NAME_FONT = { size: SIZES.tick, bold: true };
const VALUE_FONT = { size: SIZES.label, bold: true };
const HEADER_FONT = { size: SIZES.subtitle, bold: true };
/** More where there are few panels. */
const MAX_NAME_WIDTH = { few: 290, many: 200 };
const FEW_PANELS = 2;
const MIN_PANEL_WIDTH = 130;
const SIDE = 20;
const GAP = 16;
const TICK_ROOM = 34;
/** What is neither a known method nor a setting of one. */
const PLAIN = { colour: "#707070", outline: "#4D4D4D", marker: "circle", dash: "solid" };
const BAND = "#0072B21A";

/**
 * A table of methods × benchmarks as dots: one small panel for each benchmark with its own scale, since a point on
 * one benchmark is not a point on another, all with the methods in the same order. Each value stands beside its dot,
 * the best of a panel in bold; own methods are on a band. Methods have the mark and colour of their name.
 * Table: benchmark, method, value, and low and high where there are intervals.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, a number is not finite, a value is
 * outside of its interval, or a benchmark has no values
 */
export function comparisonFigure(options: ComparisonFigureOptions): Figure {
  checkComparison(options);
  const { name, title, benchmarks, methods } = options;
  const frame = layOut(options);
  const panels = benchmarks.map((_, index) => panel(options, index, frame));
  const layout = baseLayout({ ...options, height: frame.top + frame.height }, false, {
    margin: { l: frame.left, r: SIDE, t: frame.top, b: 0, pad: 0 },
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
  const benchmarkNames = benchmarks.map((benchmark) => benchmark.name);
  const methodNames = methods.map((method) => method.name);
  checkName(name);
  checkNames("benchmarks", benchmarkNames);
  checkNames("methods", methodNames);
  for (const method of methods) checkEstimates(`method "${method.name}"`, method, benchmarkNames);
  for (const [index, benchmark] of benchmarkNames.entries()) {
    if (methods.some(({ values }) => values[index] !== null)) continue;
    throw badInput(`benchmark "${benchmark}": no values, expected at least one`, "Leave it out.");
  }
}

/** Methods have the look of their name; a row that is no method is plain, a diamond if it is an own one. */
function stylesOf(methods: readonly Method[]): SeriesStyle[] {
  const names = methods.map(({ name, method }) => method ?? name);
  const styles = methodStyles(names, { named: true });
  return methods.map(({ own }, at) =>
    isKnownMethod(names[at]!)
      ? styles.get(names[at]!)!
      : own
        ? { ...PLAIN, colour: COLOURS.text, marker: "diamond" }
        : PLAIN,
  );
}

/** The methods' places from the top, a group's heading before its first one; both in units of a method's height. */
interface Rows {
  methods: number[];
  headings: { text: string; at: number }[];
  count: number;
}

function placeRows(methods: readonly Method[]): Rows {
  const rows: Rows = { methods: [], headings: [], count: 0 };
  for (const [index, { group }] of methods.entries()) {
    if (group?.trim() && group !== methods[index - 1]?.group) {
      rows.headings.push({ text: group, at: rows.count++ });
    }
    rows.methods.push(rows.count++);
  }
  return rows;
}

/** Where everything is, in pixels; panels begin at (`left`, `top`), methods' names are at their left. */
interface Frame {
  left: number;
  top: number;
  /** Width of all panels together. */
  width: number;
  height: number;
  places: PanelPlace[];
  headers: string[][];
  methodLines: string[][];
  rows: Rows;
}

function layOut(options: ComparisonFigureOptions): Frame {
  const { benchmarks, methods, width: figureWidth = WIDTH } = options;
  const nameWidth = benchmarks.length > FEW_PANELS ? MAX_NAME_WIDTH.many : MAX_NAME_WIDTH.few;
  const methodLines = methods.map((method) => wrapText(method.name, nameWidth, NAME_FONT));
  const namesWidth = Math.max(...methodLines.flat().map((line) => textWidth(line, NAME_FONT)));
  const left = Math.ceil(SIDE + namesWidth + 14);
  const top = Math.ceil(headHeight(options, figureWidth) + 4);

  const width = figureWidth - left - SIDE;
  const perRow = panelsPerRow(benchmarks.length, width, MIN_PANEL_WIDTH);
  const headers = benchmarks.map(({ name, better }) => {
    return wrapText(better === "lower" ? `${name} \u2193` : name, width / perRow - GAP, HEADER_FONT);
  });
  const headerHeights = headers.map((lines) => 17 * lines.length + 8);
  const methodHeight = 16 * Math.max(...methodLines.map((lines) => lines.length)) + 9;
  const rows = placeRows(methods);
  const natural = rows.count * methodHeight + TICK_ROOM;
  const place = (bodyHeight: number) => placePanels(headerHeights, perRow, width, bodyHeight);
  const { height = Math.ceil(top + place(natural).at(-1)!.bottom) } = options;
  const spare = height - top - place(natural).at(-1)!.bottom;
  const places = place(natural + spare / Math.ceil(benchmarks.length / perRow));
  return { left, top, width, height: height - top, places, headers, methodLines, rows };
}

interface Panel {
  /** One for each method. */
  shown: Estimate[];
  trace: object;
  axes: Record<string, object>;
  annotations: object[];
  shapes: object[];
}

function panel({ benchmarks, methods }: ComparisonFigureOptions, index: number, frame: Frame): Panel {
  const styles = stylesOf(methods);
  const benchmark = benchmarks[index]!;
  const shown = methods.map(({ values, intervals }): Estimate => {
    return { value: values[index]!, interval: intervals?.[index] ?? null };
  });
  const known = shown.flatMap(({ value }) => value ?? []);
  const decimals = decimalsFor(known);
  const texts = shown.map(({ value }) => (value === null ? "\u2013" : formatNumber(value, decimals)));
  const textRoom = Math.max(...texts.map((text) => textWidth(text, VALUE_FONT)));
  const [lowest, highest] = extremes(known);
  const best = benchmark.better === "lower" ? lowest : highest;

  const { left, width, top, bottom, isFirstOfRow } = frame.places[index]!;
  const right = left + width - GAP;
  const across = (pixels: number) => pixels / frame.width;
  const up = (pixels: number) => 1 - pixels / frame.height;
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
      y: frame.rows.methods,
      marker: markersOf(styles, 10),
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
      [`yaxis${id}`]: axis(undefined, {
        ...nameTicks(frame.methodLines),
        domain: [up(bottom - TICK_ROOM), up(top)],
        anchor: x,
        tickvals: frame.rows.methods,
        range: [frame.rows.count - 0.5, -0.5],
        ticktext: frame.methodLines.map((lines, at) => (methods[at]!.own ? bold(textLines(lines)) : textLines(lines))),
        showticklabels: isFirstOfRow,
        showline: false,
        showgrid: true,
        automargin: false,
      }),
    },
    annotations: [
      {
        text: bold(textLines(frame.headers[index]!)),
        font: { size: HEADER_FONT.size },
        align: "left",
        xref: "paper",
        x: across(left),
        xanchor: "left",
        yref: "paper",
        y: up(top),
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
        y: frame.rows.methods[at],
        showarrow: false,
      })),
      ...(isFirstOfRow ? frame.rows.headings : []).map(({ text, at }) => ({
        text: bold(plainText(text)),
        font: { size: NAME_FONT.size, color: COLOURS.muted },
        xref: "paper",
        x: across(8 - frame.left),
        xanchor: "left",
        yref: y,
        y: at,
        yanchor: "middle",
        showarrow: false,
      })),
    ],
    shapes: [
      ...methods.flatMap(({ own }, at) =>
        own && isFirstOfRow ? [ownBand(frame.rows.methods[at]!, y, across(8 - frame.left))] : [],
      ),
      ...shown.flatMap(({ value }, at) =>
        value === null ? [] : dashRing(styles[at]!, { x: value, y: frame.rows.methods[at]!, xref: x, yref: y }),
      ),
    ],
  };
}

const bold = (text: string): string => `<b>${text}</b>`;

/** A tint behind an own method's name and dots, through all panels of a row. */
function ownBand(at: number, yref: string, x0: number): object {
  const [fillcolor, line] = [BAND, { width: 0 }];
  return { type: "rect", layer: "below", xref: "paper", x0, x1: 1, yref, y0: at - 0.5, y1: at + 0.5, fillcolor, line };
}
