import { performance } from "node:perf_hooks";
import * as tf from "@tensorflow/tfjs";
import { compile, sizeOf, spec, type TensorData, tensorData } from "thoughtbook/tensor";
import type { MatrixProduct } from "./products.js";
import { spreadOf } from "./statistics.js";

/** Results below this are repeated inside one call, so that the cost of a call does not count. */
const FLOPS_A_CALL = 1e9;
const MAXIMUM_PRODUCTS_A_CALL = 16;

/** Median seconds of products through compiled TensorFlow.js products. */
export function productTimer(threads: number): (product: MatrixProduct, milliseconds: number) => Promise<number> {
  return async (product, milliseconds) => {
    const { batch, m, k, n, transposeA, transposeB } = product;
    const repeats = Math.min(MAXIMUM_PRODUCTS_A_CALL, Math.ceil(FLOPS_A_CALL / (2 * batch * m * k * n)));
    const lead = batch === 1 ? [] : [batch];
    const shapes = {
      a: [...lead, ...(transposeA ? [k, m] : [m, k])],
      b: [...lead, ...(transposeB ? [n, k] : [k, n])],
      y: [...lead, m, n],
    };
    const list = <T>(value: (i: number) => T): T[] => Array.from({ length: repeats }, (_, i) => value(i));
    const multiply = compile(
      // The results before last are an input only to give their memory back.
      ({ a, bs }) => ({ previous: bs.map((b) => tf.matMul(a, b, transposeA, transposeB)) }),
      { a: spec(shapes.a), bs: list(() => spec(shapes.b)), previous: list(() => spec(shapes.y)) },
      { donate: ["previous"], threads },
    );
    const random = (shape: number[]) => tensorData(Float32Array.from({ length: sizeOf(shape) }, Math.random), shape);
    const factors = { a: random(shapes.a), bs: list(() => random(shapes.b)) };
    let previous: TensorData[] = list(() => tensorData(new Float32Array(sizeOf(shapes.y)), shapes.y));
    const times: number[] = [];
    const end = performance.now() + milliseconds;
    // The first calls compile and fill both sets of buffers.
    for (let call = 0; times.length < 3 || performance.now() < end; call++) {
      const start = performance.now();
      ({ previous } = await multiply({ ...factors, previous }));
      if (call > 1) times.push(performance.now() - start);
    }
    await multiply.dispose();
    return spreadOf(times).median / 1000 / repeats;
  };
}
