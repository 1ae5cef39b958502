import type { Random } from "../../core/index.js";
import { AS_NUMBER, AS_TEXT, equation } from "./kinds.js";
import type { Quantity, Relation } from "./problem.js";
import { LARGEST_VALUE } from "./values.js";

export interface WrongStep {
  /** A step whose expression does not follow from the relation, or whose value is wrong. */
  expression: string;
  value: number;
}

/**
 * How a step goes wrong: the wrong operation, an operand that belongs elsewhere, or a slip in the arithmetic, with
 * equal chance where the first two give a whole number. Never the right value.
 */
export function drawWrongStep(random: Random, quantity: Quantity, quantities: readonly Quantity[]): WrongStep {
  const relation = quantity.relation!;
  const attempts = random.shuffle([wrongOperation, wrongOperand, slip]);
  for (const attempt of attempts) {
    const wrong = attempt(random, relation, quantities, quantity.value);
    if (wrong && isPossible(wrong.value) && wrong.value !== quantity.value) return wrong;
  }
  return slip(random, relation, quantities, quantity.value);
}

const isPossible = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= LARGEST_VALUE;

const valuesOf = ({ inputs }: Relation, quantities: readonly Quantity[]): number[] =>
  inputs.map((input) => quantities[input]!.value);

function wrongOperation(_: Random, relation: Relation, quantities: readonly Quantity[]): WrongStep | undefined {
  const { kind, numbers } = relation;
  const [a = 0, b = 0] = valuesOf(relation, quantities);
  const n = Math.abs(numbers[0] ?? 0);
  switch (kind) {
    case "more":
    case "share":
    case "pack":
    case "percent":
      return { expression: `${a}-${n}`, value: a - n };
    case "fewer":
    case "times":
    case "rate":
      return { expression: `${a}+${n}`, value: a + n };
    case "fraction":
      return { expression: `${a}*${numbers[1]!}`, value: a * numbers[1]! };
    case "percent-change":
      return { expression: `${a}*${n}/100`, value: (a * n) / 100 };
    case "total":
      return { expression: `${a}*${b}`, value: a * b };
    case "difference":
    case "product":
      return { expression: `${a}+${b}`, value: a + b };
  }
}

/** The first input's place taken by another quantity's value. */
function wrongOperand(random: Random, relation: Relation, quantities: readonly Quantity[]): WrongStep | undefined {
  const [first, ...rest] = valuesOf(relation, quantities);
  const others = quantities.flatMap(({ value, needed }) => (needed && value !== first ? [value] : []));
  if (others.length === 0) return undefined;
  const values = [random.choice(others), ...rest];
  return {
    expression: equation(relation.kind, values.map(String), relation.numbers, AS_TEXT),
    value: equation(relation.kind, values, relation.numbers, AS_NUMBER),
  };
}

function slip(random: Random, relation: Relation, quantities: readonly Quantity[], value: number): WrongStep {
  const off = random.choice([1, 2, 10]);
  const sign = value + off > LARGEST_VALUE || (value >= off && random.uniform() < 0.5) ? -1 : 1;
  const expression = equation(relation.kind, valuesOf(relation, quantities).map(String), relation.numbers, AS_TEXT);
  return { expression, value: value + sign * off };
}
