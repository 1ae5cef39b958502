import { addSplat, type Graph, type Value } from "../graph.js";
import { sizeOf } from "../tensor-data.js";
import { activations } from "./activations.js";
import { arithmetic } from "./arithmetic.js";
import { comparisons } from "./comparison.js";
import { convolutions } from "./convolution.js";
import { dilations } from "./dilation.js";
import { divisions } from "./division.js";
import { gathers } from "./gather.js";
import { images } from "./image.js";
import type { Lowering, Lowerings } from "./lowering.js";
import { matrixProducts } from "./matmul.js";
import { normalisations } from "./normalisation.js";
import { pools } from "./pooling.js";
import { reductions } from "./reductions.js";
import { scans } from "./scans.js";
import { scatters } from "./scatter.js";
import { shapes } from "./shapes.js";
import { slices } from "./slices.js";
import { spaces } from "./space.js";
import { unaries } from "./unary.js";

/** ONNX Runtime does not take empty tensors everywhere; a result that has no numbers is one without being computed. */
const withEmptyResults =
  (lowering: Lowering): Lowering =>
  (graph, inputs, attributes) => {
    const outputs = lowering(graph, inputs, attributes);
    return Array.isArray(outputs)
      ? outputs.map((value) => constantIfEmpty(graph, value))
      : constantIfEmpty(graph, outputs as Value);
  };

function constantIfEmpty(graph: Graph, value: Value): Value {
  if (value.dtype === "int64" || sizeOf(value.shape) > 0) return value;
  return addSplat(graph, 0, value.shape, value.dtype);
}

/**
 * Every TensorFlow.js kernel that a compiled function may use.
 *
 * The results are those of TensorFlow.js's cpu backend, except for what it computes by accident: truth values are 0 or 1
 * here (there true + true is 2), and integers wrap around instead of losing their low bits.
 *
 * Kernels that need no lowering, as they have no inputs, or no use of their values (`Fill`, `ZerosLike`, `OnesLike`,
 * `Range`, `LinSpace`), become constants while tracing. These have none:
 * - `Complex`, `ComplexAbs`, `Real`, `Imag`, `FFT`, `IFFT`: ONNX Runtime's cpu has no complex numbers;
 * - `StringNGrams`, `StringSplit`, `StringToHashBucketFast`, `StaticRegexReplace`: strings;
 * - `RaggedGather`, `RaggedRange`, `RaggedTensorToTensor`, `SparseFillEmptyRows`, `SparseReshape`, `SparseSegmentMean`,
 *   `SparseSegmentSum`, `Unique`, `NonMaxSuppressionV3`, `V4`, `V5`: the shape of the result depends on the values
 *   (and for that they are asynchronous, or read values, in TensorFlow.js too);
 * - `Multinomial`: its random numbers must repeat exactly;
 * - `CropAndResize`, `Transform`: which pixels are read depends on values;
 * - `FromPixels`, `Draw`: they need a canvas;
 * - `Pool`, and other names of tfjs-core that no operation runs.
 */
export const LOWERINGS: Lowerings = Object.fromEntries(
  Object.entries({
    ...arithmetic,
    ...divisions,
    ...comparisons,
    ...unaries,
    ...activations,
    ...shapes,
    ...slices,
    ...spaces,
    ...reductions,
    ...scans,
    ...gathers,
    ...scatters,
    ...matrixProducts,
    ...convolutions,
    ...pools,
    ...dilations,
    ...images,
    ...normalisations,
  }).map(([kernel, lowering]) => [kernel, withEmptyResults(lowering)]),
);
