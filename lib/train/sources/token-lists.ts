import { emptyTensor, type TensorData } from "../../tensor/index.js";
import type { BatchPlan } from "./batch-plan.js";

/**
 * Numbers of counted tokens in the order of a batch's places.
 *
 * @param numbers of each example's counted tokens, by its place in the list of examples
 * @param capacity length of the list; what is left is 0
 */
export function tokenList<T extends "float32" | "int32">(
  { placed }: BatchPlan,
  numbers: (example: number, nth: number) => ArrayLike<number>,
  capacity: number,
  dtype: T,
): TensorData<T> {
  const list = emptyTensor([capacity], dtype);
  let next = 0;
  for (const [nth, { example }] of placed.entries()) {
    const values = numbers(example, nth);
    list.data.set(values, next);
    next += values.length;
  }
  return list;
}

/** Room for a number of things, of few different sizes, as each size is a program. */
export const roomFor = (count: number): number => 2 ** Math.ceil(Math.log2(Math.max(8, count)));
