import { addNode, addSplat, type Graph, type Value } from "../graph.js";
import { binary, broadcastShape, sameType, scalar } from "./arithmetic.js";
import { cast, numeric } from "./cast.js";
import { int32s } from "./constants.js";
import type { Lowering, Lowerings } from "./lowering.js";
import { concat, reshape } from "./shapes.js";
import { unary } from "./unary.js";

const comparison =
  (op: string, isOrder = true): Lowering =>
  (graph, { a, b }) => {
    const [left, right] = sameType(graph, a!, b!);
    // ONNX Runtime has no order of truth values.
    return isOrder
      ? binary(graph, op, numeric(graph, left), numeric(graph, right), "bool")
      : binary(graph, op, left, right, "bool");
  };

const logical =
  (op: string): Lowering =>
  (graph, { a, b }) =>
    binary(graph, op, cast(graph, a!, "bool"), cast(graph, b!, "bool"));

/**
 * One of two values by a condition. ONNX Runtime's `Where` is slow, but exact: a sum of products would let a NaN of the
 * one not taken through.
 */
export function select(graph: Graph, condition: Value, ifTrue: Value, ifFalse: Value): Value {
  const [a, b] = sameType(graph, ifTrue, ifFalse);
  if (a.dtype === "bool") {
    const chosen = binary(graph, "And", condition, a);
    return binary(graph, "Or", chosen, binary(graph, "And", unary(graph, "Not", condition), b));
  }
  const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
  return addNode(graph, "Where", [condition, a, b], { shape, dtype: a.dtype });
}

export const comparisons: Lowerings = {
  Greater: comparison("Greater"),
  GreaterEqual: comparison("GreaterOrEqual"),
  Less: comparison("Less"),
  LessEqual: comparison("LessOrEqual"),
  Equal: comparison("Equal", false),
  NotEqual: (graph, inputs, attributes) =>
    unary(graph, "Not", comparison("Equal", false)(graph, inputs, attributes) as Value),
  LogicalAnd: logical("And"),
  LogicalOr: logical("Or"),
  LogicalXor: logical("Xor"),
  LogicalNot: (graph, { x }) => unary(graph, "Not", cast(graph, x!, "bool")),
  Select: (graph, { condition, t, e }) => {
    // A condition of one dimension chooses rows.
    const rank = t!.shape.length;
    const rows = condition!.shape.length === 1 && rank > 1;
    const shape = rows ? [condition!.shape[0]!, ...new Array<number>(rank - 1).fill(1)] : condition!.shape;
    return select(graph, reshape(graph, cast(graph, condition!, "bool"), shape), t!, e!);
  },
  // Shapes as tensors, with ones put in front of the shorter one.
  BroadcastArgs: (graph, { s0, s1 }) => {
    const rank = Math.max(s0!.shape[0]!, s1!.shape[0]!);
    const [a, b] = [s0!, s1!].map((sizes) =>
      concat(graph, [addSplat(graph, 1, [rank - sizes.shape[0]!], "int32"), sizes], 0),
    ) as [Value, Value];
    const isOne = binary(graph, "Equal", a, scalar(graph, 1, a), "bool");
    return select(graph, isOne, b, a);
  },
  MatrixBandPart: (graph, { input, numLower, numUpper }) => {
    const [rows, columns] = input!.shape.slice(-2) as [number, number];
    const offset = (sign: number) =>
      Int32Array.from({ length: rows * columns }, (_, i) => sign * (Math.floor(i / columns) - (i % columns)));
    const within = (limit: Value, sign: number) => {
      const distance = int32s(graph, offset(sign), [rows, columns]);
      const near = binary(graph, "LessOrEqual", distance, limit, "bool");
      return binary(graph, "Or", near, binary(graph, "Less", limit, scalar(graph, 0, limit), "bool"));
    };
    const inBand = binary(graph, "And", within(numLower!, 1), within(numUpper!, -1));
    return select(graph, inBand, input!, scalar(graph, 0, input!));
  },
};
