export {
  type CompressedRow,
  type CompressedRowOptions,
  type CompressionResult,
  compressedRow,
  compressionRate,
  type TokenCounter,
} from "./compressed-row.js";
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
export { joinSteps, SPLITTINGS, type Splitting, splitSteps } from "./split-steps.js";
export { systemPrompt } from "./system-prompt.js";
export { readTagged, THOUGHT_TAGS, type ThoughtTags, writeTagged } from "./tags.js";
