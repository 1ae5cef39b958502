import { badInput, checkName, checkNames } from "./check.js";
import type { Cell, Figure, FigureOptions } from "./figure.js";
import { estimateTable } from "./intervals.js";
import { FLOWING_LEGEND, legendHeight } from "./legend.js";
import {
  bandTrace,
  checkLine,
  checkRegions,
  distinctX,
  type Line,
  type LineOptions,
  type LineSeries,
  lineOf,
  lineTrace,
  type Region,
  regionMarks,
  xRangeOf,
  yRangeOf,
} from "./lines.js";
import { isOwnMethod, methodStyles } from "./method-style.js";
import { type PanelPlace, panelsPerRow, placePanels } from "./panel-grid.js";
import { axis, axisTitle, baseLayout, headHeight, type SeriesStyle, SIZES, textLines, WIDTH } from "./style.js";
import { wrapText } from "./text-width.js";
import { chooseTicks, dataTicks } from "./ticks.js";

export interface PanelSeries extends LineSeries {
  /** The name of another series of the panel of which this is the unsmoothed data: drawn thin, in its colour. */
  behind?: string;
}

export interface LinePanel {
  /** Above the panel. Default: nothing. */
  title?: string;
  /** Default: that of the figure. */
  yTitle?: string;
  /** Of a panel whose scale of y is its own. Default: "linear". */
  yScale?: "linear" | "log";
  series: readonly PanelSeries[];
}

export interface LinePanelsOptions extends FigureOptions, LineOptions {
  panels: readonly LinePanel[];
  /** What a panel is, for the table: "base model". Default: "panel". */
  panelColumn?: string;
  /** Whether all panels have the scale of y in common. Default: true. */
  sharedY?: boolean;
  /** Whether all panels have the range of x in common. Default: false. */
  sharedX?: boolean;
  /** Panels side by side, at most. Default: as many as there is room for. */
  columns?: number;
  /** Where points are not in the order of x: they are joined in their own. Default: false. */
  path?: boolean;
  /** Tell x exactly where there is data, for few values that are no round numbers. Default: false. */
  ticksAtData?: boolean;
  /** Shaded in every panel, named in the first of each column. Default: none. */
  regions?: readonly Region[];
}

const HEADER_FONT = { size: SIZES.subtitle, bold: true };
const MIN_PANEL_WIDTH = 190;
const PANEL_HEIGHT = 230;
const SIDE = 20;
const GAP = 22;
/** For the y axis of a panel: its ticks, and its title where it has its own. */
const TICK_ROOM = 34;
const TITLE_ROOM = 24;
const X_TICK_ROOM = 26;
const X_TITLE_ROOM = 30;
const X_PADDING = 0.06;

/**
 * Series of points in several panels with the same x axis, as in `lineFigure`. A series has the same style in all of
 * them; methods have that of their name. Table: panel, series, x, y, and low and high where there are intervals.
 * @throws bad-input as `lineFigure`, or if there are no panels
 */
