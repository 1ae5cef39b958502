import type { Random } from "../../core/index.js";
import type { Step, ValueKind } from "./primitive.js";

const GIVEN: Readonly<Record<ValueKind, string>> = {
  numbers: "a list of numbers",
  number: "a number",
  text: "a text",
  words: "a list of words",
  boolean: "true or false",
};
const FIRST: Readonly<Record<ValueKind, string>> = {
  numbers: "the numbers",
  number: "the number",
  text: "the text",
  words: "the words",
  boolean: "it",
};
const LATER: Readonly<Record<ValueKind, string>> = {
  numbers: "the numbers",
  number: "the result",
  text: "the result",
  words: "the words",
  boolean: "it",
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What a function does, in words: the steps in their order, the last one as what is returned. */
export function specificationOf(random: Random, steps: readonly Step[]): string {
  const said = steps.map(({ primitive, constants }, at) => {
    const it = (at === 0 ? FIRST : LATER)[primitive.from];
    const ways = at === steps.length - 1 ? primitive.results : primitive.orders;
    return random.choice(ways)(it, ...constants);
  });
  const result = said.at(-1)!;
  const orders = said.slice(0, -1);
  const given = GIVEN[steps[0]!.primitive.from];
  if (orders.length === 0) {
    return random.choice([
      `Return ${result}.`,
      `Given ${given}, return ${result}.`,
      `It takes ${given} and returns ${result}.`,
    ]);
  }
  return random.choice([
    `${capital(orders.join(", then "))}, and return ${result}.`,
    `Given ${given}, ${orders.join(", then ")}, then return ${result}.`,
    `${orders.map((order) => `${capital(order)}.`).join(" ")} Return ${result}.`,
    `First ${orders.join(", next ")}. Then return ${result}.`,
  ]);
}
