import Fraction from "fraction.js";
import type { Complex } from "./complex.js";
import { applyOperator, type Operator, type Rational } from "./expression.js";
import type { MathFunction, MathNode } from "./math-node.js";

// Longer intermediate values cost more time than any answer is worth.
const MAX_SIZE = 10n ** 400n;
const MAX_FACTORIAL = 150;

/**
 * The exact value of an expression; undefined if it has none (a root, a trigonometric function, division by zero) or
 * one of more than 400 digits.
 * @param lookUp the values of variables and of π and e; without it these are undefined.
 */
export function evaluateExactly(node: MathNode, lookUp?: (name: string) => Rational): Rational | undefined {
  switch (node.kind) {
    case "number":
      return node.value;
    case "constant":
      return node.name === "pi" || node.name === "e" ? lookUp?.(node.name) : undefined;
    case "variable":
      return lookUp?.(node.name);
    case "negate":
      return evaluateExactly(node.operand, lookUp)?.neg();
    case "binary": {
      const left = evaluateExactly(node.left, lookUp);
      const right = left && evaluateExactly(node.right, lookUp);
      if (!left || !right || !isShort(left) || !isShort(right)) return undefined;
      const result = applyOperator(node.operator, left, right);
      return result.ok && isShort(result.value) ? result.value : undefined;
    }
    case "call": {
      const operands = node.operands.map((operand) => evaluateExactly(operand, lookUp));
      return operands.some((operand) => operand === undefined)
        ? undefined
        : callExactly(node.name, operands as Rational[]);
    }
  }
}

const isShort = (value: Rational): boolean => value.n < MAX_SIZE && value.d < MAX_SIZE;

function callExactly(name: MathFunction, operands: readonly Rational[]): Rational | undefined {
  const [first, second] = operands as [Rational, Rational | undefined];
  switch (name) {
    case "abs":
      return first.abs();
    case "floor":
      return first.floor();
    case "ceil":
      return first.ceil();
    case "factorial":
      return isCount(first) ? falling(first.n, first.n) : undefined;
    case "binomial":
      if (!isCount(first) || !second || !isCount(second)) return undefined;
      return falling(first.n, second.n).div(falling(second.n, second.n));
    default:
      return undefined;
  }
}

const isCount = (value: Rational): boolean => value.d === 1n && value.s >= 0n && value.n <= MAX_FACTORIAL;

/** n (n−1) … (n−k+1) */
function falling(n: bigint, k: bigint): Rational {
  let product = 1n;
  for (let factor = n; factor > n - k && product !== 0n; factor--) product *= factor;
  return new Fraction(product);
}

/**
 * The real value of an expression in floating point; undefined where it has none: roots and logarithms of negative
 * numbers, poles, i and infinity, overflow, a factorial of anything but 0 to 150.
 * @param lookUp the values of variables
 */
export function evaluateReal(node: MathNode, lookUp: (name: string) => number): Complex | undefined {
  const re = real(node, lookUp);
  return Number.isFinite(re) ? { re, im: 0 } : undefined;
}

/** NaN stands for no value; it goes through all arithmetic by itself. */
function real(node: MathNode, lookUp: (name: string) => number): number {
  switch (node.kind) {
    case "number":
      return node.value.valueOf();
    case "constant":
      return node.name === "pi" ? Math.PI : node.name === "e" ? Math.E : Number.NaN;
    case "variable":
      return lookUp(node.name);
    case "negate":
      return -real(node.operand, lookUp);
    case "binary":
      return operate(node.operator, real(node.left, lookUp), real(node.right, lookUp));
    case "call":
      return callReal(node.name, real(node.operands[0]!, lookUp), () => real(node.operands[1]!, lookUp));
  }
}

function operate(operator: Operator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "^":
      // In JavaScript NaN ** 0 is 1.
      return Number.isNaN(left) ? Number.NaN : left ** right;
  }
}

function callReal(name: MathFunction, x: number, second: () => number): number {
  switch (name) {
    case "root":
      return root(x, second());
    case "log":
      return Math.log(x) / Math.log(second());
    case "exp":
    case "sin":
    case "cos":
    case "tan":
    case "asin":
    case "acos":
    case "atan":
    case "sinh":
    case "cosh":
    case "tanh":
    case "abs":
    case "floor":
    case "ceil":
      return Math[name](x);
    case "cot":
      return 1 / Math.tan(x);
    case "sec":
      return 1 / Math.cos(x);
    case "csc":
      return 1 / Math.sin(x);
    case "factorial":
      return isSmallCount(x) ? falling(BigInt(x), BigInt(x)).valueOf() : Number.NaN;
    case "binomial": {
      const k = second();
      return isSmallCount(x) && isSmallCount(k) ? chosen(x, k) : Number.NaN;
    }
  }
}

const chosen = (n: number, k: number): number =>
  falling(BigInt(n), BigInt(k))
    .div(falling(BigInt(k), BigInt(k)))
    .valueOf();
const isSmallCount = (x: number): boolean => Number.isInteger(x) && x >= 0 && x <= MAX_FACTORIAL;

/** The real root: of a negative number only if the degree is odd. */
function root(x: number, degree: number): number {
  if (degree === 2) return Math.sqrt(x);
  if (degree === 3) return Math.cbrt(x);
  if (x < 0 && Number.isInteger(degree) && degree % 2 !== 0) return -((-x) ** (1 / degree));
  return x < 0 ? Number.NaN : x ** (1 / degree);
}
