export {
  type BackendChoice,
  type BackendModel,
  type BackendOptions,
  chooseBackend,
  loadOnBackend,
} from "./backends.js";
export { type Capability, requireCapability } from "./capabilities.js";
export type { Finding } from "./check/check-capability.js";
export { type CheckModelOptions, checkModel, type ModelReport } from "./check/check-model.js";
export { createHttpModel } from "./http/load.js";
export type { HttpModel, HttpModelOptions } from "./http/model.js";
export {
  type ChatPrompt,
  type Completion,
  type CompletionTokens,
  type CountedBy,
  FINISH_REASONS,
  type GenerateTextOptions,
  isWholeText,
  type LanguageModel,
  type Prompt,
  type RequestPlace,
  type Score,
  type ScoreRequest,
  type ScoreTextOptions,
  type TextRequest,
} from "./language-model.js";
export { type LoadModelOptions, loadLocalModel, loadModel } from "./load-model.js";
export {
  createLocalModel,
  type LocalModel,
  type LocalModelParts,
  type NumericalPath,
  numericalPath,
  trainingPath,
  UNNAMED_PATH,
} from "./local/model.js";
export { operationsFile } from "./local/operations-file.js";
export {
  type NearToken,
  nearestTokens,
  precededBy,
  softIds,
  softPromptOf,
  withSoftPrompt,
  withSoftTokens,
} from "./local/soft-tokens.js";
export { isTokenModel, type TokenModel, tokenizerOf } from "./token-model.js";
