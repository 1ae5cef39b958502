export type { WordProblem } from "./annotated/annotated-problem.js";
export { contractQuestion } from "./annotated/contract-question.js";
export { givenNumbers, includesNumber } from "./annotated/given-numbers.js";
export {
  type AnnotationAudit,
  auditAnnotations,
  countValues,
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
export { type ProblemGraph, problemGraph, type Reading } from "./annotated/problem-graph.js";
export { finalQuestionOf, subQuestionOf } from "./annotated/sub-question.js";
export { type ConversationRow, conversationOf } from "./files/conversation-row.js";
export { type MalformedRow, type RawRow, type RowFileOptions, readRows } from "./files/row-files.js";
export {
  FUNCTION_STEPS,
  type FunctionProblem,
  type FunctionProblemOptions,
  functionProblems,
  generateFunctionProblem,
} from "./functions/function-problems.js";
export { type AstarPaper, loadAstarPaper } from "./papers/astar-paper.js";
export { loadPaper, type Paper, type PaperCounts, type PaperTable, paperCounts, paperTable } from "./papers/papers.js";
export { type Trace, type TraceStatistics, traceStatistics } from "./papers/trace-statistics.js";
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
export { type LocatedFile, type LocateOptions, locateSplit, splitAtHand } from "./sets/locate-split.js";
export { PARTS, type Part, partOf } from "./sets/parts.js";
export type { DatasetRecord, MathRecord, MultiHopRecord, TextRecord, TraceRecord } from "./sets/records.js";
export { type ChainComparison, comparisonTable, generatedChainStatistics } from "./word-problems/chain-comparison.js";
export { contractions, contractProblem } from "./word-problems/contract-problem.js";
export {
  type FactOrder,
  generateWordProblem,
  MOST_DISTRACTORS,
  MOST_OPERATIONS,
  type WordProblemOptions,
  wordProblems,
} from "./word-problems/generate.js";
export { lateQuantities } from "./word-problems/late.js";
export { countRoughly, type LongChain, longChain } from "./word-problems/long-chain.js";
export { problemPlan } from "./word-problems/plan.js";
export type { ProceduralProblem, Split } from "./word-problems/problem.js";
export {
  asProblemField,
  PROBLEM_FIELDS,
  type ProblemField,
  type ProblemRecord,
  problemRecord,
} from "./word-problems/problem-record.js";
export { problemProgram } from "./word-problems/program.js";
export { type SolvedQuestion, solveQuestion } from "./word-problems/solve-question.js";
export { type SplitOverlap, splitOf, splitOverlap } from "./word-problems/split.js";
export { type Arithmetic, type ProblemStep, problemSteps, shortChain, stepStatement } from "./word-problems/steps.js";
export { questionGraph, subQuestionWordings } from "./word-problems/sub-questions.js";
export { tidyProblem } from "./word-problems/tidy-problem.js";
export { drawWrongChain, type WrongChain } from "./word-problems/wrong-chain.js";
