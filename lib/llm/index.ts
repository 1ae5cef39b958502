export {
  BACKENDS,
  type Backend,
  type BackendChoice,
  type BackendModel,
  type BackendOptions,
  chooseBackend,
  loadOnBackend,
} from "./backends.js";
export { CAPABILITY_NAMES, type Capability, requireCapability } from "./capabilities.js";
export type { Finding } from "./check/check-capability.js";
export { type CheckModelOptions, checkModel, type ModelReport } from "./check/check-model.js";
export type { Budget, HttpUsage } from "./http/budget.js";
export { DIALECTS, type Dialect, type DialectName } from "./http/dialects.js";
export { createHttpModel } from "./http/load.js";
export type { HttpModel, HttpModelOptions, HttpOptions } from "./http/model.js";
export {
  type ChatPrompt,
  type Completion,
  type CompletionTokens,
  type CountedBy,
  type EmbeddingPrompt,
  FINISH_REASONS,
  type FinishReason,
  type GenerateTextOptions,
  type IdPrompt,
  isWholeText,
  type LanguageModel,
  type Prompt,
  type PromptAttention,
  type RequestPlace,
  type Score,
  type ScoreRequest,
  type ScoreTextOptions,
  type TextRequest,
} from "./language-model.js";
export { type LoadModelOptions, loadLocalModel, loadModel } from "./load-model.js";
export { createLocalModel, isLocalModel, type LocalModel, type LocalModelParts } from "./local/model.js";
export { operationsFile } from "./local/operations-file.js";
export { isTokenModel, type TokenModel, tokenizerOf } from "./token-model.js";
export { type LoadTransformersOptions, loadTransformersModel, parseOnnxSpec } from "./transformers/load.js";
export type { TransformersModel } from "./transformers/model.js";
