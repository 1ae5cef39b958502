export { type CrossedOptions, type CrossedValues, crossedEstimate } from "./crossed-interval.js";
export { type ErrorCause, errorCause, errorShares } from "./error-cause.js";
export { type EvaluateOptions, type Evaluation, type EvaluationSummary, evaluate } from "./evaluate.js";
export { exportSamples } from "./exchange/export-samples.js";
export { type ImportedResults, type ImportResultsOptions, importResults } from "./exchange/import-results.js";
export { clusteredProportion, type Estimate, mean, meansBy, type Points, proportion, shares } from "./intervals.js";
export { majorityOf } from "./majority.js";
export { compareRecords, mcnemar, type PairedOutcomes } from "./mcnemar.js";
export { acu, acuByParameters, passAtK } from "./metrics.js";
export { type OperationQuality, type OperationQualityOptions, operationQuality } from "./operation-quality.js";
export {
  type AnnotatedQuality,
  type AnnotatedQualityOptions,
  annotatedQuality,
} from "./operations/annotated-quality.js";
export { ANNOTATED, type AnnotatedOperation } from "./operations/cases.js";
export {
  type Candidates,
  readCandidates,
  type TriedWay,
  type Tuned,
  type TuneOptions,
  tuneOperations,
} from "./operations/tune.js";
export { type EvaluationRecord, readEvaluationRecords } from "./records.js";
export { type EvaluationRow, evaluationRows } from "./rows.js";
export {
  parseSamplingParams,
  RELEASED_SAMPLING,
  type SamplingParams,
} from "./sampling-params.js";
export { type EquationErrors, equationErrors, type StatedEquation, statedEquations } from "./stated-equations.js";
export type { Measures } from "./summary.js";
