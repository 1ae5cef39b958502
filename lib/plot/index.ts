export type { Cell, Drawing, Figure, FigureOptions, PlotlyLayout, PlotlySpec, Table } from "./figure.js";
export { type BarFigureOptions, type BarSeries, barFigure } from "./figures/bar.js";
export { type BudgetFigureOptions, type BudgetRow, budgetFigure } from "./figures/budget.js";
export {
  type Benchmark,
  type ComparisonFigureOptions,
  comparisonFigure,
  type Method,
} from "./figures/comparison.js";
export { type HeatmapFigureOptions, heatmapFigure } from "./figures/heatmap.js";
export { type HistogramFigureOptions, type HistogramSeries, histogramFigure } from "./figures/histogram.js";
export { type ImportanceFigureOptions, importanceFigure, type WeighedStep } from "./figures/importance.js";
export { type LineFigureOptions, lineFigure } from "./figures/line.js";
export { linePanelsFigure } from "./figures/line-panels.js";
export { drawQuestionGraph, type QuestionGraphOptions, type QuestionNode } from "./figures/question-graph.js";
export { type ScatterFigureOptions, type ScatterPoint, scatterFigure } from "./figures/scatter.js";
export { type SearchTreeOptions, searchTreeFigure } from "./figures/search-tree.js";
export { type ScoredToken, type TokenFigureOptions, tokenFigure } from "./figures/token.js";
export { type TrainingFigureOptions, type TrainingPhase, trainingFigure } from "./figures/training.js";
export { type TreeFigureOptions, treeFigure } from "./figures/tree.js";
export { exportDrawing, exportFigure, tableToCsv } from "./output/export.js";
export { withDrawingNote, withNote } from "./output/note.js";
export { compressPng } from "./output/png.js";
export { renderPng, renderSvg } from "./output/render.js";
export type { Interval } from "./parts/intervals.js";
export type { LinePanel, LinePanelsOptions, PanelSeries } from "./parts/line-panels-layout.js";
export type { LineSeries, Region } from "./parts/lines.js";
export { questionNodes } from "./parts/question-nodes.js";
export { isKnownMethod, isOwnMethod, methodStyles } from "./style/method-style.js";
export type { SeriesStyle } from "./style/style.js";
export { type TextStyle, textWidth, wrapText } from "./style/text-width.js";
