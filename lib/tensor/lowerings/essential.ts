import * as tf from "@tensorflow/tfjs";
import { addNode, addNodes, type Graph, int64s, type Value } from "../graph.js";
import type { Lowerings } from "./lowering.js";
import { reshape } from "./shapes.js";
import { cast, unary } from "./unary.js";

const axisOf = (axis: unknown, rank: number) => ((Number(axis) % rank) + rank) % rank;

export const essential: Lowerings = {
  Erf: (g, { x }) => unary(g, "Erf", x!),
  Sin: (g, { x }) => unary(g, "Sin", x!),
  Cos: (g, { x }) => unary(g, "Cos", x!),
  Abs: (g, { x }) => unary(g, "Abs", x!),
  Floor: (g, { x }) => unary(g, "Floor", x!),
  LogicalNot: (g, { x }) => addNode(g, "Not", [x!], x!),
  Slice: (g, { x }, { begin, size }) => {
    const [starts, sizes] = tf.slice_util.parseSliceParams(
      x as unknown as tf.TensorInfo,
      begin as number[],
      size as number[],
    ) as [number[], number[]];
    return addNode(
      g,
      "Slice",
      [
        x!,
        int64s(g, starts),
        int64s(
          g,
          starts.map((s, i) => s + sizes[i]!),
        ),
        int64s(
          g,
          starts.map((_, i) => i),
        ),
      ],
      { shape: sizes, dtype: x!.dtype },
    );
  },
  Concat: (g, inputs, { axis }) => {
    const values = Object.values(inputs);
    const at = axisOf(axis, values[0]!.shape.length);
    const shape = [...values[0]!.shape];
    shape[at] = values.reduce((n, v) => n + v.shape[at]!, 0);
    return addNode(g, "Concat", values, { shape, dtype: values[0]!.dtype }, { axis: at });
  },
  Pack: (g, inputs, { axis }) => {
    const values = Object.values(inputs);
    const rank = values[0]!.shape.length + 1;
    const at = axisOf(axis, rank);
    const one = [...values[0]!.shape.slice(0, at), 1, ...values[0]!.shape.slice(at)];
    const shape = one.map((n, i) => (i === at ? values.length : n));
    return addNode(
      g,
      "Concat",
      values.map((v) => reshape(g, v, one)),
      { shape, dtype: values[0]!.dtype },
      { axis: at },
    );
  },
  SplitV: (g, { x }, { numOrSizeSplits, axis }) => {
    const at = axisOf(axis, x!.shape.length);
    const sizes = tf.backend_util.prepareSplitSize(x as unknown as tf.Tensor, numOrSizeSplits as number[], at);
    return split(g, x!, sizes, at);
  },
  Unpack: (g, { value }, { axis }) => {
    const at = axisOf(axis, value!.shape.length);
    const rest = value!.shape.filter((_, i) => i !== at);
    return split(g, value!, Array(value!.shape[at]!).fill(1), at).map((part) => reshape(g, part, rest));
  },
  GatherV2: (g, { x, indices }, { axis }) => {
    const at = axisOf(axis ?? 0, x!.shape.length);
    const shape = [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)];
    return addNode(g, "Gather", [x!, indices!], { shape, dtype: x!.dtype }, { axis: at });
  },
  Cumsum: (g, { x }, { axis, exclusive, reverse }) =>
    addNode(g, "CumSum", [x!, int64s(g, [axisOf(axis ?? 0, x!.shape.length)], [])], x!, {
      exclusive: Number(Boolean(exclusive)),
      reverse: Number(Boolean(reverse)),
    }),
  PadV2: (g, { x }, { paddings, constantValue }) => {
    const pads = paddings as [number, number][];
    const shape = x!.shape.map((n, i) => n + pads[i]![0] + pads[i]![1]);
    const value = addNode(
      g,
      "Cast",
      [int64s(g, [Number(constantValue)], [])],
      { shape: [], dtype: x!.dtype },
      { to: x!.dtype === "float32" ? 1 : 6 },
    );
    return addNode(g, "Pad", [x!, int64s(g, [...pads.map((p) => p[0]), ...pads.map((p) => p[1])]), value], {
      shape,
      dtype: x!.dtype,
    });
  },
  ArgMax: (g, { x }, { axis }) => {
    const at = axisOf(axis, x!.shape.length);
    const shape = x!.shape.filter((_, i) => i !== at);
    return cast(g, addNode(g, "ArgMax", [x!], { shape, dtype: "int64" }, { axis: at, keepdims: 0 }), "int32");
  },
  Select: (g, { condition, t, e }) => addNode(g, "Where", [condition!, t!, e!], t!),
};

function split(g: Graph, x: Value, sizes: readonly number[], axis: number): Value[] {
  const outputs = sizes.map((size) => ({ shape: x.shape.map((n, i) => (i === axis ? size : n)), dtype: x.dtype }));
  return addNodes(g, "Split", [x, int64s(g, sizes)], outputs, { axis });
}
