import type { RelationKind } from "./problem.js";

interface KindFacts {
  /** It takes two or more quantities; the others take one, and numbers. */
  merges: boolean;
  /** The result counts another unit than the (first) input. */
  changesUnit: boolean;
}

const kept: KindFacts = { merges: false, changesUnit: false };

/** The kinds of relations. Their order is part of what a seed means: append only. */
export const KINDS: Readonly<Record<RelationKind, KindFacts>> = {
  more: kept,
  fewer: kept,
  times: kept,
  fraction: kept,
  percent: kept,
  "percent-change": kept,
  share: kept,
  rate: { merges: false, changesUnit: true },
  pack: { merges: false, changesUnit: true },
  total: { merges: true, changesUnit: false },
  difference: { merges: true, changesUnit: false },
  product: { merges: true, changesUnit: true },
};

export const RELATION_KINDS = Object.keys(KINDS) as readonly RelationKind[];

/** How an equation is written: as text, as a tree, as a number. */
export interface EquationForm<T> {
  number(value: number): T;
  /** Operators bind and associate as usual: no equation needs parentheses. */
  binary(operator: "+" | "-" | "*" | "/", left: T, right: T): T;
}

/** The right side of a relation's equation, from left to right: "12*2/3", "40+40*25/100". */
export function equation<T>(
  kind: RelationKind,
  inputs: readonly T[],
  numbers: readonly number[],
  { number, binary }: EquationForm<T>,
): T {
  const [first] = inputs as [T, ...T[]];
  const [n = 0, m = 1] = numbers;
  switch (kind) {
    case "more":
      return binary("+", first, number(n));
    case "fewer":
      return binary("-", first, number(n));
    case "times":
    case "rate":
      return binary("*", first, number(n));
    case "fraction":
      return binary("/", n === 1 ? first : binary("*", first, number(n)), number(m));
    case "percent":
      return binary("/", binary("*", first, number(n)), number(100));
    case "percent-change": {
      const change = binary("/", binary("*", first, number(Math.abs(n))), number(100));
      return binary(n < 0 ? "-" : "+", first, change);
    }
    case "share":
    case "pack":
      return binary("/", first, number(n));
    case "total":
      return inputs.reduce((sum, input) => binary("+", sum, input));
    case "difference":
      return binary("-", first, inputs[1]!);
    case "product":
      return binary("*", first, inputs[1]!);
  }
}

/** Equations as text: "12*3". */
export const AS_TEXT: EquationForm<string> = {
  number: String,
  binary: (operator, left, right) => `${left}${operator}${right}`,
};

const ARITHMETIC = {
  "+": (a: number, b: number) => a + b,
  "-": (a: number, b: number) => a - b,
  "*": (a: number, b: number) => a * b,
  "/": (a: number, b: number) => a / b,
};

/** Equations as numbers; exact, because the products of a relation stay below 2^53 and its division has no rest. */
export const AS_NUMBER: EquationForm<number> = {
  number: (value) => value,
  binary: (operator, left, right) => ARITHMETIC[operator](left, right),
};
