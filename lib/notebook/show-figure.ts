import type { Drawing, Figure } from "../plot/index.js";
import { figureNote, type OwnBasis } from "./figure-note.js";
import { type ShowOptions, showBundle } from "./show.js";

export interface ShowFigureOptions extends ShowOptions, OwnBasis {}

/** Pixels of the PNG to one of the figure: sharp enough for a screen, small enough for a notebook under review. */
const SCALE = 1.5;

/**
 * Show a figure in the notebook as one output: a PNG for readers, the Plotly specification for front ends that draw it.
 * What the reader must know of its scale and its data stands in its corner (`noteFigures`). In a run of
 * `thoughtbook notebooks run` it is also exported, as SVG, PNG and CSV.
 * @throws ThoughtbookError if it cannot be drawn, or the folder of the figures cannot be written.
 */
export async function showFigure(
  figure: Figure,
  { problems, from, ...options }: ShowFigureOptions = {},
): Promise<void> {
  showBundle(await figureBundle(figure, { problems, from }), options);
}

/** Show a drawing, such as a question graph, as SVG; exported as SVG and PNG like a figure. */
export async function showDrawing(drawing: Drawing, of: OwnBasis = {}): Promise<void> {
  showBundle(await drawingBundle(drawing, of));
}

/** A figure as a notebook shows it; in a run of `thoughtbook notebooks run` it is also exported. */
export async function figureBundle(figure: Figure, of: OwnBasis = {}) {
  // On demand: the commands that run and check notebooks draw nothing, and loading it takes 0.3 s.
  const { compressPng, exportFigure, renderPng, renderSvg, withNote } = await import("../plot/index.js");
  const noted = withNote(figure, figureNote(of));
  const folder = process.env.THOUGHTBOOK_FIGURES;
  const svg = await renderSvg(noted);
  if (folder) await exportFigure(noted, folder, svg);
  const png = await compressPng(renderPng(svg, { scale: SCALE }));
  return {
    "image/png": Buffer.from(png).toString("base64"),
    "application/vnd.plotly.v1+json": noted.spec,
    "text/plain": noted.title,
  };
}

/** A drawing as a notebook shows it; exported like a figure. */
export async function drawingBundle(drawing: Drawing, of: OwnBasis = {}) {
  const folder = process.env.THOUGHTBOOK_FIGURES;
  const { exportDrawing, withDrawingNote } = await import("../plot/index.js");
  const noted = withDrawingNote(drawing, figureNote(of));
  if (folder) await exportDrawing(noted, folder);
  return { "image/svg+xml": noted.svg, "text/plain": noted.title };
}
