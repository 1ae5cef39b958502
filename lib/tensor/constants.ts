import tf = require("@tensorflow/tfjs");

import { ThoughtbookError } from "../core/index.js";
import {
  addConstant,
  addSplat,
  type ConstantData,
  constantData,
  type Graph,
  isConstant,
  uniformValue,
  type Value,
} from "./graph.js";
import { type DType, sizeOf, typeForTensorFlow } from "./tensor-data.js";

type Inputs = Readonly<Record<string, Value>>;

/** Kernels that treat each number by itself; of constants that are one number everywhere they make another one. */
const NUMBER_BY_NUMBER = new Set(
  "Add,Sub,Multiply,RealDiv,Maximum,Minimum,Pow,Neg,Square,Sqrt,Rsqrt,Reciprocal,Exp,Log,Sigmoid,Tanh,Relu,Step,Cast".split(
    ",",
  ),
);

/**
 * The results of a kernel that can be known while tracing, or null: those of constants, computed by TensorFlow.js's cpu
 * backend. Constants that are one number everywhere stay a number: zeros for a large parameter must not fill memory.
 *
 * @param isList whether the kernel takes its inputs as an array, such as Concat
 */
export function foldConstants(
  graph: Graph,
  kernelName: string,
  inputs: Inputs,
  attributes: tf.NamedAttrMap,
  isList: boolean,
): Value | Value[] | null {
  const made = makeUniform(graph, kernelName, inputs, attributes);
  if (made) return made;
  const values = Object.values(inputs);
  if (!values.every(isConstant) || !tf.getKernel(kernelName, "cpu")) return null;
  if (NUMBER_BY_NUMBER.has(kernelName) && values.every((value) => uniformValue(value) !== undefined)) {
    return computeNumber(graph, kernelName, inputs, attributes);
  }
  return compute(graph, kernelName, inputs, attributes, isList);
}

/** A constant from values; zeros and ones of any size are kept as one number. */
export function constantOf(graph: Graph, values: ConstantData, shape: readonly number[], dtype: DType): Value {
  const [first] = values;
  if (values.length > 1 && values.every((number: number | bigint) => Object.is(number, first))) {
    return addSplat(graph, Number(first), shape, dtype);
  }
  return addConstant(graph, values, shape, dtype);
}

/** @throws ThoughtbookError for strings and complex numbers */
export function supportedDtype(dtype: tf.DataType): DType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new ThoughtbookError("bad-input", `a compiled function met a tensor of dtype ${dtype}`, {
    hint: "Compiled functions know float32, int32 and bool.",
  });
}

/** Values of a backend, which may be plain numbers, in the array of their dtype. */
export function typedValues(values: tf.BackendValues, dtype: DType): ConstantData {
  const numbers = values as ArrayLike<number>;
  if (dtype === "float32") return values instanceof Float32Array ? values : Float32Array.from(numbers);
  if (dtype === "int32") return values instanceof Int32Array ? values : Int32Array.from(numbers);
  return values instanceof Uint8Array ? values : Uint8Array.from(numbers);
}

function makeUniform(graph: Graph, kernelName: string, { x }: Inputs, attributes: tf.NamedAttrMap): Value | null {
  if (kernelName === "Fill" && typeof attributes.value === "number") {
    const dtype = (attributes.dtype as tf.DataType | undefined) ?? "float32";
    return addSplat(graph, attributes.value, attributes.shape as number[], supportedDtype(dtype));
  }
  if (!x || x.dtype === "int64") return null;
  if (kernelName === "ZerosLike") return addSplat(graph, 0, x.shape, x.dtype);
  if (kernelName === "OnesLike") return addSplat(graph, 1, x.shape, x.dtype);
  if (kernelName === "Reshape" && x.splat !== undefined) {
    const shape = tf.util.inferFromImplicitShape(attributes.shape as number[], sizeOf(x.shape));
    return addSplat(graph, x.splat, shape, x.dtype);
  }
  return null;
}

function computeNumber(graph: Graph, kernelName: string, inputs: Inputs, attributes: tf.NamedAttrMap): Value {
  const numbers = Object.entries(inputs).map(([name, value]) => {
    return [name, addSplat(graph, uniformValue(value)!, [], value.dtype as DType)] as const;
  });
  const result = compute(graph, kernelName, Object.fromEntries(numbers), attributes, false) as Value;
  const shape = Object.values(inputs).reduce<number[]>(
    (shape, value) => tf.backend_util.assertAndGetBroadcastShape(shape, [...value.shape]),
    [],
  );
  return addSplat(graph, uniformValue(result)!, shape, result.dtype as DType);
}

function compute(
  graph: Graph,
  kernelName: string,
  inputs: Inputs,
  attributes: tf.NamedAttrMap,
  isList: boolean,
): Value | Value[] {
  const kernel = tf.getKernel(kernelName, "cpu");
  const cpu = tf.findBackend("cpu") as tf.KernelBackend;
  const infos = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => {
      const dtype = typeForTensorFlow(value.dtype as DType);
      const shape = [...value.shape];
      return [name, { dataId: cpu.write(constantData(value) as Float32Array, shape, dtype), shape, dtype }];
    }),
  );
  const kernelInputs = isList ? (Object.values(infos) as unknown as tf.NamedTensorInfoMap) : infos;
  const results = kernel.kernelFunc({ inputs: kernelInputs, attrs: attributes, backend: cpu });
  const read = (info: tf.TensorInfo) => {
    const dtype = supportedDtype(info.dtype);
    const values = typedValues(cpu.readSync(info.dataId) as tf.BackendValues, dtype).slice();
    return constantOf(graph, values, info.shape, dtype);
  };
  const outputs = Array.isArray(results) ? results.map(read) : read(results);
  for (const info of [...Object.values(infos), ...(Array.isArray(results) ? results : [results])]) {
    cpu.disposeData(info.dataId, true);
  }
  return outputs;
}
