export { type BarFigureOptions, type BarSeries, barFigure } from "./bar-figure.js";
export { type BudgetFigureOptions, type BudgetRow, budgetFigure } from "./budget-figure.js";
export {
  type Benchmark,
  type ComparisonFigureOptions,
  comparisonFigure,
  type Method,
} from "./comparison-figure.js";
export { exportDrawing, exportFigure, tableToCsv } from "./export.js";
export type { Cell, Drawing, Figure, FigureOptions, PlotlyLayout, PlotlySpec, Table } from "./figure.js";
export { type HeatmapFigureOptions, heatmapFigure } from "./heatmap-figure.js";
export { type HistogramFigureOptions, type HistogramSeries, histogramFigure } from "./histogram-figure.js";
export { type ImportanceFigureOptions, importanceFigure, type WeighedStep } from "./importance-figure.js";
export type { Interval } from "./intervals.js";
export { type LineFigureOptions, lineFigure } from "./line-figure.js";
export { linePanelsFigure } from "./line-panels.js";
export type { LinePanel, LinePanelsOptions, PanelSeries } from "./line-panels-layout.js";
export type { LineSeries, Region } from "./lines.js";
export { isKnownMethod, isOwnMethod, methodStyles } from "./method-style.js";
export { withDrawingNote, withNote } from "./note.js";
export { compressPng } from "./png.js";
export { drawQuestionGraph, type QuestionGraphOptions, type QuestionNode } from "./question-graph.js";
export { questionNodes } from "./question-nodes.js";
export { renderPng, renderSvg } from "./render.js";
export { type ScatterFigureOptions, type ScatterPoint, scatterFigure } from "./scatter-figure.js";
export { type SearchTreeOptions, searchTreeFigure } from "./search-tree.js";
export type { SeriesStyle } from "./style.js";
export { type TextStyle, textWidth, wrapText } from "./text-width.js";
export { type ScoredToken, type TokenFigureOptions, tokenFigure } from "./token-figure.js";
export { type TrainingFigureOptions, type TrainingPhase, trainingFigure } from "./training-figure.js";
