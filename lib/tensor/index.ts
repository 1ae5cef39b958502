export {
  type BucketBatch,
  type BucketBatchesOptions,
  type BucketSizesOptions,
  bucketBatches,
  bucketOf,
  bucketSizes,
  type PadOptions,
  paddingShare,
  padRows,
} from "./buckets.js";
export {
  type Compiled,
  type CompileOptions,
  compile,
  type Inputs,
  type Outputs,
  type Traceable,
  type Traced,
} from "./compile.js";
export { type EagerBackend, toTensor, toTensorData, useEagerBackend } from "./eager.js";
export {
  gelu,
  geluReference,
  geluTanh,
  geluTanhReference,
  silu,
  siluReference,
  squaredRelu,
  squaredReluReference,
  swiGlu,
  swiGluReference,
} from "./fused/activations.js";
export {
  type AttentionOptions,
  attentionProbabilities,
  causalAttention,
  causalAttentionReference,
  weightedAttention,
} from "./fused/attention.js";
export {
  type CachedAttention,
  type CachedAttentionOptions,
  cachedAttention,
  cachedAttentionReference,
  type KeyValueCache,
} from "./fused/cached-attention.js";
export { softmaxCrossEntropy, softmaxCrossEntropyReference } from "./fused/cross-entropy.js";
export { embedding, embeddingReference } from "./fused/embedding.js";
export { layerNorm, layerNormReference, rmsNorm, rmsNormReference } from "./fused/norms.js";
export { type RotaryTable, rotary, rotaryReference } from "./fused/rotary.js";
export { type Differentiable, type ValueAndGradients, valueAndGradients } from "./gradients.js";
export { type Attributes, float, MICROSOFT } from "./graph.js";
export type { NamedGraph, NamedNode, OnnxElementType, TensorHead, ValueInfo } from "./onnx.js";
export {
  belongsOutside,
  type OnnxFileOptions,
  type OnnxModel,
  type OnnxTensors,
  tensorBytes,
  writeOnnxFile,
} from "./onnx-file.js";
export { int64Of, type OnnxNodeOptions, onnxNode } from "./onnx-node.js";
export { type AdamWOptions, adamW } from "./optimizers/adamw.js";
export { type Clipping, clipByGlobalNorm, globalNorm } from "./optimizers/clipping.js";
export { type MuonOptions, muon, orthogonalised } from "./optimizers/muon.js";
export type { DecayFilter, Optimizer, OptimizerState, Updated, UpdateInputs } from "./optimizers/optimizer.js";
export {
  constantRate,
  type Schedule,
  type StableDecayOptions,
  type WarmupDecayOptions,
  warmupCosine,
  warmupLinear,
  warmupStableDecay,
} from "./optimizers/schedules.js";
export { type SgdOptions, sgd } from "./optimizers/sgd.js";
export { formatProfile, type ProfileRow } from "./profile.js";
export { runtimeOptions, type SessionOptions, supportedProviders } from "./session.js";
export {
  type DataOf,
  type DType,
  emptyTensor,
  isTensorData,
  sizeOf,
  spec,
  type TensorData,
  type TensorSpec,
  tensorData,
} from "./tensor-data.js";
export { isTracing, TRACING_BACKEND } from "./tracing.js";
export {
  compileTrainingStep,
  type LossInputs,
  type LossOutputs,
  type StepResult,
  type TrainingState,
  type TrainingStep,
  type TrainingStepOptions,
} from "./training-step.js";
export { leavesOf, type MapTree, mapTree, rebuildTree, type Tree } from "./tree.js";
