import type Fraction from "fraction.js";

/** Exact rational numbers of any size. */
export type Rational = Fraction;

export type Operator = "+" | "-" | "*" | "/" | "^";

/** An arithmetic expression. A reference stands for the value of another step, by its index. */
export type Expression =
  | { kind: "number"; value: Rational; text: string }
  | { kind: "reference"; index: number }
  | { kind: "negate"; operand: Expression }
  | { kind: "percent"; operand: Expression }
  | { kind: "binary"; operator: Operator; left: Expression; right: Expression };

/** A value that could not be computed, and why. It equals nothing, not even itself. */
export interface Failure {
  ok: false;
  reason: string;
}
export type Result<T> = { ok: true; value: T } | Failure;

export const fail = (reason: string): Failure => ({ ok: false, reason });

// Exponents beyond these make numbers that no word problem has and that would take for ever to print.
const MAX_EXPONENT = 1000;
const MAX_DIGITS = 5000;

/**
 * The exact value of an expression.
 * @param referenced the values that references stand for; without it a reference is a failure.
 */
export function evaluate(
  expression: Expression,
  referenced?: (index: number) => Rational | undefined,
): Result<Rational> {
  switch (expression.kind) {
    case "number":
      return { ok: true, value: expression.value };
    case "reference": {
      const value = referenced?.(expression.index);
      return value ? { ok: true, value } : fail(`the value of step ${expression.index + 1} is not known`);
    }
    case "negate":
    case "percent": {
      const operand = evaluate(expression.operand, referenced);
      if (!operand.ok) return operand;
      return { ok: true, value: expression.kind === "negate" ? operand.value.neg() : operand.value.div(100) };
    }
    case "binary": {
      const left = evaluate(expression.left, referenced);
      if (!left.ok) return left;
      const right = evaluate(expression.right, referenced);
      return right.ok ? applyOperator(expression.operator, left.value, right.value) : right;
    }
  }
}

/** One operation on exact values. Errors: division by zero, powers that are not rational or too long to write. */
export function applyOperator(operator: Operator, left: Rational, right: Rational): Result<Rational> {
  switch (operator) {
    case "+":
      return { ok: true, value: left.add(right) };
    case "-":
      return { ok: true, value: left.sub(right) };
    case "*":
      return { ok: true, value: left.mul(right) };
    case "/":
      return right.equals(0) ? fail("division by zero") : { ok: true, value: left.div(right) };
    case "^":
      return power(left, right);
  }
}

function power(base: Rational, exponent: Rational): Result<Rational> {
  if (exponent.d !== 1n) return fail("a power with a fraction as exponent is not exact");
  if (exponent.abs().compare(MAX_EXPONENT) > 0) return fail(`an exponent beyond ${MAX_EXPONENT}`);
  if (base.equals(0) && exponent.compare(0) < 0) return fail("division by zero");
  const digits = Math.max(base.n.toString().length, base.d.toString().length) * Number(exponent.abs().n);
  if (digits > MAX_DIGITS) return fail(`a power with more than ${MAX_DIGITS} digits`);
  const value = base.pow(exponent);
  return value ? { ok: true, value } : fail("a power that is not rational");
}

const PRECEDENCE: Record<Operator, number> = { "+": 1, "-": 1, "*": 2, "/": 2, "^": 4 };
const SYMBOL: Record<Operator, string> = { "+": " + ", "-": " − ", "*": " × ", "/": " ÷ ", "^": "^" };

/** An expression as text with the fewest parentheses; references as `[1]`, `[2]`, … unless named otherwise. */
export function formatExpression(
  expression: Expression,
  nameOf: (index: number) => string = (index) => `[${index + 1}]`,
  parentPrecedence = 0,
): string {
  const inParentheses = (precedence: number, text: string) => (precedence < parentPrecedence ? `(${text})` : text);
  switch (expression.kind) {
    case "number":
      return inParentheses(expression.text.includes("/") ? 2 : 5, expression.text);
    case "reference":
      return nameOf(expression.index);
    case "negate":
      return inParentheses(3, `−${formatExpression(expression.operand, nameOf, 3)}`);
    case "percent":
      return inParentheses(5, `${formatExpression(expression.operand, nameOf, 5)}%`);
    case "binary": {
      const own = PRECEDENCE[expression.operator];
      // a − (b + c) and a ÷ (b × c) need their parentheses, (a + b) + c does not; powers bind to the right.
      const [left, right] = expression.operator === "^" ? [own + 1, own] : [own, own + 1];
      const text =
        formatExpression(expression.left, nameOf, left) +
        SYMBOL[expression.operator] +
        formatExpression(expression.right, nameOf, right);
      return inParentheses(own, text);
    }
  }
}

/** A rational as a decimal where that is exact and short, else as a fraction. */
export function formatRational(value: Rational): string {
  const decimal = value.toString(12);
  return !decimal.includes("(") && value.equals(decimal) ? decimal : value.toFraction();
}

/** The expression with every part for which `replacement` returns one put in its place. */
export function mapExpression(
  expression: Expression,
  replacement: (part: Expression) => Expression | undefined,
): Expression {
  const replaced = replacement(expression);
  if (replaced) return replaced;
  switch (expression.kind) {
    case "negate":
    case "percent":
      return { ...expression, operand: mapExpression(expression.operand, replacement) };
    case "binary":
      return {
        ...expression,
        left: mapExpression(expression.left, replacement),
        right: mapExpression(expression.right, replacement),
      };
    default:
      return expression;
  }
}

/** The numbers and references of an expression, from left to right. */
export function leaves(expression: Expression): Extract<Expression, { kind: "number" | "reference" }>[] {
  switch (expression.kind) {
    case "number":
    case "reference":
      return [expression];
    case "negate":
    case "percent":
      return leaves(expression.operand);
    case "binary":
      return [...leaves(expression.left), ...leaves(expression.right)];
  }
}
