import type { Rational } from "../math/expression.js";
import type { MathNode } from "../math/math-node.js";

export type Relation = "=" | "≠" | "<" | "≤" | "≡" | "≈";

/** What an answer says, as the strict policy reads it. */
export type AnswerValue =
  | { kind: "number"; value: Rational }
  /** Digits in a base that is not ten. Not the same answer as its decimal value: the notation was asked for. */
  | { kind: "based"; digits: string; base: string }
  | { kind: "expression"; node: MathNode }
  /** A tuple or an interval with its brackets; a ratio 2:3 has colons for brackets. */
  | { kind: "sequence"; open: string; close: string; items: AnswerValue[] }
  /** A set or a list of solutions, as a multiset. */
  | { kind: "set"; items: AnswerValue[] }
  /** A union of intervals or sets, in any order. */
  | { kind: "union"; items: AnswerValue[] }
  | { kind: "matrix"; rows: AnswerValue[][] }
  /** An equation or inequality; > and ≥ are turned round. `name` is set if the left side only names the right one. */
  | { kind: "relation"; relation: Relation; left: AnswerValue; right: AnswerValue; name: string | undefined }
  /** Words, or LaTeX that is no known mathematics, in lower case. */
  | { kind: "text"; text: string };
