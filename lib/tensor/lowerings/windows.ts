import type * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../graph.js";
import { reshape, transpose } from "./shapes.js";

type Info2D = tf.backend_util.Conv2DInfo;
type Info3D = tf.backend_util.Conv3DInfo;

/** How a window moves over an image: numbers for each dimension of space. */
export interface Windows {
  batch: number;
  channels: number;
  inSize: readonly number[];
  outSize: readonly number[];
  kernel: readonly number[];
  strides: readonly number[];
  dilations: readonly number[];
  padBegin: readonly number[];
  /** As much as the last window needs, which is less than TensorFlow.js's number where strides leave a rest. */
  padEnd: readonly number[];
  channelsLast: boolean;
}

type Geometry = Omit<Windows, "padEnd">;

function withPadEnd(geometry: Geometry): Windows {
  const padEnd = geometry.inSize.map((size, i) => Math.max(0, span(geometry, i) - size - geometry.padBegin[i]!));
  return { ...geometry, padEnd };
}

/** Places from the first of the first window to the last of the last one, along one dimension. */
export function span({ outSize, strides, kernel, dilations }: Geometry, i: number): number {
  return (outSize[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1;
}

/** @param info what tfjs-core computes for convolutions and pools of images */
export function windowsOf2D(info: Info2D): Windows {
  return withPadEnd({
    batch: info.batchSize,
    channels: info.inChannels,
    inSize: [info.inHeight, info.inWidth],
    outSize: [info.outHeight, info.outWidth],
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padBegin: [info.padInfo.top, info.padInfo.left],
    channelsLast: info.dataFormat === "channelsLast",
  });
}

/** @param info what tfjs-core computes for convolutions and pools of volumes */
export function windowsOf3D(info: Info3D): Windows {
  return withPadEnd({
    batch: info.batchSize,
    channels: info.inChannels,
    inSize: [info.inDepth, info.inHeight, info.inWidth],
    outSize: [info.outDepth, info.outHeight, info.outWidth],
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    padBegin: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
    channelsLast: info.dataFormat === "channelsLast",
  });
}

/** `[batch, ...space, channels]` as `[batch, channels, ...space]`, which ONNX wants. */
export function toChannelsFirst(graph: Graph, x: Value): Value {
  const space = x.shape.slice(2).map((_, i) => i + 1);
  return transpose(graph, x, [0, x.shape.length - 1, ...space]);
}

export function toChannelsLast(graph: Graph, x: Value): Value {
  const space = x.shape.slice(2).map((_, i) => i + 2);
  return transpose(graph, x, [0, ...space, 1]);
}

/** Compute with channels first, whatever the order of the value and its result. */
export function withChannelsFirst(
  graph: Graph,
  x: Value,
  { channelsLast }: Windows,
  compute: (x: Value) => Value,
): Value {
  return channelsLast ? toChannelsLast(graph, compute(toChannelsFirst(graph, x))) : compute(x);
}

/** All numbers of a value in one dimension. */
export function flat(graph: Graph, x: Value): Value {
  return reshape(graph, x, [x.shape.reduce((product, size) => product * size, 1)]);
}
