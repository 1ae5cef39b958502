export {
  type BucketBatch,
  type BucketBatchesOptions,
  type BucketSizesOptions,
  bucketBatches,
  bucketOf,
  bucketSizes,
  type Padded,
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
export * from "./fused/index.js";
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
export * from "./optimizers/index.js";
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
