export {
  type ChatMessage,
  type ChatTemplate,
  chatTemplateOf,
  type RenderOptions,
  renderChat,
} from "./chat/template.js";
export { thoughtBeside } from "./chat/thought.js";
export { type EncodeChatOptions, type EncodedConversation, encodeChat, encodeTrainingTexts } from "./chat/tokens.js";
export type { ModelConfig } from "./config/config.js";
export { type GenerationDefaults, readGenerationDefaults } from "./config/generation-config.js";
export { isGgufPlace, parseConfig, readConfig, readJsonFile } from "./config/read.js";
export { configToHuggingFace, type WeightType } from "./config/write.js";
export {
  disposeGenerationPrograms,
  generate,
  promptEmbeddings,
} from "./generate/generate.js";
export {
  type GeneratorOptions,
  openGenerator,
  type PromptCounts,
  type SubmitOptions,
  type TextGenerator,
} from "./generate/generator.js";
export type { NextScores } from "./generate/programs.js";
export {
  checkRequests,
  type GenerateOptions,
  type Generation,
  type GenerationRequest,
  type NewToken,
  type ReadPrompt,
  type RequestLimits,
  type RequestOptions,
  type ResolvedRequest,
  resolveRequests,
} from "./generate/request.js";
export {
  createSamplingMemory,
  resolveSampling,
  type Sampling,
  type SamplingMemory,
  type SamplingOptions,
} from "./generate/sampling.js";
export type { TokenLogProb } from "./generate/sampling-top.js";
export { extendSequence, type Sequence, startSequence } from "./generate/sequence.js";
export { textAfter } from "./generate/text.js";
export { GGUF_DOCUMENTS, ggufDocument } from "./gguf/documents.js";
export {
  type ExportGgufOptions,
  exportGguf,
  GGUF_TYPES,
  type GgufExport,
  type GgufType,
} from "./gguf/export-gguf.js";
export { type ResolveOptions, resolveModel } from "./hub/hub.js";
export { type ListedModel, listModels } from "./hub/model-list.js";
export {
  type Attend,
  type Attended,
  causalAttend,
  type ForwardOptions,
  type ForwardResult,
  forward,
  hiddenStates,
  labelLosses,
  outputLogits,
  ownText,
  tokenEmbeddings,
} from "./network/forward.js";
export type { HostModel } from "./network/host-model.js";
export type { Model } from "./network/linear.js";
export { type Adapter, type AdapterOptions, initializeAdapter, mergeAdapter } from "./network/lora-adapter.js";
export {
  type ExportOnnxOptions,
  exportOnnx,
  ONNX_DTYPES,
  type OnnxDtype,
  type OnnxExport,
} from "./onnx/export-onnx.js";
export {
  chooseOnnxFiles,
  findOnnxFiles,
  listModelFiles,
  ONNX_WEIGHT_TYPES,
  type OnnxFiles,
  type OnnxLayout,
  type OnnxWeightType,
  readOnnxLayout,
} from "./onnx/files.js";
export { type BlockParameters, readBlockParameters } from "./quantised/block-parameters.js";
export { checkpointSource, isQuantised } from "./quantised/checkpoint-source.js";
export { type EngineCall, openEngine, type QuantisedEngine } from "./quantised/engine.js";
export { type Numerics, QUANTISED_FLOATS } from "./quantised/numerics.js";
export type { QuantisedSource } from "./quantised/source.js";
export { disposeScorePrograms } from "./score/programs.js";
export {
  type AttendedScore,
  checkSequences,
  type ScoreOptions,
  type ScoreSequence,
  type SequenceLimits,
  score,
  scoreWithAttention,
  scoreWithTop,
  type TopScore,
} from "./score/score.js";
export { type TrainBpeOptions, type TrainedBpe, trainBpe } from "./tokenizer/bpe.js";
export { type SaveBpeOptions, saveBpe } from "./tokenizer/bpe-save.js";
export { tokenBytes, tokenText } from "./tokenizer/bytes.js";
export { loadTokenizer, type Tokenizer } from "./tokenizer/tokenizer.js";
export {
  type Checkpoint,
  hashCheckpoint,
  type ModelParameters,
  openCheckpoint,
  readParameters,
} from "./weights/checkpoint.js";
export { type InitializeOptions, initializeParameters } from "./weights/initialize.js";
export { loadAdapter, type SaveAdapterOptions, saveAdapter } from "./weights/lora-files.js";
export { checkModelFits } from "./weights/memory-need.js";
export { dequantise, type QuantisedMatrix, readQuantised } from "./weights/quantised.js";
export { openSafetensors, readFloats, type SafetensorsFile, type StoredTensor } from "./weights/safetensors.js";
export { type WriteOptions, writeSafetensors } from "./weights/safetensors-write.js";
export { type CheckpointContent, saveCheckpoint } from "./weights/save.js";
export { parameterCount } from "./weights/shapes.js";
