import type { FigureOptions } from "../figure.js";
import { axisTitle, headHeight, SIZES, textLines, WIDTH } from "../style/style.js";
import { wrapText } from "../style/text-width.js";
import { legendHeight } from "./legend.js";
import type { LineOptions, LineSeries, Region } from "./lines.js";
import { panelsPerRow, placePanels } from "./panel-grid.js";

export interface PanelSeries extends LineSeries {
  /** The name of another series of the panel of which this is the unsmoothed data: drawn thin, in its colour. */
  behind?: string;
}

export interface LinePanel {
  /** Above the panel. Default: nothing. */
  title?: string;
  /** Default: that of the figure. */
  yTitle?: string;
  /** Scale of a panel with a y scale of its own. Default: "linear". */
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
/** Length of a tick, with the gaps beside it. */
const TICK_MARK = 16;
const LEAST_TICKS = 18;
const TITLE_LINE = 1.3 * SIZES.axisTitle;
const X_TICK_ROOM = 26;
const X_TITLE_ROOM = 30;

/** The part of a panel where data is drawn. */
interface PanelBody {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  isFirstOfRow: boolean;
  /** In shares of the plot, from the lower left corner. */
  domain: { x: [left: number, right: number]; y: [bottom: number, top: number] };
}

/** Where everything is. */
export interface PanelFrame {
  /** Height of the whole figure, in pixels. */
  height: number;
  margin: { l: number; r: number; t: number; b: number; pad: number };
  perRow: number;
  bodies: PanelBody[];
  headers: string[][];
  /** From a panel's left end over the ticks of its y axis to the title, in shares of the plot. */
  tickOffset: number;
}

/**
 * Divide a figure among panels, below a legend of these names.
 * @param ticks the width of the widest tick of a y axis, in pixels
 */
export function layOut(options: LinePanelsOptions, names: readonly string[], ticks: number): PanelFrame {
  const { panels, sharedY = true, width: figureWidth = WIDTH, columns = panels.length } = options;
  const legend = names.length > 1 ? legendHeight(names, figureWidth) : 0;
  const margin = {
    l: SIDE,
    r: 6,
    t: Math.ceil(headHeight(options, figureWidth) + legend + 8),
    b: X_TITLE_ROOM + 8,
    pad: 0,
  };
  const hasOwnTitles = panels.some(({ yTitle }) => yTitle !== undefined);
  // A scale or title that all share stands once, at the left, and every panel is as wide as the others.
  const tickRoom = TICK_MARK + Math.max(LEAST_TICKS, Math.ceil(ticks));
  const width = figureWidth - margin.l - margin.r;
  const perRow = Math.min(columns, panelsPerRow(panels.length, width - tickRoom, MIN_PANEL_WIDTH));
  const titleRoom = Math.ceil(TITLE_LINE * titleLines(options, perRow, margin.t + margin.b));
  const left = (sharedY ? tickRoom : 0) + (hasOwnTitles ? 0 : titleRoom);
  const yRoom = tickRoom + titleRoom - left;
  const rows = Math.ceil(panels.length / perRow);
  const bodyWidth = (width - left) / perRow - yRoom - GAP;
  const headers = panels.map(({ title }) => (title?.trim() ? wrapText(title, bodyWidth, HEADER_FONT) : []));
  const headerHeights = headers.map((lines) => (lines.length > 0 ? 17 * lines.length + 8 : 6));
  const place = (bodyHeight: number) => placePanels(headerHeights, perRow, width - left, bodyHeight);
  const natural = PANEL_HEIGHT + X_TICK_ROOM;
  const needed = margin.t + margin.b + place(natural).at(-1)!.bottom;
  const { height: figureHeight = Math.ceil(needed) } = options;
  const height = figureHeight - margin.t - margin.b;
  const bodies = place(natural + (figureHeight - needed) / rows).map(({ isFirstOfRow, ...panel }): PanelBody => {
    const [from, to] = [left + panel.left + yRoom, panel.bottom - X_TICK_ROOM];
    return {
      width: bodyWidth,
      height: to - panel.top,
      isFirstOfRow,
      domain: { x: [from / width, (from + bodyWidth) / width], y: [1 - to / height, 1 - panel.top / height] },
    };
  });
  return { height: figureHeight, margin, perRow, bodies, headers, tickOffset: tickRoom / width };
}

/** How many lines the y axes' titles take, the longest one, in panels of about the height that they will have. */
function titleLines({ panels, yTitle, height }: LinePanelsOptions, perRow: number, ends: number): number {
  const rows = Math.ceil(panels.length / perRow);
  const body = height === undefined ? PANEL_HEIGHT : (height - ends) / rows - X_TICK_ROOM - 17;
  const titles = [...new Set(panels.map((panel) => panel.yTitle ?? yTitle))];
  return Math.max(...titles.map((title) => wrapText(title, body, { size: SIZES.axisTitle }).length));
}

/** A panel's header, and its y axis's title: at every panel that has its own, else at the first of each row. */
export function panelTexts({ panels, yTitle }: LinePanelsOptions, at: number, frame: PanelFrame): object[] {
  const { domain, height, isFirstOfRow } = frame.bodies[at]!;
  const hasOwnTitles = panels.some((panel) => panel.yTitle !== undefined);
  const onPaper = { xref: "paper", xanchor: "left", yref: "paper", showarrow: false };
  const header = frame.headers[at]!;
  const title = {
    ...axisTitle(panels[at]!.yTitle ?? yTitle, height),
    ...onPaper,
    textangle: -90,
    // Where it takes more lines than one, they grow away from the ticks.
    x: domain.x[0] - frame.tickOffset,
    xanchor: "right",
    y: (domain.y[0] + domain.y[1]) / 2,
    yanchor: "middle",
  };
  const headerText = {
    text: `<b>${textLines(header)}</b>`,
    font: { size: HEADER_FONT.size },
    ...onPaper,
    align: "left",
    x: domain.x[0],
    y: domain.y[1],
    yanchor: "bottom",
  };
  return [...(header.length > 0 ? [headerText] : []), ...(isFirstOfRow || hasOwnTitles ? [title] : [])];
}

/** The x axes' title, once, under the middle of all panels. */
export function xTitleText({ xTitle, width = WIDTH }: LinePanelsOptions, { bodies }: PanelFrame): object {
  const right = Math.max(...bodies.map(({ domain }) => domain.x[1]));
  return {
    ...axisTitle(xTitle, width - 2 * SIDE),
    xref: "paper",
    x: (bodies[0]!.domain.x[0] + right) / 2,
    yref: "paper",
    y: 0,
    yshift: -X_TITLE_ROOM,
    yanchor: "bottom",
    showarrow: false,
  };
}
