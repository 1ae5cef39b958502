export {
  type ChainRow,
  countOutcome,
  problemRow,
  type ReadChainRowsOptions,
  type RowOutcome,
  type RowTally,
  readChainRows,
  type SplitOptions,
  traceRow,
} from "./chains/chain-rows.js";
export type { RowFormat } from "./chains/row-formats.js";
export type { ThoughtTags } from "./chains/tags.js";
export type { SolutionPart } from "./chains/training-row.js";
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
  type SearchMode,
  type SearchSettings,
  searchRow,
} from "./compress/compress-row.js";
export type { CompressedRow } from "./compress/compressed-row.js";
export { metered, noWork, type Spent, type SpentWork } from "./compress/spent.js";
export { type CacheOptions, openImportanceCache } from "./importance/cache.js";
export {
  type ChainSignals,
  type Importance,
  type ImportanceOptions,
  type ImportanceSignal,
  NORMALISATIONS,
  type Normalisation,
  rankSteps,
} from "./importance/formulas.js";
export type { ImportanceCache } from "./importance/importance.js";
export { type Chain, importanceSignals, type MeasuredChain, type SignalOptions } from "./importance/importance.js";
export { type LabelledSignals, placeByLength, signalPrecision } from "./importance/signal-quality.js";
export { openPathCosts, type PathCostOptions, type PathCosts, type PathText } from "./paths/path-cost.js";
export { type PathTags, THINK_TAGS } from "./paths/path-parts.js";
export { createPathVerifier, type PathVerifier, type PathVerifierOptions, thoughtPrompt } from "./paths/verify-path.js";
export { type BestFirstOptions, type BestFirstResult, bestFirstSearch } from "./search/best-first-search.js";
export type { SearchResult } from "./search/search-result.js";
export { faithfulSearch, paperSearch, type WalkOptions } from "./search/walk-search.js";
export {
  type MeasureSignalsOptions,
  measureSignals,
  readSignalResults,
  type SignalResults,
  type SignalRow,
} from "./signals/measure-signals.js";
export { type AstarStudyOptions, type AstarStudyResults, runAstarStudy, type SetComparison } from "./study/study.js";
export { type AstarStudy, parseStudy, readStudy, type StudySet } from "./study/study-config.js";
export { type SetPoint, type StudySetting, setPoints, settingEffect } from "./study/study-effects.js";
export { readStudyPanel, type StudyPanel } from "./study/study-panel.js";
export { readStudyResults } from "./study/study-results.js";
export { chainLines, type SetResult } from "./study/study-sets.js";
