import tf = require("@tensorflow/tfjs");

import { addNode, addSplat, type Graph, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { type FusedTail, fusedTail } from "./activations.js";
import type { Lowering, Lowerings } from "./lowering.js";
import { matMul } from "./matmul.js";
import { reshape, transpose } from "./shapes.js";
import { sliceAxis } from "./slices.js";
import { toChannelsFirst, type Windows, windowsOf2D, windowsOf3D, withChannelsFirst } from "./windows.js";

/*
 * TensorFlow.js has filters as [...space, in, out] and images as [batch, ...space, channels]; ONNX has [out, in, ...space]
 * and [batch, channels, ...space].
 */

/** A filter in ONNX's order. */
function onnxFilter(graph: Graph, filter: Value): Value {
  const space = filter.shape.length - 2;
  return transpose(graph, filter, [space + 1, space, ...Array(space).keys()]);
}

/** A depthwise filter `[...space, channels, multiplier]` in ONNX's order, as one group a channel. */
function depthwiseFilter(graph: Graph, filter: Value): Value {
  const space = filter.shape.slice(0, -2);
  const [channels, multiplier] = filter.shape.slice(-2) as [number, number];
  const first = transpose(graph, filter, [space.length, space.length + 1, ...space.keys()]);
  return reshape(graph, first, [channels * multiplier, 1, ...space]);
}

function isPointwise({ kernel, strides, padBegin, padEnd, channelsLast }: Windows): boolean {
  return (
    channelsLast && [...kernel, ...strides].every((n) => n === 1) && [...padBegin, ...padEnd].every((n) => n === 0)
  );
}

function rows(graph: Graph, x: Value): Value {
  const channels = x.shape.at(-1)!;
  return reshape(graph, x, [sizeOf(x.shape.slice(0, -1)), channels]);
}

function convolve(graph: Graph, x: Value, filter: Value, windows: Windows): Value {
  const outChannels = filter.shape.at(-1)!;
  if (isPointwise(windows)) {
    const product = matMul(graph, rows(graph, x), rows(graph, filter));
    return reshape(graph, product, [windows.batch, ...windows.outSize, outChannels]);
  }
  return withChannelsFirst(graph, x, windows, (x) => slide(graph, x, onnxFilter(graph, filter), windows, 1));
}

function slide(graph: Graph, x: Value, filter: Value, windows: Windows, group: number): Value {
  const { kernel, strides, dilations, padBegin, padEnd } = windows;
  return addNode(
    graph,
    "Conv",
    [x, filter],
    { shape: [windows.batch, filter.shape[0]!, ...windows.outSize], dtype: "float32" },
    { kernel_shape: kernel, strides, dilations, pads: [...padBegin, ...padEnd], group },
  );
}

/** The transposed convolution: from the places of the output back to those of the input. */
function slideBack(graph: Graph, dy: Value, filter: Value, windows: Windows, group: number): Value {
  const { batch, channels, inSize, outSize, kernel, strides, dilations, padBegin } = windows;
  // What the windows covered, and input behind them that none did.
  const rest = inSize.map((size, i) => {
    const covered = (outSize[i]! - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1;
    return size - (covered - padBegin[i]!);
  });
  return addNode(
    graph,
    "ConvTranspose",
    [dy, filter],
    { shape: [batch, channels, ...inSize], dtype: "float32" },
    {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...padBegin, ...rest.map((size) => Math.max(0, -size))],
      output_padding: rest.map((size) => Math.max(0, size)),
      group,
    },
  );
}

/** The gradient of the input of a convolution. */
function convolveBack(graph: Graph, dy: Value, filter: Value, windows: Windows): Value {
  if (isPointwise(windows)) {
    const product = matMul(graph, rows(graph, dy), rows(graph, filter), { transposeB: true });
    return reshape(graph, product, [windows.batch, ...windows.inSize, windows.channels]);
  }
  return withChannelsFirst(graph, dy, windows, (dy) => slideBack(graph, dy, onnxFilter(graph, filter), windows, 1));
}

/**
 * The gradient of a filter: the input convolved with the gradient of the output, with examples in the place of channels
 * and strides and dilations in each other's place.
 *
 * @param x `[groups, batch · channels a group, ...space]`
 * @param dy `[out, batch, ...space]`
 * @returns `[groups, out, ...kernel]`
 */
function slideOverOutput(graph: Graph, x: Value, dy: Value, windows: Windows, group: number): Value {
  const { inSize, outSize, kernel, strides, dilations, padBegin } = windows;
  const needed = kernel.map((size, i) => (size - 1) * dilations[i]! + (outSize[i]! - 1) * strides[i]! + 1);
  const end = needed.map((size, i) => size - inSize[i]! - padBegin[i]!);
  const found = end.map((size, i) => kernel[i]! + Math.floor(Math.max(0, -size) / dilations[i]!));
  const shape = [x.shape[0]!, dy.shape[0]!, ...found];
  const all = addNode(
    graph,
    "Conv",
    [x, dy],
    { shape, dtype: "float32" },
    {
      kernel_shape: outSize,
      strides: dilations,
      dilations: strides,
      pads: [...padBegin, ...end.map((size) => Math.max(0, size))],
      group,
    },
  );
  return kernel.reduce((part, size, i) => sliceAxis(graph, part, i + 2, 0, size), all);
}

const swapped = (graph: Graph, x: Value) => transpose(graph, x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]);

