import { addNode, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary } from "./arithmetic.js";
import { numeric } from "./cast.js";
import type { Lowerings } from "./lowering.js";
import { axisOf } from "./shapes.js";
import { pad, sliceAxis } from "./slices.js";

/** Move numbers along one dimension, with ones coming in where they came from. */
function shift(graph: Graph, x: Value, axis: number, by: number, isReverse: boolean): Value {
  const size = x.shape[axis]! - by;
  const moved = sliceAxis(graph, x, axis, isReverse ? by : 0, size);
  return pad(
    graph,
    moved,
    x.shape.map((_, i) => (i === axis ? (isReverse ? [0, by] : [by, 0]) : [0, 0])),
    1,
  );
}

export const scans: Lowerings = {
  Cumsum: (graph, { x }, { axis, exclusive, reverse }) => {
    const numbers = numeric(graph, x!);
    const along = int64s(graph, [axisOf(x!, Number(axis))], []);
    return addNode(graph, "CumSum", [numbers, along], numbers, {
      exclusive: Number(exclusive),
      reverse: Number(reverse),
    });
  },
  // ONNX has no such operator: products over 1, 2, 4, … numbers, each made of two of those before.
  Cumprod: (graph, { x }, { axis, exclusive, reverse }) => {
    const along = axisOf(x!, Number(axis));
    const isReverse = Boolean(reverse);
    const numbers = numeric(graph, x!);
    if (sizeOf(numbers.shape) === 0) return numbers;
    let products = exclusive ? shift(graph, numbers, along, 1, isReverse) : numbers;
    for (let length = 1; length < x!.shape[along]!; length *= 2)
      products = binary(graph, "Mul", products, shift(graph, products, along, length, isReverse));
    return products;
  },
};
