import { badInput } from "../core/index.js";

/** Element types that a compiled program takes and gives: those of TensorFlow.js, and int8 for weights in blocks. */
export type DType = "float32" | "int32" | "bool" | "int8";

/** The type that TensorFlow.js is told of: it knows no int8, and meets such tensors only as inputs of `onnxNode`. */
export const typeForTensorFlow = (dtype: DType): Exclude<DType, "int8"> => (dtype === "int8" ? "int32" : dtype);

interface Arrays {
  float32: Float32Array;
  int32: Int32Array;
  bool: Uint8Array;
  int8: Int8Array;
}
export type DataOf<D extends DType> = Arrays[D];

/** A tensor on the host: row-major values with their shape. It is plain data, read and written freely between calls. */
export interface TensorData<D extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: D;
  readonly data: DataOf<D>;
}

/** What a compiled program expects of one input; `null` is a size that may differ from call to call. */
export interface TensorSpec {
  readonly shape: readonly (number | null)[];
  readonly dtype: DType;
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, int8: Int8Array } as const;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Zeroed storage for a tensor. */
export function emptyTensor<D extends DType>(shape: readonly number[], dtype: D): TensorData<D> {
  return { shape, dtype, data: new ARRAYS[dtype](sizeOf(shape)) as DataOf<D> };
}

/**
 * A host tensor from nested or flat numbers.
 *
 * @param values flat values in row-major order; a typed array of the right kind is used as it is, not copied
 * @param shape defaults to one dimension
 * @param dtype defaults to that of a typed array, else `float32`
 * @throws ThoughtbookError when the number of values does not fit the shape
 */
export function tensorData<D extends DType = "float32">(
  values: DataOf<D> | ArrayLike<number>,
  shape: readonly number[] = [values.length],
  dtype: D = dtypeOfArray(values) as D,
): TensorData<D> {
  if (values.length !== sizeOf(shape)) {
    throw badInput(
      `a tensor of shape [${shape.join(", ")}] has ${sizeOf(shape)} values, but ${values.length} were given`,
      "Check the shape.",
    );
  }
  const data = values instanceof ARRAYS[dtype] ? values : ARRAYS[dtype].from(values);
  return { shape, dtype, data: data as DataOf<D> };
}

/** The expectation for one input. `null` in the shape is a size that may differ from call to call. */
export function spec(shape: readonly (number | null)[], dtype: DType = "float32"): TensorSpec {
  return { shape, dtype };
}

/** A spec has no values. */
export function isSpec(value: unknown): value is TensorSpec {
  return hasShape(value) && !("data" in value);
}

export function isTensorData(value: unknown): value is TensorData {
  return hasShape(value) && "data" in value && ArrayBuffer.isView(value.data);
}

function hasShape(value: unknown): value is { shape: unknown } {
  return (
    typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape) && "dtype" in value
  );
}

function dtypeOfArray(values: ArrayLike<number>): DType {
  if (values instanceof Int32Array) return "int32";
  if (values instanceof Uint8Array) return "bool";
  if (values instanceof Int8Array) return "int8";
  return "float32";
}
