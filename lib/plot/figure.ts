export type Cell = string | number | boolean | null;

/** Rows behind a figure, one observation a row. */
export interface Table {
  columns: string[];
  rows: Cell[][];
}

/** A layout of Plotly's with its size in pixels fixed. */
export interface PlotlyLayout {
  width: number;
  height: number;
  [attribute: string]: unknown;
}

/** Input of `Plotly.newPlot`; plain JSON. */
export interface PlotlySpec {
  data: object[];
  layout: PlotlyLayout;
}

/** A figure as data: a pure function of its input. */
export interface Figure {
  /** File name without extension, kebab-case. */
  name: string;
  title: string;
  spec: PlotlySpec;
  table: Table;
}

/** A picture that is not a plot: it has no Plotly specification and no table. */
export interface Drawing {
  /** File name without extension, kebab-case. */
  name: string;
  title: string;
  svg: string;
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
}

/** Options common to all figure functions. */
export interface FigureOptions {
  /** File name without extension: lower-case letters, digits and hyphens. */
  name: string;
  /** What the figure shows, in a sentence or less; wrapped where it is long. */
  title: string;
  /** A second, smaller line: data set, number of samples, what the intervals are. Default: none. */
  subtitle?: string;
  /** Pixels. Default: 760. */
  width?: number;
  /** Pixels. Default: 440, or more where a figure has rows that need it. */
  height?: number;
}
