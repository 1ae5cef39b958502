import type { Rational } from "../math/expression.js";
import type { MathNode } from "../math/math-node.js";
import type { Unit } from "./unit-sizes.js";

export type Relation = "=" | "≠" | "<" | "≤" | "≡" | "≈";

/** What an answer says, as the strict policy reads it. */
export type AnswerValue =
  | { kind: "number"; value: Rational; unit?: Unit | undefined }
  /** Digits in a base that is not ten. Not the same answer as its decimal value: the notation was asked for. */
  | { kind: "based"; digits: string; base: string }
  /** `quantity`: what it says if its letters are units: 5 m. `factorials`: whether it has some, which may cancel. */
  | { kind: "expression"; node: MathNode; unit?: Unit | undefined; quantity?: AnswerValue; factorials?: boolean }
  /**
   * A tuple or an interval with its brackets; a ratio 2:3 has colons for brackets. `of`: the variable of an inequality
   * such as 0 < x < 5, which is read as an interval. `unit`: the half of the day of a time such as 5:00 pm.
   */
  | { kind: "sequence"; open: string; close: string; items: AnswerValue[]; of?: string; unit?: Unit }
  /** A set or a list of solutions, as a multiset. */
  | { kind: "set"; items: AnswerValue[] }
  /** A union of intervals or sets, in any order. */
  | { kind: "union"; items: AnswerValue[] }
  | { kind: "matrix"; rows: AnswerValue[][] }
  /** An equation or an inequality that bounds no single variable; > and ≥ are turned round. `name` is set if the left side only names the right one, `rays` to what `x ≠ 5` leaves. */
  | {
      kind: "relation";
      relation: Relation;
      left: AnswerValue;
      right: AnswerValue;
      name: string | undefined;
      rays?: AnswerValue;
    }
  /** Words, or LaTeX that is no known mathematics, in lower case. */
  | { kind: "text"; text: string };
