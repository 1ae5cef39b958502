import tf = require("@tensorflow/tfjs");

import { badInput, type ThoughtbookError } from "../core/index.js";
import { constantOf, foldConstants, supportedDtype, typedValues } from "./constants.js";
import {
  addConstant,
  addSplat,
  type ConstantData,
  constantData,
  createGraph,
  type Graph,
  isConstant,
  newValue,
  type Value,
} from "./graph.js";
import { LOWERINGS } from "./lowerings/lowerings.js";
import { type DType, typeForTensorFlow } from "./tensor-data.js";

/** Name of the TensorFlow.js backend that records kernels instead of computing. */
const TRACING_BACKEND = "thoughtbook-tracing";

type Stored = {
  shape: readonly number[];
  dtype: DType;
  refCount: number;
  values: ConstantData | null;
  value: Value | null;
};

/**
 * A TensorFlow.js backend whose tensors are values of a graph. Its kernels append ONNX nodes; kernels of which all
 * inputs are constants are computed at once by TensorFlow.js's cpu backend, so that masks and tables made inside a
 * traced function become constants.
 */
class TracingBackend extends tf.KernelBackend {
  readonly #data = new tf.DataStorage<Stored>(this, tf.engine());
  graph: Graph | null = null;

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): void {
    const supported = supportedDtype(dtype);
    this.#data.set(dataId, { shape, dtype: supported, refCount, values: typedValues(values, supported), value: null });
  }

  override readSync(dataId: object): tf.BackendValues {
    const stored = this.#data.get(dataId);
    if (stored.values) return stored.values as Float32Array;
    if (stored.value && isConstant(stored.value)) return constantData(stored.value) as Float32Array;
    throw badInput(
      `the value of a tensor of shape [${stored.shape.join(", ")}] was asked for while its function was being compiled`,
      "While compiling there are no values yet: return the tensor and read it from the result, and use tf.where or masks instead of JavaScript conditions on values.",
    );
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override refCount(dataId: object): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.#data.get(dataId).refCount++;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const stored = this.#data.get(dataId);
    stored.refCount--;
    if (!force && stored.refCount > 0) return false;
    return this.#data.delete(dataId);
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}

  /** The graph value behind a tensor. A tensor made by values becomes a constant. */
  graphValueOf(tensor: tf.TensorInfo): Value {
    const graph = this.currentGraph();
    const stored = this.#data.get(tensor.dataId);
    if (stored.value === null) {
      return constantOf(graph, stored.values!, tensor.shape, stored.dtype);
    }
    const { value } = stored;
    if (isConstant(value) && !sameShape(value.shape, tensor.shape)) {
      return value.splat !== undefined
        ? addSplat(graph, value.splat, tensor.shape, stored.dtype)
        : addConstant(graph, value.constant!, tensor.shape, value.dtype);
    }
    return value;
  }

  /** A tensor for a graph value. */
  infoOf(value: Value): tf.TensorInfo {
    if (value.dtype === "int64") throw new Error("int64 values stay inside a lowering");
    const dataId = {};
    const shape = [...value.shape];
    this.#data.set(dataId, { shape, dtype: value.dtype, refCount: 1, values: null, value });
    return { dataId, shape, dtype: typeForTensorFlow(value.dtype) };
  }

  currentGraph(): Graph {
    if (this.graph) return this.graph;
    throw badInput(
      "a tensor of a compiled function was used outside of it",
      "Return it from the function instead of keeping it in a variable.",
    );
  }
}

let backend: TracingBackend | null = null;

function tracingBackend(): TracingBackend {
  if (backend) return backend;
  // Without it, the cpu backend prints an advertisement for tfjs-node when it folds its first constant.
  tf.enableProdMode();
  const created = new TracingBackend();
  tf.registerBackend(TRACING_BACKEND, () => created, 0);
  for (const kernelName of kernelNames()) {
    tf.registerKernel({
      kernelName,
      backendName: TRACING_BACKEND,
      kernelFunc: ({ inputs, attrs }) => runKernel(created, kernelName, inputs, attrs ?? {}),
    });
  }
  backend = created;
  return created;
}

