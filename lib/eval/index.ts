export { type CrossedOptions, type CrossedValues, crossedEstimate } from "./crossed-interval.js";
export { type ErrorCause, errorCause, errorShares } from "./error-cause.js";
export { type EvaluateOptions, type Evaluation, type EvaluationSummary, evaluate } from "./evaluate.js";
export {
  clusteredProportion,
  type Estimate,
  mean,
  meansBy,
  type Points,
  proportion,
  shares,
} from "./intervals.js";
export { acu, acuByParameters, majorityIsCorrect, passAtK, passSizes, type Vote } from "./metrics.js";
export { type OperationQuality, type OperationQualityOptions, operationQuality } from "./operation-quality.js";
export { type EvaluationRecord, evaluationRecordSchema } from "./records.js";
export type { ReleasedResult, ReleasedSummary } from "./released-files.js";
export { type EvaluationRow, evaluationRows } from "./rows.js";
export {
  parseSamplingParams,
  RELEASED_SAMPLING,
  type SamplingParams,
} from "./sampling-params.js";
export { type EquationErrors, equationErrors, type StatedEquation, statedEquations } from "./stated-equations.js";
export { type BudgetMeasures, type ByPolicy, type Measures, summarizeRecords } from "./summary.js";
