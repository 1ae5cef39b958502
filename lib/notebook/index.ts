export { type CheckOptions, checkNotebook, type Problem } from "./check.js";
export type { CellEvent } from "./execute.js";
export { type FigureBasis, noteFigures, type OwnBasis } from "./figure-note.js";
export { type InstallKernelOptions, installKernel, jupyterDataFolder, KERNEL_ID } from "./kernel-spec.js";
export { SCALES, type Scale } from "./parameters.js";
export { type RunOptions, type RunResult, runNotebook, showFailure } from "./run.js";
export { type ShowTableOptions, showMarkdown, showTable, type TableLike } from "./show.js";
export { type ShowFigureOptions, showDrawing, showFigure } from "./show-figure.js";
export { type ShowTrainingOptions, showTraining } from "./show-training.js";
