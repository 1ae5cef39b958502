import { COLOURS, type SeriesStyle } from "./style.js";

/** Plotly's marker of a series: hollow ones are white inside, so that no line shows through. */
export function markerOf({ colour, outline, marker, hollow }: SeriesStyle, size: number): object {
  return {
    symbol: marker,
    size,
    color: hollow ? COLOURS.background : colour,
    line: { color: hollow ? colour : outline, width: hollow ? 2 : 1 },
  };
}

/** The markers of several series as those of one trace. */
export function markersOf(styles: readonly SeriesStyle[], size: number): object {
  return {
    size,
    symbol: styles.map(({ marker }) => marker),
    color: styles.map(({ colour, hollow }) => (hollow ? COLOURS.background : colour)),
    line: {
      color: styles.map(({ colour, outline, hollow }) => (hollow ? colour : outline)),
      width: styles.map(({ hollow }) => (hollow ? 2 : 1)),
    },
  };
}

/** Where a mark stands: a place on two of Plotly's axes. */
export interface MarkPlace {
  x: number;
  y: number;
  xref?: string;
  yref?: string;
}

const RING = 9;

/** A ring around a mark that no line goes through, with the dash that the line of its series has; none if it is solid. */
export function dashRing({ colour, dash }: SeriesStyle, { x, y, xref = "x", yref = "y" }: MarkPlace): object[] {
  if (dash === "solid") return [];
  return [
    {
      type: "circle",
      xref,
      yref,
      xsizemode: "pixel",
      ysizemode: "pixel",
      xanchor: x,
      yanchor: y,
      x0: -RING,
      x1: RING,
      y0: -RING,
      y1: RING,
      line: { color: colour, width: 1.3, dash },
    },
  ];
}
