export { contractQuestion } from "./contract-question.js";
export {
  type DatasetTable,
  datasetTable,
  type LocatedFile,
  type LocateOptions,
  locateSplit,
  type Origin,
} from "./datasets.js";
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
export { loadPaper, type Paper, type PaperCounts, type PaperTable, paperCounts, paperTable } from "./papers.js";
export {
  type AmbiguousNumber,
  type NodeOrigin,
  type ProblemGraph,
  problemGraph,
  type Reading,
} from "./problem-graph.js";
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
