import { addNode, addSplat, type Graph, type Value } from "../graph.js";
import { binary, scalar } from "./arithmetic.js";
import { cast, numeric, through } from "./cast.js";
import type { Lowering, Lowerings } from "./lowering.js";

export { cast } from "./cast.js";

/** A unary ONNX operator that keeps shape and dtype. */
export function unary(graph: Graph, op: string, x: Value): Value {
  return addNode(graph, op, [x], x);
}

/** A function of real numbers. The cpu backend keeps the type of integers, cutting the result off towards zero. */
export const ofReals =
  (compute: (graph: Graph, x: Value) => Value): Lowering =>
  (graph, { x }) =>
    through(graph, x!, "float32", (real) => compute(graph, real));

/** A function whose result the cpu backend gives as float32 always. */
const toReal =
  (op: string): Lowering =>
  (graph, { x }) =>
    unary(graph, op, cast(graph, x!, "float32"));

const real = (op: string): Lowering => ofReals((graph, x) => unary(graph, op, x));

/** An operator that ONNX Runtime has for float32 and int32. */
const simple =
  (op: string): Lowering =>
  (graph, { x }) =>
    cast(graph, unary(graph, op, numeric(graph, x!)), x!.dtype);

/** Roundings leave integers as they are. */
const rounding =
  (op: string): Lowering =>
  (graph, { x }) =>
    x!.dtype === "float32" ? unary(graph, op, x!) : x!;

/** A test of float32 numbers, of which integers have a known outcome. */
const test =
  (compute: (graph: Graph, x: Value) => Value, ofIntegers: boolean): Lowering =>
  (graph, { x }) =>
    x!.dtype === "float32" ? compute(graph, x!) : addSplat(graph, Number(ofIntegers), x!.shape, "bool");

function predicate(graph: Graph, op: string, x: Value): Value {
  return addNode(graph, op, [x], { shape: x.shape, dtype: "bool" });
}

// e^x − 1 = tanh(x/2)·(e^x + 1), which does not cancel near 0.
function exponentialMinusOne(graph: Graph, x: Value): Value {
  const half = unary(graph, "Tanh", binary(graph, "Mul", x, scalar(graph, 0.5, x)));
  return binary(graph, "Mul", half, binary(graph, "Add", unary(graph, "Exp", x), scalar(graph, 1, x)));
}

const LARGEST = scalarLimit(0x7f7fffff);
const SMALLEST = scalarLimit(0x00800000);

function scalarLimit(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0]!;
}

// With u = 1 + x as rounded: ln(1 + x) = ln u − ((u − 1) − x)/u but for second order (Kahan). The bounds only keep 0/0
// and ∞ − ∞ away, where the correction is 0.
function logarithmOfOnePlus(graph: Graph, x: Value): Value {
  const one = scalar(graph, 1, x);
  const u = binary(graph, "Add", x, one);
  const divisor = addNode(graph, "Clip", [u, scalar(graph, SMALLEST, x), scalar(graph, LARGEST, x)], u);
  const bounded = binary(graph, "Min", x, scalar(graph, LARGEST, x));
  const lost = binary(graph, "Sub", binary(graph, "Sub", divisor, one), bounded);
  const correction = binary(graph, "Div", lost, divisor);
  return binary(graph, "Sub", unary(graph, "Log", u), correction);
}

export const unaries: Lowerings = {
  Abs: simple("Abs"),
  Neg: simple("Neg"),
  Square: (graph, { x }) => {
    const number = numeric(graph, x!);
    return cast(graph, binary(graph, "Mul", number, number), x!.dtype);
  },
  Floor: rounding("Floor"),
  Ceil: rounding("Ceil"),
  Round: rounding("Round"),
  // ONNX Runtime's Sign is slower, and NaN of NaN.
  Sign: (graph, { x }) => {
    const number = numeric(graph, x!);
    const zero = scalar(graph, 0, number);
    const is = (op: string) => cast(graph, binary(graph, op, number, zero, "bool"), number.dtype);
    return cast(graph, binary(graph, "Sub", is("Greater"), is("Less")), x!.dtype);
  },
  IsNan: test((graph, x) => predicate(graph, "IsNaN", x), false),
  IsInf: test((graph, x) => predicate(graph, "IsInf", x), false),
  IsFinite: test((graph, x) => binary(graph, "Equal", binary(graph, "Sub", x, x), scalar(graph, 0, x), "bool"), true),
  Exp: toReal("Exp"),
  Expm1: ofReals(exponentialMinusOne),
  Log: real("Log"),
  Log1p: ofReals(logarithmOfOnePlus),
  Sqrt: real("Sqrt"),
  Rsqrt: ofReals((graph, x) => unary(graph, "Reciprocal", unary(graph, "Sqrt", x))),
  Reciprocal: real("Reciprocal"),
  Erf: real("Erf"),
  Sin: real("Sin"),
  Cos: real("Cos"),
  Tan: real("Tan"),
  Asin: real("Asin"),
  Acos: real("Acos"),
  Atan: real("Atan"),
  Sinh: real("Sinh"),
  Cosh: real("Cosh"),
  Tanh: real("Tanh"),
  Asinh: real("Asinh"),
  Acosh: real("Acosh"),
  Atanh: real("Atanh"),
  Identity: (_, { x }) => x!,
  Cast: (graph, { x }, { dtype }) => cast(graph, x!, dtype as "float32" | "int32" | "bool"),
};
