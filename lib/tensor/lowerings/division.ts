import { addNode, type Graph, uniformValue, type Value } from "../graph.js";
import { binary, broadcastShape, sameType, scalar } from "./arithmetic.js";
import { cast, commonType } from "./cast.js";
import { select } from "./comparison.js";
import type { Lowerings } from "./lowering.js";
import { unary } from "./unary.js";

/*
 * Division, remainders and powers, with JavaScript's answers where mathematics has none: what the cpu backend computes in
 * double precision and stores in an Int32Array is 0 when it divided by 0.
 */

/** A divisor without zeros, and 1 where it was not zero; `null` if it is known to have none. */
function guarded(graph: Graph, divisor: Value): { safe: Value; isSafe: Value | null } {
  const known = uniformValue(divisor);
  if (known !== undefined && known !== 0) return { safe: divisor, isSafe: null };
  const isZero = cast(graph, binary(graph, "Equal", divisor, scalar(graph, 0, divisor), "bool"), divisor.dtype);
  return {
    safe: binary(graph, "Add", divisor, isZero),
    isSafe: binary(graph, "Sub", scalar(graph, 1, divisor), isZero),
  };
}

// In int64, as the processor traps at -2³¹ / -1.
function floorDivideIntegers(graph: Graph, a: Value, b: Value): Value {
  const dividend = cast(graph, a, "int64");
  const { safe, isSafe } = guarded(graph, cast(graph, b, "int64"));
  const remainder = binary(graph, "Mod", dividend, safe);
  const quotient = binary(graph, "Div", binary(graph, "Sub", dividend, remainder), safe);
  return cast(graph, isSafe ? binary(graph, "Mul", quotient, isSafe) : quotient, "int32");
}

function moduloOfIntegers(graph: Graph, a: Value, b: Value): Value {
  return cast(
    graph,
    binary(graph, "Mod", cast(graph, a, "int64"), guarded(graph, cast(graph, b, "int64")).safe),
    "int32",
  );
}

/** The remainder with the sign of the divisor: JavaScript's (a % b + b) % b where the signs of a and b differ. */
function modulo(graph: Graph, a: Value, b: Value): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const remainder = addNode(graph, "Mod", [a, b], { shape, dtype: "float32" }, { fmod: 1 });
  const zero = scalar(graph, 0, a);
  const isNegative = (x: Value) => binary(graph, "Less", x, zero, "bool");
  const isNonzero = unary(graph, "Not", binary(graph, "Equal", remainder, zero, "bool"));
  const moved = binary(graph, "Add", remainder, binary(graph, "Mul", b, cast(graph, isNonzero, "float32")));
  // b − b is 0, or NaN for an infinite divisor, for which JavaScript has no answer there.
  const bounded = binary(graph, "Add", moved, binary(graph, "Sub", b, b));
  return select(graph, binary(graph, "Xor", isNegative(a), isNegative(b)), bounded, remainder);
}

/** Powers that are cheaper by other operators. They differ from it for -∞ only. */
const POWERS: Readonly<Record<number, (graph: Graph, x: Value) => Value>> = {
  "-1": (graph, x) => unary(graph, "Reciprocal", x),
  "-0.5": (graph, x) => unary(graph, "Reciprocal", unary(graph, "Sqrt", x)),
  0.5: (graph, x) => unary(graph, "Sqrt", x),
  1: (_, x) => x,
  1.5: (graph, x) => binary(graph, "Mul", x, unary(graph, "Sqrt", x)),
  2: (graph, x) => binary(graph, "Mul", x, x),
  3: (graph, x) => binary(graph, "Mul", binary(graph, "Mul", x, x), x),
};

function power(graph: Graph, a: Value, b: Value): Value {
  const exponent = uniformValue(b);
  const known = exponent === undefined ? undefined : POWERS[exponent];
  if (known && b.shape.length <= a.shape.length && b.shape.every((size) => size === 1)) return known(graph, a);
  const result = binary(graph, "Pow", a, b);
  if (exponent !== undefined && Number.isFinite(exponent)) return result;
  // JavaScript's (±1) ** ±∞ and 1 ** NaN are NaN, C's are 1.
  const one = scalar(graph, 1, a);
  const isOne = binary(graph, "Equal", unary(graph, "Abs", a), one, "bool");
  const isBounded = binary(graph, "Equal", binary(graph, "Sub", b, b), scalar(graph, 0, a), "bool");
  const undefinedPower = binary(graph, "And", isOne, unary(graph, "Not", isBounded));
  return select(graph, undefinedPower, scalar(graph, Number.NaN, a), result);
}

const LARGEST = 3.4028234663852886e38;

/** The angle of the point (x, y); all signs of zero and infinity have theirs. */
function angle(graph: Graph, y: Value, x: Value): Value {
  const bounds = [scalar(graph, -LARGEST, x), scalar(graph, LARGEST, x)];
  // Infinite coordinates would be ∞/∞.
  const [top, bottom] = [y, x].map((value) => addNode(graph, "Clip", [value, ...bounds], value)) as [Value, Value];
  const zero = scalar(graph, 0, x);
  const isZero = (value: Value) => binary(graph, "Equal", value, zero, "bool");
  const isBelow = (value: Value) => binary(graph, "Less", value, zero, "bool");
  const hasSign = (value: Value) => binary(graph, "Or", isBelow(value), isBelow(unary(graph, "Reciprocal", value)));
  const isOrigin = binary(graph, "And", isZero(top), isZero(bottom));
  const ratio = binary(graph, "Div", top, binary(graph, "Add", bottom, cast(graph, isOrigin, "float32")));
  const isLeft = binary(graph, "Or", isBelow(bottom), binary(graph, "And", isOrigin, hasSign(bottom)));
  const halfTurn = binary(
    graph,
    "Add",
    binary(graph, "Mul", cast(graph, hasSign(top), "float32"), scalar(graph, -2 * Math.PI, x)),
    scalar(graph, Math.PI, x),
  );
  const turned = binary(graph, "Mul", cast(graph, isLeft, "float32"), halfTurn);
  return binary(graph, "Add", unary(graph, "Atan", ratio), turned);
}

export const divisions: Lowerings = {
  FloorDiv: (graph, { a, b }) => {
    if (commonType(a!, b!) !== "float32") return floorDivideIntegers(graph, a!, b!);
    const [left, right] = sameType(graph, a!, b!);
    return cast(graph, unary(graph, "Floor", binary(graph, "Div", left, right)), "int32");
  },
  Mod: (graph, { a, b }) => {
    const [left, right] = sameType(graph, a!, b!);
    const result = left.dtype === "float32" ? modulo(graph, left, right) : moduloOfIntegers(graph, left, right);
    return cast(graph, result, a!.dtype);
  },
  Pow: (graph, { a, b }) => {
    const [left, right] = sameType(graph, a!, b!);
    const result =
      left.dtype === "float32"
        ? power(graph, left, right)
        : binary(graph, "Pow", cast(graph, left, "int64"), cast(graph, right, "int64"));
    return cast(graph, result, a!.dtype);
  },
  Atan2: (graph, { a, b }) =>
    cast(graph, angle(graph, cast(graph, a!, "float32"), cast(graph, b!, "float32")), a!.dtype),
};
