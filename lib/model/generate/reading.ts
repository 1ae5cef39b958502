import type { Admission } from "./admission.js";
import type { Cache } from "./cache.js";
import type { KnownBeginning } from "./prefix-store.js";

/** A prompt that is read piece by piece in a row of the batch; its samples have a row each. */
export interface Reading extends Admission {
  /** Number of tokens whose keys and values are in its row. */
  read: number;
  /** Tokens that were computed for it, those that were taken from a known beginning not counted. */
  computed: number;
}

export function startReading(admission: Admission, { length }: KnownBeginning): Reading {
  return { ...admission, read: length, computed: 0 };
}

/** The memory of one row as a cache of its own: nothing is copied. */
export function rowOf(cache: Cache, row: number): Cache {
  const view = (tensor: Cache["keys"][number]) => {
    const size = tensor.data.length / cache.rows;
    return {
      shape: [1, ...tensor.shape.slice(1)],
      dtype: tensor.dtype,
      data: tensor.data.subarray(row * size, (row + 1) * size),
    };
  };
  return { rows: 1, capacity: cache.capacity, keys: cache.keys.map(view), values: cache.values.map(view) };
}
