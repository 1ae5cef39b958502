import { addNode, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary } from "./arithmetic.js";
import { concat, reshape } from "./shapes.js";
import { pad, slice } from "./slices.js";
import { span, type Windows } from "./windows.js";

export interface WindowMaximum {
  /** `[batch, ...out, channels]`: the largest candidate of each window. */
  maximum(): Value;
  /** The same shape, int64: which place of the kernel it is at, row by row. */
  kernelPlaces: Value;
  /** The same shape, int64: where it is in the flattened padded input. */
  places: Value;
  paddedShape: readonly number[];
  /** The input's part of a value of the padded shape. */
  cropped(padded: Value): Value;
}

/**
 * The largest number of each window, with its place. All numbers at one place of the kernel are one strided part of the
 * input, so that the largest is taken over as many parts as the kernel has places.
 *
 * @param x `[batch, ...space, channels]`
 * @param filter `[...kernel, channels]`, added to the numbers before they are compared, if any
 * @param ties which of equal numbers is taken
 */
export function windowMaximum(
  graph: Graph,
  x: Value,
  filter: Value | null,
  windows: Windows,
  ties: "first" | "last",
): WindowMaximum {
  const { batch, channels, inSize, outSize, kernel, strides, dilations, padBegin } = windows;
  const covered = inSize.map((size, i) => Math.max(span(windows, i), padBegin[i]! + size));
  const around = [[0, 0], ...inSize.map((size, i) => [padBegin[i]!, covered[i]! - padBegin[i]! - size]), [0, 0]];
  const padded = pad(graph, x, around, Number.NEGATIVE_INFINITY);
  const paddedShape = [batch, ...covered, channels];
  const offsets = placesOf(kernel).map((place) => place.map((n, i) => n * dilations[i]!));
  const count = offsets.length;
  const weights = filter && reshape(graph, filter, [count, ...new Array<number>(kernel.length + 1).fill(1), channels]);
  const shape = [batch, ...outSize, channels];
  const parts = offsets.map((offset) => {
    const part = slice(graph, padded, [0, ...offset, 0], shape, [1, ...strides, 1]);
    return reshape(graph, part, [1, ...shape]);
  });
  const stacked = concat(graph, parts, 0);
  const all = weights ? binary(graph, "Add", stacked, weights) : stacked;
  const kernelPlaces = addNode(
    graph,
    "ArgMax",
    [all],
    { shape, dtype: "int64" },
    { axis: 0, keepdims: 0, select_last_index: Number(ties === "last") },
  );
  const steps = [...covered.map((_, i) => sizeOf(covered.slice(i + 1)) * channels)];
  const distance = (place: readonly number[]) => place.reduce((sum, n, i) => sum + n * steps[i]!, 0);
  const distances = int64s(graph, offsets.map(distance));
  const fromStart = addNode(graph, "Gather", [distances, kernelPlaces], { shape, dtype: "int64" }, { axis: 0 });
  const starts = placesOf(outSize).map((place) => distance(place.map((n, i) => n * strides[i]!)));
  const image = sizeOf(covered) * channels;
  const places = [
    int64s(
      graph,
      Array.from({ length: batch }, (_, i) => i * image),
      [batch, ...outSize.map(() => 1), 1],
    ),
    int64s(graph, starts, [1, ...outSize, 1]),
    int64s(graph, [...Array(channels).keys()], [channels]),
  ].reduce((sum, part) => binary(graph, "Add", sum, part), fromStart);
  return {
    maximum: () => addNode(graph, "ReduceMax", [all, int64s(graph, [0])], { shape, dtype: "float32" }, { keepdims: 0 }),
    kernelPlaces,
    places,
    paddedShape,
    cropped: (value) => slice(graph, value, [0, ...padBegin, 0], [batch, ...inSize, channels]),
  };
}

/** All places in a box, row by row. */
function placesOf(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (places, size) => places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
}
