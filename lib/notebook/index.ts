export { type CheckOptions, checkNotebook, type Problem } from "./check.js";
export { type CellEvent, type Execution, executeNotebook } from "./execute.js";
export { type FigureBasis, figureNote, noteFigures, type OwnBasis } from "./figure-note.js";
export { type Kernel, type KernelOptions, kernelCommand, type Outcome, startKernel } from "./kernel.js";
export { type InstallKernelOptions, installKernel, jupyterDataFolder, KERNEL_ID } from "./kernel-spec.js";
export {
  type Cell,
  type CodeCell,
  type Notebook,
  type Output,
  readNotebook,
  sourceHash,
  writeNotebook,
} from "./notebook-file.js";
export { type ParameterValues, SCALES, type Scale } from "./parameters.js";
export { type RunOptions, type RunResult, runNotebook, showFailure } from "./run.js";
export {
  type ShowOptions,
  type ShowTableOptions,
  showBundle,
  showMarkdown,
  showTable,
  type TableLike,
} from "./show.js";
export { type ShowFigureOptions, showDrawing, showFigure } from "./show-figure.js";
export { type ShowTrainingOptions, showTraining } from "./show-training.js";
