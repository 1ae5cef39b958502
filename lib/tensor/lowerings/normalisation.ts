import type { Graph, Value } from "../graph.js";
import { binary, scalar } from "./arithmetic.js";
import { float32s } from "./constants.js";
import type { Lowerings } from "./lowering.js";
import { matMul } from "./matmul.js";
import { reshape } from "./shapes.js";
import { unary } from "./unary.js";

interface Neighbourhood {
  depthRadius: number;
  bias: number;
  alpha: number;
  beta: number;
}

/** Sums over the neighbouring channels: a product with a banded matrix of ones. */
function sumOverChannels(graph: Graph, x: Value, radius: number): Value {
  const channels = x.shape.at(-1)!;
  const band = Array.from({ length: channels ** 2 }, (_, i) =>
    Number(Math.abs(Math.floor(i / channels) - (i % channels)) <= radius),
  );
  const rows = reshape(graph, x, [x.shape.slice(0, -1).reduce((product, size) => product * size, 1), channels]);
  return reshape(graph, matMul(graph, rows, float32s(graph, band, [channels, channels])), x.shape);
}

/** bias + alpha · sum of squares over the neighbouring channels. */
function energy(graph: Graph, x: Value, { depthRadius, bias, alpha }: Neighbourhood): Value {
  const squares = binary(graph, "Mul", x, x);
  const scaled = binary(graph, "Mul", sumOverChannels(graph, squares, depthRadius), scalar(graph, alpha, x));
  return binary(graph, "Add", scaled, scalar(graph, bias, x));
}

export const normalisations: Lowerings = {
  FusedBatchNorm: (graph, { x, scale, offset, mean, variance }, { varianceEpsilon }) => {
    const epsilon = scalar(graph, Number(varianceEpsilon ?? 0.001), x!);
    const deviation = unary(graph, "Sqrt", binary(graph, "Add", variance!, epsilon));
    const inverse = unary(graph, "Reciprocal", deviation);
    const factor = scale ? binary(graph, "Mul", scale, inverse) : inverse;
    const normalised = binary(graph, "Mul", binary(graph, "Sub", x!, mean!), factor);
    return offset ? binary(graph, "Add", normalised, offset) : normalised;
  },
  LRN: (graph, { x }, attributes) => {
    const options = attributes as unknown as Neighbourhood;
    const factor = binary(graph, "Pow", energy(graph, x!, options), scalar(graph, -options.beta, x!));
    return binary(graph, "Mul", x!, factor);
  },
  // dx = dy · e^−β − 2αβ · x · Σ dy · y / e, with e the energy and the sum over the neighbouring channels
  LRNGrad: (graph, { x, y, dy }, attributes) => {
    const options = attributes as unknown as Neighbourhood;
    const { alpha, beta, depthRadius } = options;
    const e = energy(graph, x!, options);
    const own = binary(graph, "Mul", dy!, binary(graph, "Pow", e, scalar(graph, -beta, x!)));
    const shares = sumOverChannels(graph, binary(graph, "Div", binary(graph, "Mul", dy!, y!), e), depthRadius);
    const others = binary(graph, "Mul", binary(graph, "Mul", x!, shares), scalar(graph, 2 * alpha * beta, x!));
    return binary(graph, "Sub", own, others);
  },
};
