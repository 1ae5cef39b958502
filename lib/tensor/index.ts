export {
  type BucketBatch,
  type BucketBatchesOptions,
  type BucketSizesOptions,
  bucketBatches,
  bucketOf,
  bucketSizes,
  type PadOptions,
  padRows,
} from "./buckets.js";
export { type Compiled, type CompileOptions, compile, type Inputs, type Traceable, type Traced } from "./compile.js";
export { type EagerBackend, toTensor, toTensorData, useEagerBackend } from "./eager.js";
export { gelu, geluTanh, silu, squaredRelu, swiGlu } from "./fused/activations.js";
export {
  type AttentionOptions,
  attentionProbabilities,
  causalAttention,
  weightedAttention,
} from "./fused/attention.js";
export { type BlockMatrix, type BlockOptions, blockLinear, blockRows, blockWeights } from "./fused/blocks.js";
export {
  type CachedAttention,
  type CachedAttentionOptions,
  cachedAttention,
  type KeyValueCache,
} from "./fused/cached-attention.js";
export { softmaxCrossEntropy } from "./fused/cross-entropy.js";
export { embedding } from "./fused/embedding.js";
export { type LinearCrossEntropyOptions, linearCrossEntropy } from "./fused/linear-cross-entropy.js";
export { type LowRankOptions, lowRankLinear } from "./fused/low-rank.js";
export { layerNorm, rmsNorm } from "./fused/norms.js";
export { type RotaryTable, rotary } from "./fused/rotary.js";
export { type Differentiable, type ValueAndGradients, valueAndGradients } from "./gradients.js";
export { type Attributes, float, MICROSOFT } from "./graph.js";
export type { NamedNode, TensorHead, ValueInfo } from "./onnx.js";
export {
  belongsOutside,
  type OnnxFileOptions,
  type OnnxModel,
  type OnnxTensors,
  tensorBytes,
  writeOnnxFile,
} from "./onnx-file.js";
export { type OnnxNodeOptions, onnxNode } from "./onnx-node.js";
export { type AdamWOptions, adamW } from "./optimizers/adamw.js";
export { type MuonOptions, muon } from "./optimizers/muon.js";
export type { Optimizer, OptimizerState } from "./optimizers/optimizer.js";
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
export { memoryLimit, RUNTIME_BYTES } from "./program-memory.js";
export { createSession, runtimeOptions, type Session, type SessionOptions, supportedProviders } from "./session.js";
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
export {
  compileTrainingStep,
  type LossOutputs,
  type TrainingState,
  type TrainingStep,
  type TrainingStepOptions,
} from "./training-step.js";