export function linePanelsFigure(options: LinePanelsOptions): Figure {
  const { name, title, panels, sharedY = true, regions = [], xScale } = options;
  checkPanels(options);
  const names = [...new Set(panels.flatMap(({ series }) => series.map((one) => one.behind ?? one.name)))];
  names.sort((a, b) => Number(isOwnMethod(a)) - Number(isOwnMethod(b)));
  const styles = methodStyles(names);
  const lines = panels.map(({ series }) => series.map((one) => lineOf(one, styleOf(one, styles))));
  const frame = layOut(options, names);
  const isLog = xScale === "log";
  const commonY = yRangeOf(lines.flat(), { ...options, regions });
  const commonXs = distinctX(lines.flat());

  const legendShown = new Set<string>();
  const drawn = panels.map(({ series, yScale }, at) => {
    const place = frame.places[at]!;
    const id = at === 0 ? "" : `${at + 1}`;
    const own = lines[at]!;
    const xs = options.sharedX ? commonXs : distinctX(own);
    const xRange = xRangeOf(xs, isLog, X_PADDING);
    const tickAxis = { isLog, range: xRange, pixels: place.width - frame.yRoom - GAP };
    const marks = regionMarks(regions, xRange, {
      isLog,
      named: at < frame.perRow,
      xref: `x${id}`,
      yref: `y${id}`,
    });
    return {
      traces: panelTraces(series, own, options).map((trace) => {
        const showlegend = trace.legend !== undefined && !legendShown.has(trace.legend);
        if (trace.legend) legendShown.add(trace.legend);
        return {
          ...trace.trace,
          xaxis: `x${id}`,
          yaxis: `y${id}`,
          showlegend,
          legendrank: names.indexOf(trace.legend ?? ""),
        };
      }),
      axes: {
        [`xaxis${id}`]: axis(undefined, {
          type: isLog ? "log" : "linear",
          domain: [frame.across(place.left + frame.yRoom), frame.across(place.left + place.width - GAP)],
          anchor: `y${id}`,
          range: xRange,
          automargin: false,
          tickangle: 0,
          ...(options.ticksAtData ? dataTicks(xs, tickAxis) : chooseTicks(options.path ? [] : xs, tickAxis)),
        }),
        [`yaxis${id}`]: axis(undefined, {
          domain: [frame.up(place.bottom - X_TICK_ROOM), frame.up(place.top)],
          anchor: `x${id}`,
          ...(sharedY
            ? { range: commonY, nticks: 7 }
            : ownScale(own, yScale === "log", options, place.bottom - X_TICK_ROOM - place.top)),
          showticklabels: !sharedY || place.isFirstOfRow,
          automargin: false,
        }),
      },
      shapes: marks.shapes,
      annotations: [...marks.annotations, ...panelTexts(options, at, frame)],
    };
  });
  const base = baseLayout({ ...options, height: frame.height }, names.length > 1);
  const layout = {
    ...base,
    legend: { ...(base.legend as object), ...FLOWING_LEGEND },
    margin: { l: SIDE, r: SIDE - GAP + 8, t: frame.top, b: X_TITLE_ROOM + 8, pad: 0 },
    ...Object.assign({}, ...drawn.map(({ axes }) => axes)),
    shapes: drawn.flatMap(({ shapes }) => shapes),
    annotations: [...drawn.flatMap(({ annotations }) => annotations), xTitleText(options, frame)],
  };
  return { name, title, spec: { data: drawn.flatMap(({ traces }) => traces), layout }, table: tableOf(options, lines) };
}

function checkPanels({ name, panels, xScale, path = false, regions = [] }: LinePanelsOptions): void {
  checkName(name);
  if (panels.length === 0) throw badInput("no panels: expected at least one", "Check the records behind the figure.");
  for (const { series } of panels) {
    checkNames(
      "series",
      series.map((one) => one.name),
    );
    for (const one of series) checkLine(one, { isLog: xScale === "log", isSorted: !path });
  }
  checkRegions(regions);
  for (const { yScale, series } of panels) {
    const lowest = Math.min(
      ...series.flatMap(({ y, intervals = [] }) => [...y, ...intervals.flatMap((each) => each ?? [])]),
    );
    if (yScale !== "log" || lowest > 0) continue;
    throw badInput(`a value is ${lowest}, expected more than 0 on a logarithmic axis`, "Use a linear one.");
  }
}

/** Scale and ticks of a y axis of so many pixels. */
function ownScale(lines: readonly Line[], isLog: boolean, options: LinePanelsOptions, pixels: number): object {
  const range = yRangeOf(lines, { ...options, isLog });
  return isLog ? { type: "log", range, ...chooseTicks([], { isLog, range, pixels }) } : { range, nticks: 7 };
}

/** Solid and thin for what lies behind another series, so that only the other one is read. */
function styleOf({ name, behind }: PanelSeries, styles: ReadonlyMap<string, SeriesStyle>): SeriesStyle {
  const style = styles.get(behind ?? name)!;
  return behind === undefined ? style : { ...style, dash: "solid", width: 1 };
}

interface DrawnTrace {
  trace: object;
  /** The name under which the legend has it, if it does. */
  legend?: string;
}

/** Bands and what lies behind first, so that they cover no line. */
function panelTraces(series: readonly PanelSeries[], lines: readonly Line[], options: LinePanelsOptions): DrawnTrace[] {
  const isBand = options.uncertainty === "band";
  const bands = isBand ? lines.flatMap(bandTrace).map((trace) => ({ trace })) : [];
  const behind = lines.flatMap((line, at) => {
    if (series[at]!.behind === undefined) return [];
    return [{ trace: { ...lineTrace(line, { isAlone: true }), mode: "lines", opacity: 0.35, hoverinfo: "skip" } }];
  });
  const front = lines.flatMap((line, at) => {
    if (series[at]!.behind !== undefined) return [];
    const trace = lineTrace(line, { isAlone: series.length === 1, whiskers: !isBand });
    return [{ trace: { ...trace, legendgroup: line.name }, legend: line.name }];
  });
  return [...bands, ...behind, ...front];
}

/** Where everything is, in pixels; panels begin at `top`. */
interface Frame {
  top: number;
  /** Of the whole figure. */
  height: number;
  perRow: number;
  places: PanelPlace[];
  headers: string[][];
  /** What ticks and title of y take at the left of each panel. */
  yRoom: number;
  across: (pixels: number) => number;
  up: (pixels: number) => number;
}

