export { contractQuestion } from "./contract-question.js";
export { type DatasetTable, datasetEntry, datasetTable } from "./dataset-table.js";
export { givenNumbers } from "./given-numbers.js";
export {
  type AnnotationAudit,
  auditAnnotations,
  countValues,
  type GraphRow,
  type GraphSummary,
  summariseGraphs,
} from "./graph-summary.js";
export {
  describeLoaded,
  type Gsm8kSplit,
  type LoadedProblems,
  loadGsm8k,
  loadGsm8kOrSample,
  loadSample,
  sourceName,
} from "./gsm8k.js";
export {
  asDatasetName,
  collectDataset,
  type DatasetName,
  datasetNames,
  type LoadedDataset,
  type LoadOptions,
  loadDataset,
  type RecordOf,
} from "./load-dataset.js";
export { type LocatedFile, type LocateOptions, locateSplit, type Origin, splitAtHand } from "./locate-split.js";
export { loadPaper, type Paper, type PaperCounts, type PaperTable, paperCounts, paperTable } from "./papers.js";
export {
  type AmbiguousNumber,
  type NodeOrigin,
  type ProblemGraph,
  problemGraph,
  type Reading,
} from "./problem-graph.js";
export {
  type ChoiceRecord,
  type CodeRecord,
  choiceRecordSchema,
  codeRecordSchema,
  type DatasetRecord,
  datasetRecordSchema,
  type Game24Record,
  game24RecordSchema,
  type MathRecord,
  type MultiHopRecord,
  mathRecordSchema,
  multiHopRecordSchema,
  type SearchRecord,
  searchRecordSchema,
  type TextRecord,
  type TraceRecord,
  textRecordSchema,
  traceRecordSchema,
} from "./records.js";
export type { MalformedRow } from "./row-files.js";
export {
  type Annotation,
  checkAnnotation,
  type Gsm8kRow,
  gsm8kRowSchema,
  parseWordProblem,
  type Step,
  type Verdict,
  type WordProblem,
} from "./word-problem.js";