function runKernel(
  tracer: TracingBackend,
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  attributes: tf.NamedAttrMap,
): tf.TensorInfo | tf.TensorInfo[] {
  const graph = tracer.currentGraph();
  const values = Object.fromEntries(
    Object.entries(inputs)
      .filter((entry): entry is [string, tf.TensorInfo] => entry[1] !== undefined && entry[1] !== null)
      .map(([name, tensor]) => [name, tracer.graphValueOf(tensor)]),
  );
  const outputs = foldConstants(graph, kernelName, values, attributes, Array.isArray(inputs)) ?? lower();
  return Array.isArray(outputs) ? outputs.map((value) => tracer.infoOf(value)) : tracer.infoOf(outputs);

  function lower(): Value | Value[] {
    const lowering = LOWERINGS[kernelName];
    if (!lowering) throw noLowering(kernelName);
    return lowering(graph, values, attributes);
  }
}
function noLowering(kernelName: string): ThoughtbookError {
  return badInput(
    `TensorFlow.js's kernel ${kernelName} has no ONNX lowering, so a function that uses it cannot be compiled`,
    "Compute that part outside the compiled function and pass the result in, write it with other operations, or use onnxNode() for an ONNX operator of your choice.",
  );
}

function kernelNames(): string[] {
  const cpu = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName);
  return [...new Set([...cpu, ...Object.keys(LOWERINGS)])];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Whether TensorFlow.js operations are being recorded now. */
export function isTracing(): boolean {
  return backend?.graph != null && tf.getBackend() === TRACING_BACKEND;
}

export interface Trace {
  graph: Graph;
  inputs: Value[];
  outputs: Value[];
}

/**
 * Run a function on tensors without values and record what it computes.
 *
 * @param inputSpecs shape and dtype of each tensor the function is given
 * @param fn gets one tensor an input spec and returns the tensors that matter; runs synchronously
 * @throws ThoughtbookError when the function reads a value, uses a kernel without lowering, or is itself a compilation
 */
export function trace(
  inputSpecs: readonly { shape: readonly number[]; dtype: DType }[],
  fn: (inputs: tf.Tensor[]) => readonly tf.Tensor[],
): Trace {
  const tracer = tracingBackend();
  if (tracer.graph) {
    throw badInput(
      "a compiled function was compiled inside another one",
      "Call the plain function there; only the outermost one is compiled.",
    );
  }
  // Undefined before TensorFlow.js has been used; its cpu backend is always there.
  const previous: string = tf.getBackend() ?? "cpu";
  const graph = createGraph();
  tracer.graph = graph;
  // With a backend that is made synchronously, setBackend has switched when it returns its promise.
  void tf.setBackend(TRACING_BACKEND);
  const result: { inputs: Value[]; outputs: Value[] } = { inputs: [], outputs: [] };
  try {
    tf.tidy(() => {
      result.inputs = inputSpecs.map(({ shape, dtype }) => newValue(graph, shape, dtype));
      const tensors = result.inputs.map((value) => tf.engine().makeTensorFromTensorInfo(tracer.infoOf(value)));
      result.outputs = fn(tensors).map((tensor) => tracer.graphValueOf(tensor));
    });
  } finally {
    tracer.graph = null;
    void tf.setBackend(previous);
  }
  return { graph, ...result };
}

/** The graph value behind a tensor while tracing; for fused operations. */
export function graphValue(tensor: tf.Tensor): Value {
  return tracingBackend().graphValueOf(tensor);
}

/** A tensor for a graph value while tracing; for fused operations. */
export function tensorOf(value: Value): tf.Tensor {
  const tracer = tracingBackend();
  return tf.engine().makeTensorFromTensorInfo(tracer.infoOf(value));
}

/** The graph being recorded; for fused operations. */
export function currentGraph(): Graph {
  return tracingBackend().currentGraph();
}