function layOut(options: LinePanelsOptions, names: readonly string[]): Frame {
  const { panels, sharedY = true, width = WIDTH, columns = panels.length } = options;
  const legend = names.length > 1 ? legendHeight(names, width) : 0;
  const top = Math.ceil(headHeight(options, width) + legend + 8);
  const hasOwnTitles = panels.some(({ yTitle }) => yTitle !== undefined);
  // A scale that all share stands once, at the left, but every panel is as wide as the others.
  const yRoom = sharedY ? 0 : TICK_ROOM + (hasOwnTitles ? TITLE_ROOM : 0);
  const left = (sharedY ? TICK_ROOM : 0) + (hasOwnTitles ? 0 : TITLE_ROOM);
  const inner = width - SIDE - (SIDE - GAP + 8);
  const perRow = Math.min(columns, panelsPerRow(panels.length, inner - left, MIN_PANEL_WIDTH));
  const rows = Math.ceil(panels.length / perRow);
  const panelWidth = (inner - left) / perRow;
  const headers = panels.map((panel) => {
    return panel.title === undefined ? [] : wrapText(panel.title, panelWidth - yRoom - GAP, HEADER_FONT);
  });
  const headerHeights = headers.map((lines) => (lines.length > 0 ? 17 * lines.length + 8 : 6));
  const place = (bodyHeight: number) => {
    return placePanels(headerHeights, perRow, inner - left, bodyHeight).map((one) => ({
      ...one,
      left: one.left + left,
    }));
  };
  const ends = top + X_TITLE_ROOM + 8;
  const natural = PANEL_HEIGHT + X_TICK_ROOM;
  const { height = Math.ceil(ends + place(natural).at(-1)!.bottom) } = options;
  const places = place(natural + (height - ends - place(natural).at(-1)!.bottom) / rows);
  const [innerWidth, innerHeight] = [inner, height - ends];
  return {
    top,
    height,
    perRow,
    places,
    headers,
    yRoom,
    across: (pixels) => pixels / innerWidth,
    up: (pixels) => 1 - pixels / innerHeight,
  };
}

/** A panel's header, and its y axis's title: at every panel that has its own, else at the first of each row. */
function panelTexts({ panels, yTitle, sharedY = true }: LinePanelsOptions, at: number, frame: Frame): object[] {
  const { left, top, bottom, isFirstOfRow } = frame.places[at]!;
  const hasOwnTitles = panels.some((panel) => panel.yTitle !== undefined);
  const header = frame.headers[at]!;
  const titleLeft = hasOwnTitles ? left : left - (sharedY ? TICK_ROOM : 0) - TITLE_ROOM;
  return [
    ...(header.length > 0
      ? [
          {
            text: `<b>${textLines(header)}</b>`,
            font: { size: HEADER_FONT.size },
            align: "left",
            xref: "paper",
            x: frame.across(left + frame.yRoom),
            xanchor: "left",
            yref: "paper",
            y: frame.up(top),
            yanchor: "bottom",
            showarrow: false,
          },
        ]
      : []),
    ...(isFirstOfRow || hasOwnTitles
      ? [
          {
            ...axisTitle(panels[at]!.yTitle ?? yTitle, bottom - X_TICK_ROOM - top),
            textangle: -90,
            xref: "paper",
            x: frame.across(titleLeft),
            xanchor: "left",
            yref: "paper",
            y: frame.up((top + bottom - X_TICK_ROOM) / 2),
            yanchor: "middle",
            showarrow: false,
          },
        ]
      : []),
  ];
}

function xTitleText({ xTitle, width = WIDTH }: LinePanelsOptions, { places, yRoom, across }: Frame): object {
  const [first, last] = [places[0]!.left + yRoom, Math.max(...places.map((one) => one.left + one.width - GAP))];
  return {
    ...axisTitle(xTitle, width - 2 * SIDE),
    xref: "paper",
    x: across((first + last) / 2),
    yref: "paper",
    y: 0,
    yshift: -X_TITLE_ROOM,
    yanchor: "bottom",
    showarrow: false,
  };
}

function tableOf({ panels, panelColumn = "panel" }: LinePanelsOptions, lines: readonly (readonly Line[])[]) {
  const rows = lines.flatMap((own, at) =>
    own.flatMap(({ name, x, points }) =>
      points.map((point, index) => ({
        keys: [panels[at]!.title ?? panels[at]!.yTitle ?? null, name, x[index]!] as Cell[],
        ...point,
      })),
    ),
  );
  return estimateTable([panelColumn, "series", "x", "y"], rows);
}
