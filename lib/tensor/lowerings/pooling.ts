import tf = require("@tensorflow/tfjs");

import { addNode, addNodes, addSplat, type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary, scalar } from "./arithmetic.js";
import { windowMaximum } from "./candidates.js";
import { cast, through } from "./cast.js";
import { filled } from "./constants.js";
import { slideBack } from "./convolution.js";
import type { Lowerings } from "./lowering.js";
import { scatter } from "./scatter.js";
import { reshape } from "./shapes.js";
import {
  flat,
  toChannelsFirst,
  toChannelsLast,
  type Windows,
  windowsOf2D,
  windowsOf3D,
  withChannelsFirst,
} from "./windows.js";

interface Attributes {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: "valid" | "same" | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

interface Attributes3D {
  filterSize: number | [number, number, number];
  strides: number | [number, number, number];
  pad: "valid" | "same" | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

function windows2D(x: Value, attributes: unknown): Windows {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as Attributes;
  const shape = x.shape as [number, number, number, number];
  return windowsOf2D(tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode));
}

function windows3D(x: Value, attributes: unknown): Windows {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as Attributes3D;
  const shape = x.shape as [number, number, number, number, number];
  return windowsOf3D(tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode));
}

const poolAttributes = ({ kernel, strides, padBegin, padEnd }: Windows) => ({
  kernel_shape: kernel,
  strides,
  pads: [...padBegin, ...padEnd],
});

/** The mean or the largest number of each window; what is padded counts for neither. */
function pool(graph: Graph, op: "AveragePool" | "MaxPool", x: Value, windows: Windows): Value {
  const shape = [windows.batch, windows.channels, ...windows.outSize];
  return through(graph, x, "float32", (numbers) =>
    withChannelsFirst(graph, numbers, windows, (numbers) =>
      addNode(graph, op, [numbers], { shape, dtype: "float32" }, poolAttributes(windows)),
    ),
  );
}

/**
 * The gradient of a mean pool as TensorFlow.js has it: padded places count, unlike in the pool itself, so that at padded
 * borders it is not the derivative.
 */
function averageGradient(graph: Graph, dy: Value, windows: Windows): Value {
  const share = 1 / sizeOf(windows.kernel);
  const filter = addSplat(graph, share, [windows.channels, 1, ...windows.kernel], "float32");
  return withChannelsFirst(graph, dy, windows, (dy) => slideBack(graph, dy, filter, windows, windows.channels));
}

/** Largest numbers with channels first, and their places in the flattened input. */
function maximaWithPlaces(graph: Graph, x: Value, windows: Windows): { maxima: Value; places: Value } {
  const shape = [windows.batch, windows.channels, ...windows.outSize];
  const [maxima, places] = addNodes(
    graph,
    "MaxPool",
    [toChannelsFirst(graph, x)],
    [
      { shape, dtype: "float32" },
      { shape, dtype: "int64" },
    ],
    poolAttributes(windows),
  );
  return { maxima: maxima!, places: places! };
}

/** Each gradient to the first of the largest numbers of its window. */
function maximumGradient(graph: Graph, dy: Value, x: Value, windows: Windows): Value {
  const { batch, channels, inSize } = windows;
  const { places } = maximaWithPlaces(graph, x, windows);
  const zeros = filled(graph, 0, [sizeOf(x.shape)], "float32");
  const sums = scatter(graph, zeros, flat(graph, places), flat(graph, toChannelsFirst(graph, dy)), true);
  return toChannelsLast(graph, reshape(graph, sums, [batch, channels, ...inSize]));
}

/** Each gradient to the last of the largest numbers of its window, which is what the cpu backend does with volumes. */
function maximumGradientOfVolumes(graph: Graph, dy: Value, x: Value, windows: Windows): Value {
  const { places, paddedShape, cropped } = windowMaximum(graph, x, null, windows, "last");
  const zeros = filled(graph, 0, [sizeOf(paddedShape)], "float32");
  const sums = scatter(graph, zeros, flat(graph, places), flat(graph, dy), true);
  return cropped(reshape(graph, sums, paddedShape));
}

/** Places in `[batch, channels, ...space]` as places in `[batch?, ...space, channels]`. */
function placesWithChannelsLast(graph: Graph, places: Value, windows: Windows, withBatch: boolean): Value {
  const { batch, channels, inSize } = windows;
  const area = sizeOf(inSize);
  const ones = inSize.map(() => 1);
  const image = Array.from({ length: batch * channels }, (_, i) => i);
  const starts = int64s(
    graph,
    image.map((i) => i * area),
    [batch, channels, ...ones],
  );
  const shifts = int64s(
    graph,
    image.map((i) => (i % channels) + (withBatch ? Math.floor(i / channels) * area * channels : 0)),
    [batch, channels, ...ones],
  );
  const local = binary(graph, "Sub", places, starts);
  const inRow = binary(graph, "Mul", local, scalar(graph, channels, local));
  return cast(graph, toChannelsLast(graph, binary(graph, "Add", inRow, shifts)), "int32");
}

export const pools: Lowerings = {
  AvgPool: (graph, { x }, attributes) => pool(graph, "AveragePool", x!, windows2D(x!, attributes)),
  AvgPool3D: (graph, { x }, attributes) => pool(graph, "AveragePool", x!, windows3D(x!, attributes)),
  MaxPool: (graph, { x }, attributes) => pool(graph, "MaxPool", x!, windows2D(x!, attributes)),
  MaxPool3D: (graph, { x }, attributes) => pool(graph, "MaxPool", x!, windows3D(x!, attributes)),
  AvgPoolGrad: (graph, { dy, input }, attributes) => averageGradient(graph, dy!, windows2D(input!, attributes)),
  AvgPool3DGrad: (graph, { dy, input }, attributes) => averageGradient(graph, dy!, windows3D(input!, attributes)),
  MaxPoolGrad: (graph, { dy, input }, attributes) =>
    maximumGradient(graph, dy!, cast(graph, input!, "float32"), windows2D(input!, attributes)),
  MaxPool3DGrad: (graph, { dy, input }, attributes) =>
    maximumGradientOfVolumes(graph, dy!, cast(graph, input!, "float32"), windows3D(input!, attributes)),
  MaxPoolWithArgmax: (graph, { x }, attributes) => {
    const windows = windows2D(x!, attributes);
    const { maxima, places } = maximaWithPlaces(graph, cast(graph, x!, "float32"), windows);
    return [
      cast(graph, toChannelsLast(graph, maxima), x!.dtype),
      placesWithChannelsLast(graph, places, windows, Boolean(attributes.includeBatchInIndex)),
    ];
  },
};
