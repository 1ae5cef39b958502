export { type AcceptedRowsOptions, writeAcceptedRows } from "./accepted-rows.js";
export {
  BASELINE_MODES,
  type BaselineMode,
  type BaselineOptions,
  baselineSteps,
  prunedThoughts,
  SIZED_MODES,
} from "./baselines.js";
export { type BestFirstOptions, type BestFirstResult, bestFirstSearch } from "./best-first-search.js";
export {
  COMPRESS_MODES,
  type Compressed,
  type CompressMode,
  type CompressOptions,
  compressRows,
  needsOf,
} from "./compress.js";
export { type CompressFileOptions, type CompressionSummary, compressFile } from "./compress-file.js";
export {
  type KeptSteps,
  SEARCH_DEFAULTS,
  SEARCH_MODES,
  type SearchMode,
  type SearchSettings,
  searchRow,
} from "./compress-row.js";
export {
  type CompressedRow,
  type CompressedRowOptions,
  type CompressionResult,
  compressedRow,
  compressionRate,
  type TokenCounter,
} from "./compressed-row.js";
export { type GatheredModel, gatherCalls } from "./gather-calls.js";
export {
  type Chain,
  CONDITION_SENTENCES,
  type ConditionSentences,
  importanceSignals,
  type MeasuredChain,
  type SignalOptions,
  type SignalSettings,
} from "./importance.js";
export { type CacheOptions, hashChain, type ImportanceCache, openImportanceCache } from "./importance-cache.js";
export {
  bidirectionalImportance,
  type ChainSignals,
  type ConditionSignals,
  conditionAttention,
  IMPORTANCE_SIGNALS,
  type Importance,
  type ImportanceOptions,
  type ImportanceSignal,
  NORMALISATIONS,
  type Normalisation,
  rankSteps,
  type StepSignals,
} from "./importance-formulas.js";
export { type KeptQuality, keptQuality } from "./kept-quality.js";
export { openPathCosts, type PathCost, type PathCostOptions, type PathCosts, type PathText } from "./path-cost.js";
export { type PathTags, releasedTags, THINK_TAGS } from "./path-parts.js";
export { ROW_FORMAT_NAMES, type RowFormat } from "./row-formats.js";
export {
  type ChainRow,
  countOutcome,
  emptyTally,
  problemRow,
  type ReadChainRowsOptions,
  ROW_REMARKS,
  type RowOutcome,
  type RowRemark,
  type RowTally,
  readChainRows,
  SKIP_REASONS,
  type SkipReason,
  type SplitOptions,
  traceRow,
} from "./rows.js";
export type { SearchNode, SearchResult, SearchStatus, SearchTree } from "./search-tree.js";
export { type LabelledSignals, placeByLength, signalPrecision } from "./signal-quality.js";
export { joinSteps, SPLITTINGS, type Splitting, STEP_SEPARATOR, splitSteps } from "./split-steps.js";
export type { StepSet } from "./step-set.js";
export {
  compareStudents,
  type StudentAnswers,
  type StudentComparison,
  type StudentMeasures,
  type StudentPoint,
  studentAnswers,
  studentMeasures,
  studentPoints,
} from "./student-measures.js";
export { type ComparisonResult, runStudy, type StudentsResult, type StudyOptions, type StudyResults } from "./study.js";
export { parseStudy, readStudy, type Study, type StudySet } from "./study-config.js";
export { type SetPoint, STUDY_SETTINGS, type StudySetting, setPoints, settingEffect } from "./study-effects.js";
export { readStudyResults } from "./study-results.js";
export { chainLines, type SetResult } from "./study-sets.js";
export { readTagged, THOUGHT_TAGS, type ThoughtTags, writeTagged } from "./tags.js";
export {
  SOLUTION_PARTS,
  type SolutionPart,
  type TrainingConversation,
  type TrainingOptions,
  trainingConversation,
} from "./training-row.js";
export { createPathVerifier, type PathVerifier, type PathVerifierOptions, thoughtPrompt } from "./verify-path.js";
export { faithfulSearch, paperSearch, type WalkOptions } from "./walk-search.js";
