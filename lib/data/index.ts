export {
  type Annotation,
  checkAnnotation,
  type Gsm8kRow,
  gsm8kRowSchema,
  parseWordProblem,
  type Step,
  type Verdict,
  type WordProblem,
} from "./annotated/annotated-problem.js";
export { contractQuestion } from "./annotated/contract-question.js";
export { givenNumbers } from "./annotated/given-numbers.js";
export {
  type AnnotationAudit,
  auditAnnotations,
  countValues,
  type GraphRow,
  type GraphSummary,
  summariseGraphs,
} from "./annotated/graph-summary.js";
export {
  describeLoaded,
  type Gsm8kSplit,
  type LoadedProblems,
  loadGsm8k,
  loadGsm8kOrSample,
  loadSample,
  sourceName,
} from "./annotated/gsm8k.js";
export {
  type AmbiguousNumber,
  type NodeOrigin,
  type ProblemGraph,
  problemGraph,
  type Reading,
} from "./annotated/problem-graph.js";
export { type ConversationRow, conversationOf } from "./files/conversation-row.js";
export { type MalformedRow, type RawRow, type RowFileOptions, readRows } from "./files/row-files.js";
export {
  FUNCTION_STEPS,
  type FunctionCase,
  type FunctionProblem,
  type FunctionProblemOptions,
  functionProblems,
  generateFunctionProblem,
  PRIMITIVES,
} from "./functions/function-problems.js";
export {
  type AstarPaper,
  type AstarPaperPass,
  type AstarPaperResult,
  type AstarPaperTraining,
  loadAstarPaper,
} from "./papers/astar-paper.js";
export { loadPaper, type Paper, type PaperCounts, type PaperTable, paperCounts, paperTable } from "./papers/papers.js";
export {
  type Addition,
  MARKER_NAMES,
  type Marker,
  measureTrace,
  paragraphsOf,
  type Spread,
  type Trace,
  type TraceMeasures,
  type TraceStatistics,
  traceStatistics,
} from "./papers/trace-statistics.js";
export { type DatasetTable, datasetEntry, datasetTable } from "./sets/dataset-table.js";
export {
  asDatasetName,
  collectDataset,
  type DatasetName,
  datasetNames,
  type LoadedDataset,
  type LoadOptions,
  loadDataset,
  type RecordOf,
} from "./sets/load-dataset.js";
export { type LocatedFile, type LocateOptions, locateSplit, type Origin, splitAtHand } from "./sets/locate-split.js";
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
} from "./sets/records.js";
export {
  type ChainComparison,
  chainComparisonSchema,
  comparisonTable,
  generatedChainStatistics,
} from "./word-problems/chain-comparison.js";
export { contractions, contractProblem } from "./word-problems/contract-problem.js";
export {
  type FactOrder,
  generateWordProblem,
  MOST_DISTRACTORS,
  MOST_OPERATIONS,
  type WordProblemOptions,
  wordProblems,
} from "./word-problems/generate.js";
export { RELATION_KINDS } from "./word-problems/kinds.js";
export { lateQuantities } from "./word-problems/late.js";
export {
  type ChainParagraph,
  countRoughly,
  type LongChain,
  longChain,
  type ParagraphKind,
} from "./word-problems/long-chain.js";
export { LONG_CHAIN } from "./word-problems/long-chain-profile.js";
export { problemPlan } from "./word-problems/plan.js";
export type {
  Difficulty,
  ProceduralProblem,
  Quantity,
  Relation,
  RelationKind,
  Split,
} from "./word-problems/problem.js";
export {
  asProblemField,
  PROBLEM_FIELDS,
  type ProblemField,
  type ProblemRecord,
  problemRecord,
  type QuantityRecord,
  type SubQuestionRecord,
} from "./word-problems/problem-record.js";
export { problemProgram } from "./word-problems/program.js";
export { SCENARIOS, type Scenario, type Unit } from "./word-problems/scenarios.js";
export { type SolvedQuestion, solveQuestion } from "./word-problems/solve-question.js";
export { type SplitOverlap, scenariosOf, splitOf, splitOverlap } from "./word-problems/split.js";
export { type Arithmetic, type ProblemStep, problemSteps, shortChain, stepStatement } from "./word-problems/steps.js";
export { questionGraph, subQuestionWordings } from "./word-problems/sub-questions.js";
export { tidyProblem } from "./word-problems/tidy-problem.js";
export { type ChainLine, drawWrongChain, type SolutionError, type WrongChain } from "./word-problems/wrong-chain.js";
