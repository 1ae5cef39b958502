import tf = require("@tensorflow/tfjs");

import type { Graph, Value } from "../graph.js";
import { binary } from "./arithmetic.js";
import { cast } from "./cast.js";
import { float32s } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { matMul } from "./matmul.js";
import { concat, expand, reshape } from "./shapes.js";
import { pick } from "./slices.js";

/* Images are [batch, height, width, channels]. Where each pixel comes from is known while tracing. */

interface Scaling {
  alignCorners: boolean;
  halfPixelCenters: boolean;
}

/** Places of the output as places of the input, before rounding. */
function sources(
  inSize: number,
  outSize: number,
  { alignCorners, halfPixelCenters }: Scaling,
  shift: number,
): number[] {
  const isAligned = alignCorners && outSize > 1;
  const ratio = isAligned ? (inSize - 1) / (outSize - 1) : inSize / outSize;
  return Array.from({ length: outSize }, (_, i) => (halfPixelCenters ? ratio * (i + 0.5) - shift : ratio * i));
}

function nearest(inSize: number, outSize: number, scaling: Scaling): number[] {
  return sources(inSize, outSize, scaling, 0).map((place) =>
    Math.max(0, Math.min(inSize - 1, scaling.alignCorners ? Math.round(place) : Math.floor(place))),
  );
}

interface Neighbours {
  low: number[];
  high: number[];
  /** How far from the low one towards the high one, 0 to 1. */
  share: number[];
}

function neighbours(inSize: number, outSize: number, scaling: Scaling): Neighbours {
  const places = sources(inSize, outSize, scaling, 0.5);
  const low = places.map((place) => Math.max(0, Math.floor(place)));
  return {
    low,
    high: places.map((place) => Math.min(inSize - 1, Math.ceil(place))),
    share: places.map((place, i) => place - low[i]!),
  };
}

function interpolate(graph: Graph, x: Value, axis: 1 | 2, { low, high, share }: Neighbours): Value {
  const [from, to] = [pick(graph, x, axis, low), pick(graph, x, axis, high)];
  const shares = float32s(graph, share, axis === 1 ? [share.length, 1, 1] : [share.length, 1]);
  return binary(graph, "Add", from, binary(graph, "Mul", binary(graph, "Sub", to, from), shares));
}

/** Multiply the rows or columns of pixels with a constant matrix `[to, from]`. */
function mix(graph: Graph, x: Value, axis: 1 | 2, matrix: number[][]): Value {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const weights = float32s(graph, matrix.flat(), [matrix.length, x.shape[axis]!]);
  const flat = axis === 1 ? [batch, height, width * channels] : [batch * height, width, channels];
  const shape = x.shape.map((size, i) => (i === axis ? matrix.length : size));
  return reshape(graph, matMul(graph, weights, reshape(graph, x, flat)), shape);
}

/** The transposed matrix of what each output takes from each input. */
function backwards(
  inSize: number,
  outSize: number,
  parts: readonly { places: number[]; weights: number[] }[],
): number[][] {
  const matrix = Array.from({ length: inSize }, () => new Array<number>(outSize).fill(0));
  for (const { places, weights } of parts)
    for (const [to, from] of places.entries()) matrix[from]![to]! += weights[to]!;
  return matrix;
}

/**
 * The gradient of a resized image. TensorFlow.js leaves `halfPixelCenters` out of it, so that with that option it is not
 * the derivative.
 */
function resizeGradient(
  graph: Graph,
  dy: Value,
  images: Value,
  alignCorners: boolean,
  partsOf: (inSize: number, outSize: number, scaling: Scaling) => { places: number[]; weights: number[] }[],
): Value {
  const scaling = { alignCorners, halfPixelCenters: false };
  return ([1, 2] as const).reduce((gradient, axis) => {
    const [inSize, outSize] = [images.shape[axis]!, dy.shape[axis]!];
    return mix(graph, gradient, axis, backwards(inSize, outSize, partsOf(inSize, outSize, scaling)));
  }, dy);
}

/** Pixels of the rotated image as pixels of the image, or -1 outside of it. */
function rotatedPlaces(height: number, width: number, radians: number, center: number | [number, number]): number[] {
  const [centerX, centerY] = tf.backend_util.getImageCenter(center, height, width);
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  return Array.from({ length: height * width }, (_, i) => {
    const [x, y] = [(i % width) - centerX, Math.floor(i / width) - centerY];
    const column = Math.round(x * cos - y * sin + centerX);
    const row = Math.round(x * sin + y * cos + centerY);
    const isInside = column >= 0 && column < width && row >= 0 && row < height;
    return isInside ? row * width + column : -1;
  });
}

const OPAQUE = 255;

export const images: Lowerings = {
  ResizeNearestNeighbor: (graph, { images }, { size, ...scaling }) => {
    const [, height, width] = images!.shape as [number, number, number];
    const [toHeight, toWidth] = size as [number, number];
    const options = scaling as unknown as Scaling;
    const rows = pick(graph, images!, 1, nearest(height, toHeight, options));
    return pick(graph, rows, 2, nearest(width, toWidth, options));
  },
  ResizeBilinear: (graph, { images }, { size, ...scaling }) => {
    const [, height, width] = images!.shape as [number, number, number];
    const [toHeight, toWidth] = size as [number, number];
    const options = scaling as unknown as Scaling;
    const rows = interpolate(graph, cast(graph, images!, "float32"), 1, neighbours(height, toHeight, options));
    return interpolate(graph, rows, 2, neighbours(width, toWidth, options));
  },
  ResizeNearestNeighborGrad: (graph, { images, dy }, { alignCorners }) =>
    resizeGradient(graph, dy!, images!, Boolean(alignCorners), (inSize, outSize, scaling) => [
      { places: nearest(inSize, outSize, scaling), weights: new Array<number>(outSize).fill(1) },
    ]),
  ResizeBilinearGrad: (graph, { images, dy }, { alignCorners }) =>
    resizeGradient(graph, dy!, images!, Boolean(alignCorners), (inSize, outSize, scaling) => {
      const { low, high, share } = neighbours(inSize, outSize, scaling);
      return [
        { places: low, weights: share.map((s) => 1 - s) },
        { places: high, weights: share },
      ];
    }),
  RotateWithOffset: (graph, { image }, { radians, fillValue, center }) => {
    const [batch, height, width, channels] = image!.shape as [number, number, number, number];
    const fill = Array.from({ length: channels }, (_, channel) => {
      if (typeof fillValue === "number") return fillValue;
      return channel === 3 ? OPAQUE : (fillValue as number[])[channel]!;
    });
    const filling = cast(graph, float32s(graph, fill, [1, 1, channels]), image!.dtype);
    const pixels = concat(
      graph,
      [reshape(graph, image!, [batch, height * width, channels]), expand(graph, filling, [batch, 1, channels])],
      1,
    );
    const places = rotatedPlaces(height, width, Number(radians), center as number | [number, number]);
    const found = pick(
      graph,
      pixels,
      1,
      places.map((place) => (place < 0 ? height * width : place)),
    );
    return reshape(graph, found, image!.shape);
  },
};
