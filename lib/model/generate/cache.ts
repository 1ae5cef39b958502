import { emptyTensor, type TensorData } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";

/** Keys and values of all layers, `[rows, keyValueHeads, capacity, headDimension]` each. */
export interface Cache {
  rows: number;
  /** Maximum tokens of a row. */
  capacity: number;
  keys: TensorData<"float32">[];
  values: TensorData<"float32">[];
}

/** Create memory for keys and values. Its content is undefined where no token was written. */
export function createCache(
  { layers, keyValueHeads, headDimension }: ModelConfig,
  rows: number,
  capacity: number,
): Cache {
  const layer = () => emptyTensor([rows, keyValueHeads, capacity, headDimension], "float32");
  return {
    rows,
    capacity,
    keys: Array.from({ length: layers }, layer),
    values: Array.from({ length: layers }, layer),
  };
}

/** Bytes per token of a row. */
export function cacheBytes({ layers, keyValueHeads, headDimension }: ModelConfig): number {
  return 2 * layers * keyValueHeads * headDimension * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Copy the first `length` tokens of a row into a row of another cache, which may have another capacity.
 *
 * @param place where in that row they begin
 */
export function copyRow(from: Cache, fromRow: number, to: Cache, toRow: number, length: number, place = 0): void {
  for (const kind of ["keys", "values"] as const) {
    for (const [layer, source] of from[kind].entries()) {
      const [, heads, capacity, width] = source.shape as [number, number, number, number];
      const target = to[kind][layer]!.data;
      for (let head = 0; head < heads; head++) {
        const start = (fromRow * heads + head) * capacity * width;
        const end = ((toRow * heads + head) * to.capacity + place) * width;
        target.set(source.data.subarray(start, start + length * width), end);
      }
    }
  }
}
