import type { Operator, Rational } from "./expression.js";

/** Functions of real numbers that an answer may use. `root` has the radicand and the degree, `log` the base second. */
export type MathFunction =
  | "root"
  | "log"
  | "exp"
  | "sin"
  | "cos"
  | "tan"
  | "cot"
  | "sec"
  | "csc"
  | "asin"
  | "acos"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "abs"
  | "floor"
  | "ceil"
  | "factorial"
  | "binomial";

export type MathConstant = "pi" | "e" | "i" | "infinity";

/** A mathematical expression as a tree. */
export type MathNode =
  | { kind: "number"; value: Rational }
  | { kind: "constant"; name: MathConstant }
  | { kind: "variable"; name: string }
  | { kind: "negate"; operand: MathNode }
  | { kind: "binary"; operator: Operator; left: MathNode; right: MathNode }
  | { kind: "call"; name: MathFunction; operands: MathNode[] };

/** The nodes directly below a node. */
function children(node: MathNode): readonly MathNode[] {
  switch (node.kind) {
    case "negate":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "call":
      return node.operands;
    default:
      return [];
  }
}

/** The node and all below it. */
export function* everyNode(node: MathNode): Generator<MathNode, void, undefined> {
  yield node;
  for (const child of children(node)) yield* everyNode(child);
}

/** The names of the variables, sorted, each once. */
export function variablesOf(...nodes: readonly MathNode[]): string[] {
  const names = new Set<string>();
  for (const node of nodes) {
    for (const part of everyNode(node)) if (part.kind === "variable") names.add(part.name);
  }
  return [...names].sort();
}

/**
 * An expression as text in plain calculator notation, fully parenthesised. Equal texts mean equal trees.
 * @param nameOf how variables are written. Default: by their own names.
 */
export function formatMath(node: MathNode, nameOf: (variable: string) => string = (name) => name): string {
  const format = (part: MathNode): string => formatMath(part, nameOf);
  switch (node.kind) {
    case "number":
      return node.value.d === 1n && node.value.s >= 0n ? node.value.toFraction() : `(${node.value.toFraction()})`;
    case "constant":
      return node.name;
    case "variable":
      return nameOf(node.name);
    case "negate":
      return `(-${format(node.operand)})`;
    case "binary":
      return `(${format(node.left)}${node.operator}${format(node.right)})`;
    case "call":
      return `${node.name}(${node.operands.map(format).join(",")})`;
  }
}
