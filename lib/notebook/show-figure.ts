import type { Drawing, Figure } from "../plot/index.js";
import { type ShowOptions, showBundle } from "./show.js";

/** Pixels of the PNG to one of the figure: sharp enough for a screen, small enough for a notebook under review. */
const SCALE = 1.5;

/**
 * Show a figure in the notebook as one output: a PNG for readers, the Plotly specification for front ends that draw it.
 * In a run of `thoughtbook notebooks run` it is also exported, as SVG, PNG and CSV.
 * @throws ThoughtbookError if it cannot be drawn, or the folder of the figures cannot be written.
 */
export async function showFigure(figure: Figure, options: ShowOptions = {}): Promise<void> {
  showBundle(await figureBundle(figure), options);
}

/** Show a drawing, such as a question graph, as SVG; exported as SVG and PNG like a figure. */
export async function showDrawing(drawing: Drawing): Promise<void> {
  showBundle(await drawingBundle(drawing));
}

/** A figure as a notebook shows it; in a run of `thoughtbook notebooks run` it is also exported. */
export async function figureBundle(figure: Figure) {
  const { compressPng, exportFigure, renderPng, renderSvg } = await loadPlot();
  const folder = process.env.THOUGHTBOOK_FIGURES;
  const svg = await renderSvg(figure);
  if (folder) await exportFigure(figure, folder, svg);
  const png = await compressPng(renderPng(svg, { scale: SCALE }));
  return {
    "image/png": Buffer.from(png).toString("base64"),
    "application/vnd.plotly.v1+json": figure.spec,
    "text/plain": figure.title,
  };
}

/** A drawing as a notebook shows it; exported like a figure. */
export async function drawingBundle(drawing: Drawing) {
  const folder = process.env.THOUGHTBOOK_FIGURES;
  if (folder) await (await loadPlot()).exportDrawing(drawing, folder);
  return { "image/svg+xml": drawing.svg, "text/plain": drawing.title };
}

/** On demand: the commands that run and check notebooks draw nothing, and loading it takes 0.3 s. */
const loadPlot = () => import("../plot/index.js");
