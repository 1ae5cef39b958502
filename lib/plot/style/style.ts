import type { FigureOptions, PlotlyLayout } from "../figure.js";
import { textExtent, wrapText } from "./text-width.js";

/** DejaVu Sans is what the PNG is drawn with; Verdana has almost its widths, for an SVG read elsewhere. */
export const FONT_FAMILY = '"DejaVu Sans", Verdana, sans-serif';

/** Font sizes in pixels at the default width. */
export const SIZES = { title: 18, subtitle: 13, axisTitle: 14, tick: 12, legend: 13, label: 12 };

export const COLOURS = { text: "#222222", muted: "#5A5A5A", axis: "#555555", grid: "#E4E4E4", background: "#FFFFFF" };

const MARGIN = { left: 14, top: 16, right: 24 };

/** The size of a figure in pixels, where none is asked for: that of a README's column. */
export const WIDTH = 760;
export const HEIGHT = 440;

/** The longest line of an upright axis's title and of a name in the legend, in pixels. */
const TITLE_ROOM = 300;
/** About what the margins at both sides of the x axis take. */
const AXIS_SIDES = 120;

// As Plotly sets text, in font sizes.
const LINE_SPACING = 1.3;
const SUBTITLE_GAP = 1.6;
const CAP_HEIGHT = 0.73;

/** How a series is distinguished: by colour, and without colour by marker and dash. */
export interface SeriesStyle {
  colour: string;
  /** A darker shade of the colour, for outlines and whiskers. */
  outline: string;
  marker: string;
  dash: string;
  /** Line width in pixels. Default: 2.2. */
  width?: number;
  /** Whether its marks are empty. Default: false. */
  hollow?: boolean;
}

/**
 * Okabe and Ito's palette, with violet in place of yellow, which is hardly visible on white, plus grey and black: any
 * two are distinguishable for readers with any kind of colour blindness. Each with a darker shade for outlines and
 * whiskers.
 */
export const PALETTE = {
  blue: ["#0072B2", "#004B75"],
  orange: ["#E69F00", "#8F6300"],
  green: ["#009E73", "#00664B"],
  pink: ["#CC79A7", "#8A3F68"],
  sky: ["#56B4E9", "#1B6FA0"],
  vermillion: ["#D55E00", "#8A3D00"],
  grey: ["#6B6B6B", "#3A3A3A"],
  violet: ["#5B2A86", "#3B1A5A"],
  black: ["#111111", "#000000"],
} as const;

const series = ([colour, outline]: readonly [string, string], marker: string, dash: string): SeriesStyle => {
  return { colour, outline, marker, dash };
};

/** In an order that alternates dark and light. */
export const SERIES_STYLES: readonly SeriesStyle[] = [
  series(PALETTE.blue, "circle", "solid"),
  series(PALETTE.orange, "square", "dash"),
  series(PALETTE.green, "diamond", "dot"),
  series(PALETTE.pink, "triangle-up", "dashdot"),
  series(PALETTE.sky, "triangle-down", "longdash"),
  series(PALETTE.vermillion, "cross", "longdashdot"),
  series(PALETTE.grey, "x", "8px,3px,2px,3px,2px,3px"),
  series(PALETTE.violet, "star", "2px,4px"),
];

/** Maximum number of series that can be distinguished in one figure. */
export const MAX_SERIES = SERIES_STYLES.length;

/** Make `text` mean itself to Plotly, which reads tags, entities and TeX in every text it draws. */
export function plainText(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", $: "&#36;" };
  return text.replace(/[&<>$]/g, (character) => entities[character]!);
}

/** Lines of text as Plotly writes them. */
export function textLines(lines: readonly string[]): string {
  return lines.map(plainText).join("<br>");
}

/** A series' name as the legend shows it. */
export function legendName(name: string): string {
  return textLines(wrapText(name, TITLE_ROOM, { size: SIZES.legend }));
}

/** The title of an axis or a colour bar, wrapped to `room` pixels. */
export function axisTitle(title: string, room = TITLE_ROOM): { text: string; font: { size: number } } {
  return { text: textLines(wrapText(title, room, { size: SIZES.axisTitle })), font: { size: SIZES.axisTitle } };
}

