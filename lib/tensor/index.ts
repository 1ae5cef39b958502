export { type Compiled, type CompileOptions, compile, type Inputs, type Outputs, type Traced } from "./compile.js";
export * from "./fused/index.js";
export { int64Of, type OnnxNodeOptions, onnxNode } from "./onnx-node.js";
export { formatProfile, type ProfileRow } from "./profile.js";
export type { SessionOptions } from "./session.js";
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
export { leavesOf, type MapTree, mapTree, rebuildTree, type Tree } from "./tree.js";
