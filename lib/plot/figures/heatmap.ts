import { badInput } from "../../core/index.js";
import { checkEstimate, checkLength, checkName, checkNames } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { PLOTLY_SCALE, scaleColour, textColourOn } from "../style/colour-scale.js";
import { decimalsFor, extremes, formatNumber } from "../style/numbers.js";
import {
  axis,
  axisTitle,
  baseLayout,
  COLOURS,
  HEIGHT,
  headHeight,
  nameTicks,
  plainText,
  SIZES,
  WIDTH,
} from "../style/style.js";
import { textWidth, wrapText } from "../style/text-width.js";

export interface HeatmapFigureOptions extends FigureOptions {
  /** From top to bottom. */
  rows: readonly string[];
  /** From left to right. */
  columns: readonly string[];
  /** One list for each row, in it one value for each column; null where there is none. */
  values: readonly (readonly (number | null)[])[];
  /** What the values measure, with its unit. */
  valueTitle: string;
  rowTitle?: string;
  columnTitle?: string;
  /** The values at the ends of the colour scale. Default: the smallest and the largest. */
  range?: readonly [low: number, high: number];
  /** Whether each column has the whole colour scale, from its smallest value to its largest; `range` is for one scale. */
  scaleColumns?: boolean;
}

interface Cell {
  row: number;
  column: number;
  value: number;
  /** On the colour scale, where columns have one each from 0 to 1. */
  level: number;
  colour: string;
}

const NAME_FONT = { size: SIZES.tick };
const MAX_NAME_WIDTH = 180;
/** About what margins and colour bar take from the figure's width, and names and title from its height. */
const SIDES = 150;
const ENDS = 90;
const MIN_CELL_HEIGHT = 24;
const MAX_CELL_HEIGHT = 64;
const LABEL_SIZES = [12, 11, 10, 9];

/**
 * Rows × columns of values as coloured cells with the values written in them, as far as there is room.
 * Plotly's own heat map draws on a canvas; this one is rectangles and a scatter trace that holds texts and colour bar.
 * Table: row, column, value.
 * @throws bad-input if there is nothing to draw, names repeat, lengths differ, or a number is not finite or outside of
 * the range
 */
export function heatmapFigure(options: HeatmapFigureOptions): Figure {
  return labelledHeatmap(options);
}

/** What stands at the left of the rows in place of their names. */
export interface RowLabels {
  /** Pixels. */
  width: number;
  /** Plotly's annotations for a height of the rows in pixels, with the rows' places 0, 1, 2, … as y. */
  annotations: (rowHeight: number) => object[];
}

/** A heat map, with the rows' names unless there are labels. */
export function labelledHeatmap(options: HeatmapFigureOptions, labels?: RowLabels): Figure {
  checkHeatmap(options);
  const { name, title, rows, columns, values, rowTitle, columnTitle, width = WIDTH } = options;
  const known = values.flatMap((row, at) =>
    row.flatMap((value, column) => (value === null ? [] : [{ row: at, column, value }])),
  );
  const range = options.range ?? extremes(known.map(({ value }) => value));
  const columnRanges = columns.map((_, at) =>
    extremes(known.flatMap(({ column, value }) => (column === at ? value : []))),
  );
  const share = (value: number, [low, high]: readonly [number, number]) =>
    high > low ? (value - low) / (high - low) : 0.5;
  const cells = known.map((cell): Cell => {
    const place = share(cell.value, options.scaleColumns ? columnRanges[cell.column]! : range);
    return { ...cell, level: options.scaleColumns ? place : cell.value, colour: scaleColour(place) };
  });

  const grid = layOut(options, labels);
  const layout = baseLayout({ ...options, height: grid.height }, false, {
    // Shows through where a value is missing.
    plot_bgcolor: "#EFEFEF",
    xaxis: axis(
      columnTitle,
      {
        ...nameTicks(grid.columnLines),
        range: [-0.5, columns.length - 0.5],
        showline: false,
        tickangle: grid.slanted ? -45 : 0,
      },
      width,
    ),
    yaxis: axis(rowTitle, {
      ...nameTicks(grid.rowLines),
      range: [rows.length - 0.5, -0.5],
      showline: false,
      ...(labels ? { showticklabels: false, automargin: false } : {}),
    }),
    shapes: cells.map(rectangle),
    ...(labels ? { annotations: labels.annotations(grid.rowHeight) } : {}),
  });
  if (labels) layout.margin = { ...(layout.margin as object), l: labels.width };
  const data = [cellTrace(cells, options, options.scaleColumns ? [0, 1] : range, grid.textRoom)];
  const tableRows = rows.flatMap((row, at) => columns.map((column, index) => [row, column, values[at]![index]!]));
  return { name, title, spec: { data, layout }, table: { columns: ["row", "column", "value"], rows: tableRows } };
}

