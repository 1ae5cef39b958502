export { type Capability, requireCapability } from "./capabilities.js";
export type {
  ChatPrompt,
  Completion,
  CompletionTokens,
  EmbeddingPrompt,
  GenerateTextOptions,
  IdPrompt,
  LanguageModel,
  Prompt,
  RequestPlace,
  Score,
  ScoreRequest,
  ScoreTextOptions,
  TextRequest,
} from "./language-model.js";
export { type LoadModelOptions, loadLocalModel, loadModel } from "./load-model.js";
export { createLocalModel, type LocalModel, type LocalModelParts } from "./local-model.js";
