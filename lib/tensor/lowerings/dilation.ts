import tf = require("@tensorflow/tfjs");

import { type Graph, int64s, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { binary, scalar } from "./arithmetic.js";
import { windowMaximum } from "./candidates.js";
import { filled } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { scatter } from "./scatter.js";
import { reshape } from "./shapes.js";
import { flat, type Windows, windowsOf2D } from "./windows.js";

/* Morphological dilation: the largest sum of an image and a filter over each window. */

function windowsOf(x: Value, filter: Value, attributes: unknown): Windows {
  const { strides, pad, dilations } = attributes as {
    strides: number | [number, number];
    pad: "valid" | "same";
    dilations: number | [number, number];
  };
  const info = tf.backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad,
    "NHWC",
    dilations,
  );
  return windowsOf2D(info);
}

function maximumOf(graph: Graph, x: Value, filter: Value, attributes: unknown) {
  return windowMaximum(graph, x, filter, windowsOf(x, filter, attributes), "first");
}

export const dilations: Lowerings = {
  Dilation2D: (graph, { x, filter }, attributes) => maximumOf(graph, x!, filter!, attributes).maximum(),
  Dilation2DBackpropInput: (graph, { x, filter, dy }, attributes) => {
    const { places, paddedShape, cropped } = maximumOf(graph, x!, filter!, attributes);
    const zeros = filled(graph, 0, [sizeOf(paddedShape)], "float32");
    const sums = scatter(graph, zeros, flat(graph, places), flat(graph, dy!), true);
    return cropped(reshape(graph, sums, paddedShape));
  },
  Dilation2DBackpropFilter: (graph, { x, filter, dy }, attributes) => {
    const { kernelPlaces } = maximumOf(graph, x!, filter!, attributes);
    const channels = filter!.shape[2]!;
    const channel = int64s(graph, [...Array(channels).keys()]);
    const rows = binary(graph, "Mul", kernelPlaces, scalar(graph, channels, kernelPlaces));
    const places = binary(graph, "Add", rows, channel);
    const zeros = filled(graph, 0, [sizeOf(filter!.shape)], "float32");
    return reshape(graph, scatter(graph, zeros, flat(graph, places), flat(graph, dy!), true), filter!.shape);
  },
};
