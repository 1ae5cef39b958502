export { type BpeProgress, type TrainBpeOptions, type TrainedBpe, trainBpe } from "./bpe.js";
export { type SaveBpeOptions, saveBpe } from "./bpe-save.js";
export {
  type ChatMessage,
  type ChatTemplate,
  chatTemplateOf,
  parseChatTemplate,
  type RenderOptions,
  renderChat,
} from "./chat-template.js";
export {
  type AssistantSpans,
  assistantSpans,
  type Span,
  type TrainingTextOptions,
  trainingTexts,
} from "./chat-template-spans.js";
export {
  type EncodeChatOptions,
  type EncodedConversation,
  encodeChat,
  encodeConversation,
  encodeTrainingTexts,
} from "./chat-template-tokens.js";
export {
  type Checkpoint,
  hashCheckpoint,
  type ModelParameters,
  openCheckpoint,
  type Parameter,
  readParameter,
  readParameters,
} from "./checkpoint.js";
export { type GenerationDefaults, readGenerationDefaults } from "./checkpoint-generation.js";
export { type CheckpointContent, saveCheckpoint } from "./checkpoint-save.js";
export { type ParameterShapes, parameterCount, parameterShapes } from "./checkpoint-shapes.js";
export {
  type Activation,
  attentionScale,
  type Family,
  type Gpt2Config,
  type ModelConfig,
  parseConfig,
  type RotaryConfig,
  readConfig,
  readJsonFile,
} from "./config.js";
export { type Rope, ropeFrequencies } from "./config-rope.js";
export { configToHuggingFace, type WeightType } from "./config-write.js";
export { type ExportModelOptions, exportModel } from "./export-model.js";
export { type ExportOnnxOptions, exportOnnx, ONNX_DTYPES, type OnnxDtype, type OnnxExport } from "./export-onnx.js";
export {
  type Attend,
  type Attended,
  causalAttend,
  type ForwardOptions,
  type ForwardResult,
  forward,
  hiddenStates,
  type Model,
  outputLogits,
  ownText,
  rotaryTable,
  tokenEmbeddings,
  type Weights,
} from "./forward.js";
export {
  disposeGenerationPrograms,
  type GenerationEvent,
  generate,
  promptEmbeddings,
  streamGenerate,
} from "./generate.js";
export type { NextScores } from "./generate-programs.js";
export {
  checkRequests,
  type GenerateOptions,
  type Generation,
  type GenerationPlace,
  type GenerationRequest,
  type NewToken,
  type RequestLimits,
  type RequestOptions,
  type ResolvedRequest,
  resolveRequests,
  type TextPiece,
} from "./generate-request.js";
export { extendSequence, type Sequence, startSequence } from "./generate-sequence.js";
export { textAfter } from "./generate-text.js";
export { type GeneratorOptions, openGenerator, type SubmitOptions, type TextGenerator } from "./generator.js";
export type { HostModel } from "./host-model.js";
export { type ResolveOptions, resolveModel } from "./hub.js";
export type { WantedWeights } from "./hub-cache.js";
export type { ConnectionOptions } from "./hub-connection.js";
export { type InitializeOptions, initializeParameters } from "./initialize.js";
export { type Adapters, linear } from "./lora.js";
export {
  type Adapter,
  type AdapterOptions,
  adaptedLayers,
  initializeAdapter,
  linearLayers,
  mergeAdapter,
} from "./lora-adapter.js";
export { loadAdapter, type SaveAdapterOptions, saveAdapter } from "./lora-files.js";
export { type ListedModel, listModels } from "./model-list.js";
export {
  chooseOnnxFiles,
  findOnnxFiles,
  listModelFiles,
  ONNX_WEIGHT_TYPES,
  type OnnxFiles,
  type OnnxLayout,
  type OnnxWeightType,
  readOnnxLayout,
} from "./onnx-files.js";
export { type QuantizedBits, type QuantizedMatrix, quantizeBlocks } from "./quantize-blocks.js";
export { openSafetensors, readFloats, readTensor, type SafetensorsFile, type StoredTensor } from "./safetensors.js";
export type { SafetensorsType, TensorEntry } from "./safetensors-header.js";
export { type WriteOptions, writeSafetensors } from "./safetensors-write.js";
export {
  createSamplingMemory,
  resolveSampling,
  type Sampling,
  type SamplingMemory,
  type SamplingOptions,
  type ScoreRow,
  sampleToken,
} from "./sampling.js";
export type { TokenLogProb } from "./sampling-top.js";
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
} from "./score.js";
export { disposeScorePrograms } from "./score-programs.js";
export {
  type DecodeOptions,
  type EncodeOptions,
  loadTokenizer,
  type SpecialToken,
  type SpecialTokens,
  type Tokenizer,
} from "./tokenizer.js";
export { tokenBytes, tokenText } from "./tokenizer-bytes.js";
export { createTextStream, type TextStream, type TextStreamOptions } from "./tokenizer-stream.js";
