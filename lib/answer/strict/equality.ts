import type { Result } from "../math/expression.js";
import { evaluateFactorials } from "../math/factorials.js";
import type { MathNode } from "../math/math-node.js";
import { sameExpression } from "../math/same-expression.js";
import { rangesOf } from "./intervals.js";
import { parseAnswer } from "./parse.js";
import { sameUnit, type Unit } from "./unit-sizes.js";
import type { AnswerValue } from "./value.js";

/** Whether two answers say the same under the strict policy; an unparseable one equals nothing, not even itself. */
export function equalStrict(a: string, b: string): boolean {
  return equalParsed(parseAnswer(a), parseAnswer(b));
}

/** {@link equalStrict} for answers that are parsed already. */
export function equalParsed(a: Result<AnswerValue>, b: Result<AnswerValue>): boolean {
  return a.ok && b.ok && equalValues(a.value, b.value);
}

/**
 * Whether two values are the same: numbers exactly, expressions as {@link sameExpression} says, tuples and intervals
 * item by item with their brackets, sets and unions in any order, equations up to a factor and the side things stand
 * on, text without case. A named value (`y = 2x + 3`, `f(x) = 2x`) equals the value alone. Two units must be the same; a
 * unit on one side only says nothing.
 */
export function equalValues(a: AnswerValue, b: AnswerValue): boolean {
  const [unitA, unitB] = [unitOf(a), unitOf(b)];
  if (unitA && unitB && !sameUnit(unitA, unitB)) return false;
  // "5 m" is 5 meters where the other side has a unit.
  if (a.kind === "expression" && a.quantity && unitB) return equalValues(a.quantity, b);
  if (b.kind === "expression" && b.quantity && unitA) return equalValues(a, b.quantity);
  const [letterA, letterB] = [loneLetter(a), loneLetter(b)];
  if (letterA !== undefined && letterB !== undefined) return letterA === letterB;
  if (a.kind === "number" && b.kind === "number") return a.value.equals(b.value);
  if (a.kind === "relation" || b.kind === "relation") return equalRelations(a, b);
  const [nodeA, nodeB] = [asNode(a), asNode(b)];
  if (nodeA && nodeB) return sameExpression(nodeA, nodeB) || sameFactorials(a, b);
  if (a.kind === "union" || b.kind === "union") return sameUnions(a, b);
  switch (a.kind) {
    case "based":
      return b.kind === "based" && a.digits === b.digits && a.base === b.base;
    case "sequence":
      return (
        b.kind === "sequence" &&
        a.open === b.open &&
        a.close === b.close &&
        (a.of === undefined || b.of === undefined || a.of === b.of) &&
        sameItems(a.items, b.items)
      );
    case "set":
      return b.kind === "set" && sameMultiset(a.items, b.items);
    case "matrix":
      return (
        b.kind === "matrix" &&
        a.rows.length === b.rows.length &&
        a.rows.every((row, index) => sameItems(row, b.rows[index]!))
      );
    case "text":
      return b.kind === "text" && a.text === b.text;
    default:
      return false;
  }
}

/** Unions of the same items, or of the same numbers in other pieces. */
function sameUnions(a: AnswerValue, b: AnswerValue): boolean {
  if (a.kind === "union" && b.kind === "union" && sameMultiset(a.items, b.items)) return true;
  const [rangesA, rangesB] = [rangesOf(a), rangesOf(b)];
  return rangesA !== undefined && rangesB !== undefined && sameItems(rangesA, rangesB);
}

/** 2024! and 2024·2023!, too large to write: their quotient is 1. */
function sameFactorials(a: AnswerValue, b: AnswerValue): boolean {
  if (a.kind !== "expression" || b.kind !== "expression" || !a.factorials || !b.factorials) return false;
  return evaluateFactorials({ kind: "binary", operator: "/", left: a.node, right: b.node })?.equals(1) ?? false;
}

const unitOf = (value: AnswerValue): Unit | undefined =>
  value.kind === "number" || value.kind === "expression" || value.kind === "sequence" ? value.unit : undefined;

/** A choice or variable of one letter, which compares without case. */
function loneLetter(value: AnswerValue): string | undefined {
  if (value.kind === "text") return /^[a-z]$/.test(value.text) ? value.text : undefined;
  if (value.kind !== "expression") return undefined;
  const { node } = value;
  if (node.kind === "variable" && node.name.length === 1) return node.name.toLowerCase();
  return node.kind === "constant" && node.name.length === 1 ? node.name : undefined;
}

function asNode(value: AnswerValue): MathNode | undefined {
  if (value.kind === "number") return { kind: "number", value: value.value };
  return value.kind === "expression" ? value.node : undefined;
}

const sameItems = (a: readonly AnswerValue[], b: readonly AnswerValue[]): boolean =>
  a.length === b.length && a.every((item, index) => equalValues(item, b[index]!));

/** Each item is paired with the first equal one that is left; equality is transitive enough for that. */
function sameMultiset(a: readonly AnswerValue[], b: readonly AnswerValue[]): boolean {
  if (a.length !== b.length) return false;
  const left = [...b];
  return a.every((item) => {
    const index = left.findIndex((other) => equalValues(item, other));
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

function equalRelations(a: AnswerValue, b: AnswerValue): boolean {
  if (a.kind !== "relation") return equalRelations(b, a);
  if (b.kind !== "relation") {
    if (a.rays) return equalValues(a.rays, b);
    return a.name !== undefined && equalValues(a.right, b);
  }
  if (a.relation !== b.relation) return false;
  if (equalValues(a.left, b.left) && equalValues(a.right, b.right)) return true;
  if (a.relation === "=" || a.relation === "≠") {
    if (equalValues(a.left, b.right) && equalValues(a.right, b.left)) return true;
    const [left, right] = [difference(a), difference(b)];
    return left !== undefined && right !== undefined && proportional(left, right);
  }
  return false;
}

function difference({ left, right }: AnswerValue & { kind: "relation" }): MathNode | undefined {
  const [a, b] = [asNode(left), asNode(right)];
  return a && b && { kind: "binary", operator: "-", left: a, right: b };
}

/**
 * Whether one expression is the other times a number: a(x) b(y) = a(y) b(x) for all x and y. Then the two equations
 * have the same solutions.
 */
function proportional(a: MathNode, b: MathNode): boolean {
  const product = (left: MathNode, right: MathNode): MathNode => ({ kind: "binary", operator: "*", left, right });
  return sameExpression(product(a, renamed(b)), product(renamed(a), b));
}

/** With another variable in place of each. */
function renamed(node: MathNode): MathNode {
  switch (node.kind) {
    case "variable":
      return { ...node, name: `${node.name}'` };
    case "negate":
      return { ...node, operand: renamed(node.operand) };
    case "binary":
      return { ...node, left: renamed(node.left), right: renamed(node.right) };
    case "call":
      return { ...node, operands: node.operands.map(renamed) };
    default:
      return node;
  }
}