function checkHeatmap({ name, rows, columns, values, range }: HeatmapFigureOptions): void {
  checkName(name);
  checkNames("rows", rows);
  checkNames("columns", columns);
  checkLength("rows of values", values, rows.length);
  for (const [at, row] of values.entries()) {
    checkLength(`row "${rows[at]}": values`, row, columns.length);
    for (const [index, value] of row.entries()) {
      const what = `row "${rows[at]}", column "${columns[index]}"`;
      checkEstimate(what, { value, interval: null });
      if (value === null || !range || (value >= range[0] && value <= range[1])) continue;
      throw badInput(`${what} is ${value}, outside of the range [${range.join(", ")}]`, "Widen the range.");
    }
  }
  if (values.some((row) => row.some((value) => value !== null))) return;
  throw badInput("no values: expected at least one that is not null", "Check the records behind the figure.");
}

interface CellGrid {
  rowLines: string[][];
  columnLines: string[][];
  /** Whether the columns' names do not fit upright. */
  slanted: boolean;
  /** For text in a cell, in pixels. */
  textRoom: number;
  /** Height of the figure. */
  height: number;
  rowHeight: number;
}

function layOut(options: HeatmapFigureOptions, labels: RowLabels | undefined): CellGrid {
  const { rows, columns, width = WIDTH } = options;
  const widest = (texts: readonly string[]) => Math.max(...texts.map((text) => textWidth(text, NAME_FONT)));
  const rowLines = rows.map((row) => wrapText(row, MAX_NAME_WIDTH, NAME_FONT));
  const textRoom = (width - SIDES - (labels?.width ?? widest(rowLines.flat()))) / columns.length - 6;
  const slanted = widest(columns.flatMap((column) => column.split(/\s+/))) > textRoom;
  const columnLines = columns.map((column) => wrapText(column, slanted ? MAX_NAME_WIDTH : textRoom, NAME_FONT));
  const ends = headHeight(options, width) + ENDS + (slanted ? Math.SQRT1_2 * widest(columnLines.flat()) : 0);
  const cellHeight = Math.min(MAX_CELL_HEIGHT, Math.max(MIN_CELL_HEIGHT, (HEIGHT - ends) / rows.length));
  const { height = Math.round(ends + cellHeight * rows.length) } = options;
  return { rowLines, columnLines, slanted, textRoom, height, rowHeight: (height - ends) / rows.length };
}

function rectangle({ row, column, colour }: Cell): object {
  return {
    type: "rect",
    layer: "below",
    x0: column - 0.5,
    x1: column + 0.5,
    y0: row - 0.5,
    y1: row + 0.5,
    fillcolor: colour,
    line: { color: COLOURS.background, width: 1 },
  };
}

/** Invisible markers that carry the values' texts, the hover texts and the colour bar. */
function cellTrace(
  cells: readonly Cell[],
  { rows, columns, valueTitle, scaleColumns }: HeatmapFigureOptions,
  [low, high]: readonly [number, number],
  textRoom: number,
): object {
  const decimals = decimalsFor(cells.map(({ value }) => value));
  const texts = cells.map(({ value }) => formatNumber(value, decimals));
  const size = LABEL_SIZES.find((candidate) => texts.every((text) => textWidth(text, { size: candidate }) <= textRoom));
  return {
    type: "scatter",
    mode: size ? "markers+text" : "markers",
    x: cells.map(({ column }) => column),
    y: cells.map(({ row }) => row),
    ...(size ? { text: texts, textfont: { size, color: cells.map(({ colour }) => textColourOn(colour)) } } : {}),
    customdata: cells.map(
      ({ row, column, value }) => `${plainText(rows[row]!)}, ${plainText(columns[column]!)}: ${value}`,
    ),
    hovertemplate: "%{customdata}<extra></extra>",
    marker: {
      symbol: "square",
      size: 16,
      opacity: 0,
      color: cells.map(({ level }) => level),
      colorscale: PLOTLY_SCALE,
      cmin: low,
      cmax: high,
      showscale: true,
      colorbar: {
        title: { ...axisTitle(valueTitle), side: "right" },
        thickness: 14,
        outlinewidth: 0,
        tickfont: { size: SIZES.tick },
        // Keeps the title clear of them.
        ticksuffix: "\u2002",
        ...(scaleColumns ? { tickvals: [0, 1], ticktext: ["lowest", "highest"] } : {}),
        len: 1,
        x: 1.01,
        ypad: 0,
      },
    },
  };
}
