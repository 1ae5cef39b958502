import Fraction from "fraction.js";
import type { Rational } from "./expression.js";
import { everyNode, type MathNode } from "./math-node.js";
import { evaluateExactly } from "./sample.js";

// Beyond these a value is longer than any answer: 400 digits.
const MAX_DIGITS = 400;
const MAX_ARGUMENT = 10n ** 12n;
const MAX_GAP = 400n;
const MAX_FACTORS = 40;
const MAX_NODES = 100;

/** A rational times factorials: how often each is a factor, negative in the denominator. */
interface Scaled {
  factor: Rational;
  factorials: Map<bigint, number>;
}

/**
 * The exact value of an expression whose factorials are too large to write and cancel: 2024!/2022!, (100!+99!)/98!,
 * C(2024, 2). Undefined where they do not cancel, or where `evaluateExactly` says all that can be said.
 */
export function evaluateFactorials(node: MathNode): Rational | undefined {
  const nodes = [...everyNode(node)];
  if (nodes.length > MAX_NODES || !nodes.some(isFactorial)) return undefined;
  const value = scaled(node);
  return value && written(value);
}

/** Whether an expression has factorials and no variables. */
export const hasFactorials = (node: MathNode): boolean => {
  const nodes = [...everyNode(node)];
  return nodes.some(isFactorial) && nodes.every(({ kind }) => kind !== "variable");
};

const isFactorial = (node: MathNode): boolean =>
  node.kind === "call" && (node.name === "factorial" || node.name === "binomial");

function scaled(node: MathNode): Scaled | undefined {
  if (![...everyNode(node)].some(isFactorial)) {
    const factor = evaluateExactly(node);
    return factor && { factor, factorials: new Map() };
  }
  switch (node.kind) {
    case "negate": {
      const value = scaled(node.operand);
      return value && { ...value, factor: value.factor.neg() };
    }
    case "call": {
      const operands = node.operands.map((operand) => evaluateFactorials(operand) ?? evaluateExactly(operand));
      const counts = operands.map((value) => (value && isCount(value) ? value.n : undefined));
      const [n, k] = counts;
      if (n === undefined) return undefined;
      if (node.name === "factorial") return { factor: new Fraction(1n), factorials: new Map([[n, 1]]) };
      if (node.name !== "binomial" || k === undefined) return undefined;
      if (k > n) return { factor: new Fraction(0n), factorials: new Map() };
      return product({ factor: new Fraction(1n), factorials: new Map([[n, 1]]) }, [k, n - k].map(inverse));
    }
    case "binary": {
      const left = scaled(node.left);
      if (!left) return undefined;
      if (node.operator === "^") {
        const exponent = evaluateExactly(node.right);
        if (exponent?.d !== 1n || exponent.abs().compare(MAX_FACTORS) > 0) return undefined;
        return power(left, Number(exponent.s * exponent.n));
      }
      const right = scaled(node.right);
      if (!right) return undefined;
      if (node.operator === "*") return product(left, [right]);
      if (node.operator === "/") return right.factor.equals(0) ? undefined : product(left, [power(right, -1)!]);
      return sum(left, node.operator === "-" ? { ...right, factor: right.factor.neg() } : right);
    }
    default:
      return undefined;
  }
}

const isCount = (value: Rational): boolean => value.d === 1n && value.s >= 0n && value.n <= MAX_ARGUMENT;
const inverse = (n: bigint): Scaled => ({ factor: new Fraction(1n), factorials: new Map([[n, -1]]) });

function power({ factor, factorials }: Scaled, exponent: number): Scaled | undefined {
  if (factor.equals(0) && exponent < 0) return undefined;
  const raised = factor.pow(exponent);
  return raised && { factor: raised, factorials: new Map([...factorials].map(([n, times]) => [n, times * exponent])) };
}

function product(first: Scaled, others: readonly Scaled[]): Scaled {
  const factorials = new Map(first.factorials);
  let { factor } = first;
  for (const other of others) {
    factor = factor.mul(other.factor);
    for (const [n, times] of other.factorials) factorials.set(n, (factorials.get(n) ?? 0) + times);
  }
  return { factor, factorials };
}

/** a + b = (a/b + 1) b, where the factorials of a/b cancel. */
function sum(a: Scaled, b: Scaled): Scaled | undefined {
  if (b.factor.equals(0)) return a;
  const ratio = written(product(a, [power(b, -1)!]));
  return ratio && { factor: ratio.add(1).mul(b.factor), factorials: b.factorials };
}

/** The value without factorials: each in the numerator is divided by the one in the denominator nearest in order. */
function written({ factor, factorials }: Scaled): Rational | undefined {
  const over: bigint[] = [];
  const under: bigint[] = [];
  for (const [n, times] of factorials) {
    if (over.length + under.length + Math.abs(times) > MAX_FACTORS) return undefined;
    for (let count = 0; count < Math.abs(times); count++) (times > 0 ? over : under).push(n);
  }
  const descending = (a: bigint, b: bigint) => (a < b ? 1 : a > b ? -1 : 0);
  over.sort(descending);
  under.sort(descending);
  let value = factor;
  for (let at = 0; at < Math.max(over.length, under.length); at++) {
    const quotient = factorialQuotient(over[at] ?? 0n, under[at] ?? 0n);
    if (quotient === undefined) return undefined;
    value = value.mul(quotient);
    if (digits(value.n) + digits(value.d) > 2 * MAX_DIGITS) return undefined;
  }
  return digits(value.n) <= MAX_DIGITS && digits(value.d) <= MAX_DIGITS ? value : undefined;
}

/** n!/m! */
function factorialQuotient(n: bigint, m: bigint): Rational | undefined {
  if (n < m) return factorialQuotient(m, n)?.inverse();
  if (n - m > MAX_GAP || Number(n - m) * digits(n) > 3 * MAX_DIGITS) return undefined;
  let value = 1n;
  for (let each = n; each > m; each--) value *= each;
  return new Fraction(value);
}

const digits = (value: bigint): number => value.toString().length;