/**
 * An axis in the house style; `attributes` are Plotly's and win. With `width`, the figure's, it is the x axis, whose
 * title may be as long as the figure has room.
 */
export function axis(title: string | undefined, attributes: object, width?: number): object {
  return {
    ...(title ? { title: { ...axisTitle(title, width && width - AXIS_SIDES), standoff: 12 } } : {}),
    tickfont: { size: SIZES.tick },
    automargin: true,
    showline: true,
    linecolor: COLOURS.axis,
    ticks: "outside",
    ticklen: 4,
    tickcolor: COLOURS.axis,
    gridcolor: COLOURS.grid,
    zeroline: false,
    ...attributes,
  };
}

/** Attributes of an axis that names its positions 0, 1, 2, … with wrapped names. */
export function nameTicks(names: readonly (readonly string[])[]): object {
  return {
    tickvals: names.map((_, at) => at),
    ticktext: names.map(textLines),
    ticks: "",
    ticklabelstandoff: 4,
    showgrid: false,
  };
}

interface Head {
  titleLines: string[];
  subtitleLines: string[];
  /** Baseline of the title's first line, in pixels from the top. */
  baseline: number;
  /** Where title and subtitle end, in pixels from the top. */
  bottom: number;
}

/** Title and subtitle, wrapped for the width and measured as Plotly sets them. */
function head({ title, subtitle = "" }: FigureOptions, width: number): Head {
  const room = width - MARGIN.left - MARGIN.right;
  const titleFont = { size: SIZES.title, bold: true };
  const subtitleFont = { size: SIZES.subtitle };
  const titleLines = wrapText(title, room, titleFont);
  const subtitleLines = subtitle ? wrapText(subtitle, room, subtitleFont) : [];
  const baseline = MARGIN.top + CAP_HEIGHT * SIZES.title;
  const titleBottom = baseline + (titleLines.length - 1) * LINE_SPACING * SIZES.title + textExtent(titleFont).below;
  const subtitleHeight =
    (SUBTITLE_GAP + (subtitleLines.length - 1) * LINE_SPACING) * SIZES.subtitle + textExtent(subtitleFont).below;
  return { titleLines, subtitleLines, baseline, bottom: titleBottom + (subtitle ? subtitleHeight : 0) + 8 };
}

/** The height in pixels that title and subtitle take at the top of a figure. */
export function headHeight(options: FigureOptions, width: number): number {
  return head(options, width).bottom;
}

/**
 * The layout every figure starts from: size, fonts, title and margins. With `legend` it has a horizontal one between
 * title and plot, where it covers no data; Plotly makes room for as many rows as it needs. `attributes` are Plotly's
 * and win.
 */
export function baseLayout(options: FigureOptions, legend: boolean, attributes: object = {}): PlotlyLayout {
  const { width = WIDTH, height = HEIGHT } = options;
  const { titleLines, subtitleLines, baseline, bottom } = head(options, width);
  return {
    width,
    height,
    font: { family: FONT_FAMILY, size: SIZES.tick, color: COLOURS.text },
    paper_bgcolor: COLOURS.background,
    plot_bgcolor: COLOURS.background,
    margin: { l: 40, r: MARGIN.right, t: bottom + 8, b: 40, pad: 0 },
    title: {
      text: textLines(titleLines),
      font: { size: SIZES.title, weight: "bold" },
      xref: "container",
      x: MARGIN.left / width,
      xanchor: "left",
      yref: "container",
      // The only anchor at which Plotly puts a title of one line and one of several on the same baseline.
      yanchor: "bottom",
      y: 1 - baseline / height,
      ...(subtitleLines.length > 0
        ? { subtitle: { text: textLines(subtitleLines), font: { size: SIZES.subtitle, color: COLOURS.muted } } }
        : {}),
    },
    showlegend: legend,
    legend: {
      orientation: "h",
      xref: "container",
      x: (MARGIN.left - 5) / width,
      xanchor: "left",
      yref: "container",
      y: 1 - bottom / height,
      yanchor: "top",
      font: { size: SIZES.legend },
    },
    ...attributes,
  };
}
