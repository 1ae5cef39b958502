import { capitalize, listed, withArticle } from "./english.js";
import type { Quantity } from "./problem.js";
import type { Unit } from "./scenarios.js";

/** "12 apples", "1 apple", "$12"; `number` may say the value in another way: "<<3*4=12>>12 apples". */
export function amountOf(unit: Unit, value: number, number: string = String(value)): string {
  if (unit.kind === "money") return `$${number}`;
  return `${number} ${value === 1 ? unit.one : unit.many}`;
}

/** "5 more apples", "$5 more". */
export function moreOf(unit: Unit, value: number, number: string = String(value)): string {
  return unit.kind === "money" ? `$${number} more` : `${number} more ${value === 1 ? unit.one : unit.many}`;
}

/** "5 fewer apples", "$5 less". */
export function fewerOf(unit: Unit, value: number): string {
  return unit.kind === "money" ? `$${value} less` : `${value} fewer ${value === 1 ? unit.one : unit.many}`;
}

/** "25% more apples", "25% less money". */
export function percentOf(unit: Unit, percent: number): string {
  const comparative = percent > 0 ? "more" : unit.kind === "money" ? "less" : "fewer";
  return `${Math.abs(percent)}% ${comparative} ${unit.many}`;
}

/** "many apples", "much money". */
export const manyOf = (unit: Unit): string => (unit.kind === "money" ? "much money" : `many ${unit.many}`);

/** "The number of apples", "the amount of money". */
export const numberOf = (unit: Unit): string =>
  unit.kind === "money" ? "the amount of money" : `the number of ${unit.many}`;

/** "the number", "the amount", where the unit is clear. */
export const numberWord = (unit: Unit): string => (unit.kind === "money" ? "the amount" : "the number");

/** "picks", "gets". */
const verbOf = ({ gets, unit }: Quantity): string => (gets ? "gets" : unit.verbs);
/** "pick", "get". */
export const baseVerbOf = ({ gets, unit }: Quantity): string => (gets ? "get" : unit.verb);

/** "Ana picks". */
export const clauseOf = (quantity: Quantity): string => `${quantity.holder} ${verbOf(quantity)}`;

/** "Ana picks 12 apples"; `number` may say the value in another way. */
export const stateOf = (quantity: Quantity, number?: string): string =>
  `${clauseOf(quantity)} ${amountOf(quantity.unit, quantity.value, number)}`;

/** After "than" or "as", said about `subject`: "Ana" if both do the same, else "Ana gets". */
export const comparedTo = (quantity: Quantity, subject: Quantity): string =>
  quantity.gets === subject.gets ? quantity.holder : clauseOf(quantity);

/** "Ana and Ben", or "Ana picks and Ben gets" if not all do what the subject does. */
export function allComparedTo(quantities: readonly Quantity[], subject: Quantity): string {
  const alike = quantities.every(({ gets }) => gets === subject.gets);
  return listed(quantities.map((quantity) => (alike ? quantity.holder : clauseOf(quantity))));
}

/** "Ana's apples"; "the apples Ana picks" where her apples could be others as well. */
export function thingsOf(quantity: Quantity): string {
  const { holder, unit } = quantity;
  if (unit.alone) return `${holder}'s ${unit.many}`;
  return `the ${unit.many} ${clauseOf(quantity)}`;
}

/** "each apple Ana picks". */
export const eachOf = (quantity: Quantity): string => `${quantity.unit.one} ${clauseOf(quantity)}`;

/** "Every time Ana picks an apple". */
export const everyTime = (quantity: Quantity): string =>
  `every time ${clauseOf(quantity)} ${withArticle(quantity.unit.one)}`;

/** A sentence: a capital at its beginning and a full stop, or the mark given. */
export const sentence = (text: string, mark = "."): string => `${capitalize(text)}${mark}`;