/** The gradient of a filter `[...space, in, out]`. */
function filterGradient(graph: Graph, x: Value, dy: Value, windows: Windows, filterShape: readonly number[]): Value {
  if (sizeOf(dy.shape) === 0 || sizeOf(x.shape) === 0) return addSplat(graph, 0, filterShape, "float32");
  if (isPointwise(windows)) {
    const product = matMul(graph, rows(graph, x), rows(graph, dy), { transposeA: true });
    return reshape(graph, product, filterShape);
  }
  const [input, output] = windows.channelsLast ? [toChannelsFirst(graph, x), toChannelsFirst(graph, dy)] : [x, dy];
  const gradient = slideOverOutput(graph, swapped(graph, input), swapped(graph, output), windows, 1);
  const space = filterShape.slice(0, -2).map((_, i) => i + 2);
  return transpose(graph, gradient, [...space, 0, 1]);
}

function depthwiseFilterGradient(
  graph: Graph,
  x: Value,
  dy: Value,
  windows: Windows,
  filterShape: readonly number[],
): Value {
  if (sizeOf(dy.shape) === 0) return addSplat(graph, 0, filterShape, "float32");
  const { batch, channels, inSize, kernel } = windows;
  const input = reshape(graph, swapped(graph, toChannelsFirst(graph, x)), [1, channels * batch, ...inSize]);
  const gradient = slideOverOutput(graph, input, swapped(graph, toChannelsFirst(graph, dy)), windows, channels);
  const multiplier = filterShape.at(-1)!;
  const split = reshape(graph, gradient, [channels, multiplier, ...kernel]);
  return transpose(graph, split, [...kernel.map((_, i) => i + 2), 0, 1]);
}

interface Attributes {
  strides: number | [number, number];
  pad: "valid" | "same" | number;
  dilations?: number | [number, number] | null;
  dimRoundingMode?: "floor" | "round" | "ceil";
  dataFormat?: "NHWC" | "NCHW";
}

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];

function windows2D(
  input: readonly number[],
  filter: readonly number[],
  attributes: unknown,
  isDepthwise = false,
): Windows {
  const { strides, pad, dilations, dimRoundingMode, dataFormat } = attributes as Attributes;
  return windowsOf2D(
    tf.backend_util.computeConv2DInfo(
      input as Shape4D,
      filter as Shape4D,
      strides,
      dilations ?? 1,
      pad,
      dimRoundingMode,
      isDepthwise,
      // Depthwise kernels take images with channels last only.
      isDepthwise ? "channelsLast" : tf.backend_util.convertConv2DDataFormat(dataFormat ?? "NHWC"),
    ),
  );
}

function windows3D(input: readonly number[], filter: readonly number[], attributes: unknown): Windows {
  const { strides, pad, dilations } = attributes as {
    strides: number | [number, number, number];
    pad: "valid" | "same";
    dilations?: number | [number, number, number];
  };
  return windowsOf3D(
    tf.backend_util.computeConv3DInfo(input as Shape5D, filter as Shape5D, strides, dilations ?? 1, pad),
  );
}

const conv2D: Lowering = (graph, { x, filter }, attributes) =>
  convolve(graph, x!, filter!, windows2D(x!.shape, filter!.shape, attributes));

const depthwiseConv2D: Lowering = (graph, { x, filter }, attributes) => {
  const windows = windows2D(x!.shape, filter!.shape, attributes, true);
  return withChannelsFirst(graph, x!, windows, (x) =>
    slide(graph, x, depthwiseFilter(graph, filter!), windows, windows.channels),
  );
};

const fused =
  (product: Lowering): Lowering =>
  (graph, inputs, attributes) => {
    const { bias, preluActivationWeights } = inputs;
    const dimensionsAfterChannels = attributes.dataFormat === "NCHW" ? 2 : 0;
    const tail = { ...attributes, bias, preluActivationWeights, dimensionsAfterChannels } as FusedTail;
    return fusedTail(graph, product(graph, inputs, attributes) as Value, tail);
  };

export const convolutions: Lowerings = {
  Conv2D: conv2D,
  FusedConv2D: fused(conv2D),
  Conv2DBackpropInput: (graph, { dy, filter }, attributes) =>
    convolveBack(graph, dy!, filter!, windows2D(attributes.inputShape as number[], filter!.shape, attributes)),
  Conv2DBackpropFilter: (graph, { x, dy }, attributes) => {
    const filterShape = attributes.filterShape as number[];
    return filterGradient(graph, x!, dy!, windows2D(x!.shape, filterShape, attributes), filterShape);
  },
  DepthwiseConv2dNative: depthwiseConv2D,
  FusedDepthwiseConv2D: fused(depthwiseConv2D),
  DepthwiseConv2dNativeBackpropInput: (graph, { dy, filter }, attributes) => {
    const windows = windows2D(attributes.inputShape as number[], filter!.shape, attributes, true);
    return withChannelsFirst(graph, dy!, windows, (dy) =>
      slideBack(graph, dy, depthwiseFilter(graph, filter!), windows, windows.channels),
    );
  },
  DepthwiseConv2dNativeBackpropFilter: (graph, { x, dy }, attributes) => {
    const filterShape = attributes.filterShape as number[];
    const windows = windows2D(x!.shape, filterShape, attributes, true);
    return depthwiseFilterGradient(graph, x!, dy!, windows, filterShape);
  },
  Conv3D: (graph, { x, filter }, attributes) =>
    convolve(graph, x!, filter!, windows3D(x!.shape, filter!.shape, attributes)),
  Conv3DBackpropInputV2: (graph, { dy, filter }, attributes) =>
    convolveBack(graph, dy!, filter!, windows3D(attributes.inputShape as number[], filter!.shape, attributes)),
  Conv3DBackpropFilterV2: (graph, { x, dy }, attributes) => {
    const filterShape = attributes.filterShape as number[];
    return filterGradient(graph, x!, dy!, windows3D(x!.shape, filterShape, attributes), filterShape);
  },
};

export { slideBack };
