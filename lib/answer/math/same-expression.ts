import { createRequire } from "node:module";
import Fraction from "fraction.js";
import { provedEqual } from "./algebra.js";
import { type Complex, evaluateComplex } from "./complex.js";
import type { Rational } from "./expression.js";
import { everyNode, formatMath, type MathNode, variablesOf } from "./math-node.js";
import { evaluateExactly, evaluateReal } from "./sample.js";

const require = createRequire(import.meta.url);

/** How many points must agree, how many may be tried, and how near values must be, relative to their size. */
const POINTS = 8;
const ATTEMPTS = 48;
const TOLERANCE = 1e-9;
const MAX_VARIABLES = 12;
const MAX_NODES = 400;
// Exact arithmetic grows with the expression: beyond this, floating point decides.
const MAX_EXACT_NODES = 40;

/** The sample points: for each attempt a value of each variable, by its place in the alphabet; made on first use. */
let points: { real: number[][]; exact: Rational[][] } | undefined;

/**
 * Whether two expressions are equal. Rational functions are compared exactly at 8 random points (fixed seed), with π
 * and e as two more variables. Others are compared in floating point to a relative 1e-9, at 8 points where both have a
 * real value, else at 8 where both have a complex one; values below 1e-9 say nothing, as they may be rounding. One
 * point where they differ decides against. With fewer than 8 such points in 48 attempts the computer-algebra package
 * must prove it.
 */
export function sameExpression(a: MathNode, b: MathNode): boolean {
  if (formatMath(a) === formatMath(b)) return true;
  const names = variablesOf(a, b);
  const nodes = [...everyNode(a), ...everyNode(b)];
  if (names.length > MAX_VARIABLES || nodes.length > MAX_NODES) return false;
  points ??= drawPoints();
  const exact = nodes.length <= MAX_EXACT_NODES ? agreeExactly(a, b, names, points.exact) : undefined;
  const { real } = points;
  return (
    exact ?? agree(evaluateReal, a, b, names, real) ?? agree(evaluateComplex, a, b, names, real) ?? provedEqual(a, b)
  );
}

/** Whether two expressions without variables are within a relative tolerance; false if one has no real value. */
export function nearlyEqual(a: MathNode, b: MathNode, tolerance: number): boolean {
  if (variablesOf(a, b).length > 0) return false;
  const [x, y] = [a, b].map((node) => evaluateReal(node, () => Number.NaN)?.re);
  return x !== undefined && y !== undefined && Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y));
}

/** Whether exact values are equal at 8 points; undefined if there are not as many. */
function agreeExactly(a: MathNode, b: MathNode, names: readonly string[], drawn: Rational[][]): boolean | undefined {
  const all = [...names, "pi", "e"];
  let common = 0;
  for (const [attempt, values] of drawn.entries()) {
    const lookUp = (name: string) => values[all.indexOf(name)]!;
    const left = evaluateExactly(a, lookUp);
    const right = left && evaluateExactly(b, lookUp);
    if (left && right) {
      if (!left.equals(right)) return false;
      if (++common === POINTS) return true;
    } else if (attempt >= 2 && common === 0) return undefined; // It has a root or the like.
  }
  return undefined;
}

type Evaluator = (node: MathNode, lookUp: (name: string) => number) => Complex | undefined;

/** Whether values agree at 8 points; undefined if there are not as many. */
function agree(
  evaluate: Evaluator,
  a: MathNode,
  b: MathNode,
  names: readonly string[],
  drawn: number[][],
): boolean | undefined {
  let common = 0;
  for (const values of drawn) {
    const lookUp = (name: string) => values[names.indexOf(name)]!;
    const left = evaluate(a, lookUp);
    const right = left && evaluate(b, lookUp);
    if (!left || !right) continue;
    const size = Math.max(Math.hypot(left.re, left.im), Math.hypot(right.re, right.im));
    if (size < TOLERANCE) continue;
    if (Math.hypot(left.re - right.re, left.im - right.im) > TOLERANCE * size) return false;
    // Without variables all points are the same.
    if (++common === POINTS || names.length === 0) return true;
  }
  return undefined;
}

/**
 * Some points are positive, some of any sign, some below 1 and some whole, so that most expressions have a value at 8.
 */
function drawPoints(): { real: number[][]; exact: Rational[][] } {
  // Loaded here, as most answers are numbers and core takes longer to load than this whole folder.
  const { createRandom } = require("../../core/index.js") as typeof import("../../core/index.js");
  const random = createRandom("expressions are compared here");
  const realValue = (attempt: number): number => {
    const u = random.uniform();
    return [0.1 + 4 * u, 6 * u - 3, u, 1 + Math.floor(12 * u)][attempt % 4]!;
  };
  const exactValue = () => new Fraction(random.integer(199) - 99, 1 + random.integer(20));
  const rows = <T>(value: (attempt: number) => T, width: number): T[][] =>
    Array.from({ length: ATTEMPTS }, (_, attempt) => Array.from({ length: width }, () => value(attempt)));
  return { real: rows(realValue, MAX_VARIABLES), exact: rows(exactValue, MAX_VARIABLES + 2) };
}
