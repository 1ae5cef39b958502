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
  type SplitOptions,
  traceRow,
} from "./chains/chain-rows.js";
export { type RowFormat, SKIP_REASONS, type SkipReason } from "./chains/row-formats.js";
export { joinSteps, SPLITTINGS, type Splitting, STEP_SEPARATOR, splitSteps } from "./chains/split-steps.js";
export { readTagged, THOUGHT_TAGS, type ThoughtTags, writeTagged } from "./chains/tags.js";
export {
  SOLUTION_PARTS,
  type SolutionPart,
  type TrainingConversation,
  type TrainingOptions,
  trainingConversation,
} from "./chains/training-row.js";
export { type AcceptedRowsOptions, writeAcceptedRows } from "./compress/accepted-rows.js";
export {
  BASELINE_MODES,
  type BaselineMode,
  type BaselineOptions,
  baselineSteps,
  prunedThoughts,
  SIZED_MODES,
} from "./compress/baselines.js";
export {
  type Compressed,
  type CompressMode,
  type CompressOptions,
  compressRows,
  needsOf,
} from "./compress/compress.js";
export { type CompressFileOptions, type CompressionSummary, compressFile } from "./compress/compress-file.js";
export {
  type KeptSteps,
  SEARCH_DEFAULTS,
  SEARCH_MODES,
  type SearchMode,
  type SearchSettings,
  searchRow,
} from "./compress/compress-row.js";
export {
  type CompressedRow,
  type CompressedRowOptions,
  type CompressionResult,
  compressedRow,
  compressionRate,
  type TokenCounter,
} from "./compress/compressed-row.js";
export { type CacheOptions, hashChain, openImportanceCache } from "./importance/cache.js";
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
} from "./importance/formulas.js";
export type { ImportanceCache } from "./importance/importance.js";
export {
  type Chain,
  CONDITION_SENTENCES,
  type ConditionSentences,
  importanceSignals,
  type MeasuredChain,
  type SignalOptions,
  type SignalSettings,
} from "./importance/importance.js";
export { type LabelledSignals, placeByLength, signalPrecision } from "./importance/signal-quality.js";
export { type KeptQuality, keptQuality } from "./paths/kept-quality.js";
export {
  openPathCosts,
  type PathCost,
  type PathCostOptions,
  type PathCosts,
  type PathText,
} from "./paths/path-cost.js";
export { type PathTags, releasedTags, THINK_TAGS } from "./paths/path-parts.js";
export type { StepSet } from "./paths/step-set.js";
export { createPathVerifier, type PathVerifier, type PathVerifierOptions, thoughtPrompt } from "./paths/verify-path.js";
export { type BestFirstOptions, type BestFirstResult, bestFirstSearch } from "./search/best-first-search.js";
export type { SearchResult, SearchStatus, StepNode } from "./search/search-result.js";
export { faithfulSearch, paperSearch, type WalkOptions } from "./search/walk-search.js";
export { type AstarStudyOptions, type AstarStudyResults, runAstarStudy, type SetComparison } from "./study/study.js";
export { type AstarStudy, parseStudy, readStudy, type StudySet } from "./study/study-config.js";
export { type SetPoint, STUDY_SETTINGS, type StudySetting, setPoints, settingEffect } from "./study/study-effects.js";
export { readStudyResults } from "./study/study-results.js";
export { chainLines, type SetResult } from "./study/study-sets.js";
