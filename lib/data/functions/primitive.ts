import type { Random } from "../../core/index.js";

/** What functions take and give; all can be written as JSON. */
export interface Values {
  number: number;
  numbers: readonly number[];
  text: string;
  words: readonly string[];
  boolean: boolean;
}
export type ValueKind = keyof Values;
export type Value = Values[ValueKind];

/** A number or a text that is part of a step: the 3 of "multiply by 3". */
export type Constant = number | string;

/** One step of a function. */
export interface Primitive {
  name: string;
  from: ValueKind;
  to: ValueKind;
  draw(random: Random): readonly Constant[];
  /** Ways to say it as an order ("add up the numbers"); `it` is how the value is called, where there is one. */
  orders: readonly ((it: string, ...constants: Constant[]) => string)[];
  /** Ways to name what it gives ("the sum of the numbers"). */
  results: readonly ((it: string, ...constants: Constant[]) => string)[];
  /** An expression of JavaScript. */
  code(variable: string, ...constants: Constant[]): string;
  /** The same, computed here; undefined where the words do not define the result, such as the largest of no numbers. */
  run(value: Value, ...constants: Constant[]): Value | undefined;
}

/** A primitive with its constants. */
export interface Step {
  primitive: Primitive;
  constants: readonly Constant[];
}

type Say = string | ((it: string, ...constants: Constant[]) => string);

interface Definition<From extends ValueKind, To extends ValueKind> {
  orders: readonly Say[];
  results: readonly Say[];
  code: (variable: string, ...constants: string[]) => string;
  run: (value: Values[From], ...constants: never[]) => Values[To] | undefined;
  draw?: (random: Random) => readonly Constant[];
}

/** In phrases "#" stands for the first constant, "##" for the second, "it" in braces for the value. */
export function primitive<From extends ValueKind, To extends ValueKind>(
  name: string,
  from: From,
  to: To,
  { orders, results, code, run, draw = () => [] }: Definition<From, To>,
): Primitive {
  const say = (phrase: Say) =>
    typeof phrase === "function"
      ? phrase
      : (it: string, ...constants: Constant[]) =>
          phrase.replaceAll("{it}", it).replaceAll("##", shown(constants[1])).replaceAll("#", shown(constants[0]));
  return {
    name,
    from,
    to,
    draw,
    orders: orders.map(say),
    results: results.map(say),
    code: (variable, ...constants) => code(variable, ...constants.map((constant) => JSON.stringify(constant))),
    run: run as Primitive["run"],
  };
}

const shown = (constant: Constant | undefined): string =>
  typeof constant === "string" ? JSON.stringify(constant) : String(constant);

/** A whole number of a range as the only constant. */
export const whole =
  (low: number, high: number) =>
  (random: Random): readonly number[] => [low + random.integer(high - low + 1)];

/** One of the letters that words have often. */
export const letter = (random: Random): readonly string[] => [random.choice([..."aeionrst"])];
