export { formatByteSize, parseByteSize } from "./byte-size.js";
export { type Defined, groupBy, mean, sum, withoutUndefined } from "./collections.js";
export { countOf } from "./count-of.js";
export { type NotebookDisplay, notebookDisplay } from "./display.js";
export { connectionReason, type DownloadOptions, download, parseRetryAfter } from "./download.js";
export {
  badInput,
  checkWhole,
  describeError,
  type ErrorCode,
  type ErrorDetails,
  fileSystemError,
  ThoughtbookError,
} from "./errors.js";
export { inexactNumber } from "./exact-number.js";
export { sha256, sha256File } from "./hash.js";
export { checkInterrupt, interruptible, listenForInterrupt, mapInTurns, UNINTERRUPTED } from "./interrupt.js";
export { canonicalJson, strictJson } from "./json.js";
export {
  type JsonlEntry,
  type JsonlIssue,
  type JsonlWriter,
  openJsonlWriter,
  type ReadJsonlOptions,
  readJsonl,
} from "./jsonl.js";
export { keptResult } from "./kept-result.js";
export { checkKeyValues, decodeEscapes, type KeyRule, type KeyValue, parseKeyValues } from "./key-values.js";
export { isLfsPointer, lfsPointerError, refuseLfsPointer } from "./lfs-pointer.js";
export { didYouMean, nearNames } from "./near-names.js";
export { cacheFolder, dataFolder, findProjectFolder, projectFolder, resolveUserPath } from "./paths.js";
export { type Progress, type ProgressOptions, startProgress, trackProgress } from "./progress.js";
export type { ProgressDisplay } from "./progress-display.js";
export { createRandom, type Random } from "./random.js";
export { openRun, type Run, type RunOptions, requireSameSettings } from "./run-folder.js";
export { checkSettings, readSettingsFile } from "./settings-file.js";
export { readIfThere, writeWhole } from "./whole-file.js";
