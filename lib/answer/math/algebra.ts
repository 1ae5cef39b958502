import { createRequire } from "node:module";
import Fraction from "fraction.js";
import type { Operator } from "./expression.js";
import { everyNode, formatMath, type MathFunction, type MathNode, variablesOf } from "./math-node.js";

/** The part of nerdamer-prime that is used. */
interface Algebra {
  (expression: string): { toString(): string };
  set(option: "TIMEOUT", milliseconds: number): unknown;
}

const require = createRequire(import.meta.url);
let loaded: Algebra | undefined;

// Beyond these the package may take longer than 50 ms: it expands products and powers.
const MAX_NODES = 30;
const MAX_TERMS = 30;
const MAX_VARIABLES = 4;
const MAX_NUMBER = 10n ** 12n;
// Far above what it takes within these limits: verdicts must not depend on how busy the machine is.
const TIMEOUT_MS = 250;

/** The functions that the package and this module mean alike; roots are written as powers. */
const SHARED: readonly MathFunction[] = ["log", "exp", "sin", "cos", "tan", "abs"];

/**
 * Whether the computer-algebra package nerdamer-prime proves two expressions equal by simplifying their difference to
 * 0; it decides where sample points cannot: values too near to 0, functions without a value at most points. The package
 * is loaded on first use (about 50 ms). It sees only text written from our own tree, with variables renamed, and runs
 * no code made from text. Its time is bounded by refusing what is large (more than 30 nodes, 4 variables, numbers over
 * 10^12, roots of anything but numbers, more than 30 terms when multiplied out), and, should that not do, by its own
 * limit of 250 ms. What it refuses or fails at is not proved.
 */
export function provedEqual(a: MathNode, b: MathNode): boolean {
  const difference = binary("-", a, b);
  const names = variablesOf(difference);
  const parts = [...everyNode(difference)];
  if (parts.length > MAX_NODES || names.length > MAX_VARIABLES || !parts.every(isShared)) return false;
  if (termCount(difference) > MAX_TERMS) return false;
  const text = formatMath(prepared(difference), (name) => `v${names.indexOf(name)}`);
  const algebra = load();
  try {
    return algebra(`simplify(${text})`).toString() === "0";
  } catch {
    return false; // It gave up, for example at a division by zero.
  }
}

function load(): Algebra {
  if (loaded === undefined) {
    loaded = require("nerdamer-prime/all") as Algebra;
    loaded.set("TIMEOUT", TIMEOUT_MS);
  }
  return loaded;
}

function isShared(node: MathNode): boolean {
  if (node.kind === "number") return node.value.n < MAX_NUMBER && node.value.d < MAX_NUMBER;
  if (node.kind === "call" && node.name === "root") return node.operands.every(({ kind }) => kind === "number");
  if (node.kind === "call") return SHARED.includes(node.name);
  if (node.kind === "binary" && node.operator === "^") return isPower(node.left, node.right);
  return node.kind !== "constant" || node.name !== "infinity";
}

/** Whole powers, and powers of e. */
const isPower = (base: MathNode, exponent: MathNode): boolean => {
  const size = exponent.kind === "negate" ? exponent.operand : exponent;
  return (size.kind === "number" && size.value.d === 1n) || (base.kind === "constant" && base.name === "e");
};

/** At most how many terms the expression has when multiplied out; powers of numbers count by their exponent. */
function termCount(node: MathNode): number {
  switch (node.kind) {
    case "negate":
      return termCount(node.operand);
    case "call":
      return Math.max(...node.operands.map(termCount));
    case "binary": {
      const [left, right] = [termCount(node.left), termCount(node.right)];
      if (node.operator === "+" || node.operator === "-") return left + right;
      if (node.operator !== "^") return left * right;
      const size = node.right.kind === "negate" ? node.right.operand : node.right;
      const exponent = size.kind === "number" ? Math.abs(size.value.valueOf()) : right;
      return left === 1 ? Math.max(1, exponent / 10) : left ** Math.max(1, exponent);
    }
    default:
      return 1;
  }
}

/** With roots and logarithms written as the package knows them. */
function prepared(node: MathNode): MathNode {
  switch (node.kind) {
    case "negate":
      return { ...node, operand: prepared(node.operand) };
    case "binary":
      return { ...node, left: prepared(node.left), right: prepared(node.right) };
    case "call": {
      const [first, second] = node.operands.map(prepared) as [MathNode, MathNode];
      if (node.name === "root") return binary("^", first, binary("/", one, second));
      if (node.name === "log") return binary("/", { ...node, operands: [first] }, { ...node, operands: [second] });
      return { ...node, operands: [first] };
    }
    default:
      return node;
  }
}

const one: MathNode = { kind: "number", value: new Fraction(1) };
const binary = (operator: Operator, left: MathNode, right: MathNode): MathNode => ({
  kind: "binary",
  operator,
  left,
  right,
});
