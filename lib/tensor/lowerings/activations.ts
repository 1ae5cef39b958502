import tf = require("@tensorflow/tfjs");

import { addNode, float, type Graph, int64s, type Value } from "../graph.js";
import { binary, broadcastShape, sameShape, scalar } from "./arithmetic.js";
import { cast, numeric } from "./cast.js";
import type { Lowering, Lowerings } from "./lowering.js";
import { reshape } from "./shapes.js";
import { ofReals } from "./unary.js";

const INTEGERS = { least: -(2 ** 31), most: 2 ** 31 - 1 };

/** Numbers cut off at bounds; NaN stays. */
function clip(graph: Graph, x: Value, least: number, most: number): Value {
  const number = numeric(graph, x);
  const bound = (limit: number) =>
    scalar(graph, number.dtype === "int32" ? Math.min(Math.max(limit, INTEGERS.least), INTEGERS.most) : limit, number);
  return cast(graph, addNode(graph, "Clip", [number, bound(least), bound(most)], number), x.dtype);
}

const withSlope = (op: string, attributes: Readonly<Record<string, number>>) => (graph: Graph, x: Value) =>
  addNode(
    graph,
    op,
    [x],
    x,
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, float(value)])),
  );

function leakyRelu(graph: Graph, x: Value, alpha: number): Value {
  return withSlope("LeakyRelu", { alpha })(graph, cast(graph, x, "float32"));
}

/** x where it is positive, alpha · x elsewhere. */
function prelu(graph: Graph, x: Value, alpha: Value): Value {
  const shape = broadcastShape(x.shape, alpha.shape);
  const number = cast(graph, x, "float32");
  // ONNX's slope may be smaller than x, not larger.
  const whole = sameShape(x.shape, shape)
    ? number
    : addNode(graph, "Expand", [number, int64s(graph, shape)], { shape, dtype: "float32" });
  return addNode(graph, "PRelu", [whole, cast(graph, alpha, "float32")], { shape, dtype: "float32" });
}

const elu = withSlope("Elu", { alpha: 1 });

const ACTIVATIONS: Readonly<Record<string, (graph: Graph, x: Value, prelus: Value, slope: number) => Value>> = {
  linear: (_, x) => x,
  relu: (graph, x) => addNode(graph, "Relu", [x], x),
  relu6: (graph, x) => clip(graph, x, 0, 6),
  elu: (graph, x) => elu(graph, x),
  sigmoid: (graph, x) => addNode(graph, "Sigmoid", [x], x),
  leakyrelu: (graph, x, _, slope) => leakyRelu(graph, x, slope),
  prelu: (graph, x, prelus) => prelu(graph, x, prelus),
};

export interface FusedTail {
  bias?: Value | undefined;
  preluActivationWeights?: Value | undefined;
  activation?: unknown;
  leakyreluAlpha?: unknown;
  /** Channels stand in front of this many dimensions, to which a list of biases has to be aligned. */
  dimensionsAfterChannels?: number;
}

/** What TensorFlow.js's fused kernels do to a product: add a bias, apply an activation. */
export function fusedTail(
  graph: Graph,
  product: Value,
  { bias, preluActivationWeights, activation, leakyreluAlpha, dimensionsAfterChannels = 0 }: FusedTail,
): Value {
  const aligned = (x: Value) =>
    x.shape.length === 1 && x.shape[0] !== 1
      ? reshape(graph, x, [...x.shape, ...new Array<number>(dimensionsAfterChannels).fill(1)])
      : x;
  const sum = bias ? binary(graph, "Add", product, aligned(bias)) : product;
  const activate = ACTIVATIONS[String(activation ?? "linear")]!;
  const prelus = preluActivationWeights ? aligned(preluActivationWeights) : product;
  return activate(graph, sum, prelus, Number(leakyreluAlpha ?? 0));
}

// 1 above zero, alpha from zero down, NaN for NaN.
const step: Lowering = (graph, { x }, { alpha }) => {
  const below = Number(alpha ?? 0);
  const number = numeric(graph, x!);
  const isAbove =
    number.dtype === "float32"
      ? // Faster than a comparison and a cast.
        clip(graph, addNode(graph, "Ceil", [number], number), 0, 1)
      : clip(graph, number, 0, 1);
  if (!below) return cast(graph, isAbove, x!.dtype);
  const rest = binary(
    graph,
    "Mul",
    binary(graph, "Sub", scalar(graph, 1, number), isAbove),
    scalar(graph, below, number),
  );
  return cast(graph, binary(graph, "Add", isAbove, rest), x!.dtype);
};

export const activations: Lowerings = {
  Relu: (graph, { x }) => {
    const number = numeric(graph, x!);
    return cast(graph, addNode(graph, "Relu", [number], number), x!.dtype);
  },
  Relu6: (graph, { x }) => clip(graph, x!, 0, 6),
  ClipByValue: (graph, { x }, { clipValueMin, clipValueMax }) =>
    clip(graph, x!, Number(clipValueMin), Number(clipValueMax)),
  Step: step,
  Sigmoid: ofReals((graph, x) => addNode(graph, "Sigmoid", [x], x)),
  Softplus: ofReals((graph, x) => addNode(graph, "Softplus", [x], x)),
  Elu: ofReals(elu),
  // dy · (1 above zero, y + 1 below, which is e^x)
  EluGrad: (graph, { dy, y }) => {
    const negative = binary(graph, "Min", cast(graph, y!, "float32"), scalar(graph, 0, dy!));
    return binary(graph, "Mul", dy!, binary(graph, "Add", negative, scalar(graph, 1, dy!)));
  },
  Selu: ofReals(
    withSlope("Selu", {
      alpha: tf.backend_util.SELU_SCALEALPHA / tf.backend_util.SELU_SCALE,
      gamma: tf.backend_util.SELU_SCALE,
    }),
  ),
  LeakyRelu: (graph, { x }, { alpha }) => leakyRelu(graph, x!, Number(alpha)),
  Prelu: (graph, { x, alpha }) => prelu(graph, x!, alpha!),
};
