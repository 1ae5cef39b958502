import { listed } from "./english.js";
import type { Quantity, Relation } from "./problem.js";
import type { Unit } from "./scenarios.js";
import {
  allComparedTo,
  amountOf,
  baseVerbOf,
  clauseOf,
  comparedTo,
  eachOf,
  everyTime,
  fewerOf,
  manyOf,
  moreOf,
  numberOf,
  numberWord,
  percentOf,
  sentence,
  stateOf,
  thingsOf,
} from "./wording.js";

/** A quantity's phrasing is a number below 3,600: modulo 60 it chooses the wording of its fact, above that of the question. */
export const PHRASINGS = 3_600;

/** Lists have 3, 4, 5 or 6 variants, all divisors of 60: each variant is equally likely. */
const pick = (phrasing: number, variants: readonly (() => string)[]): string => variants[phrasing % variants.length]!();
const FACT_PHRASINGS = 60;
const pickQuestion = (phrasing: number, variants: readonly (() => string)[]): string =>
  pick(Math.floor(phrasing / FACT_PHRASINGS), variants);
/** One phrasing for each wording of a question: these have 3 variants. */
export const QUESTION_PHRASINGS: readonly number[] = [0, 1, 2].map((variant) => variant * FACT_PHRASINGS);

/** The sentence that states a quantity: its number if it is given, else how it follows from others. */
export function factSentence(quantity: Quantity, quantities: readonly Quantity[], holderPlural: string): string {
  if (!quantity.relation) return givenSentence(quantity);
  return sentence(relationClause(quantity, quantity.relation, quantities, holderPlural));
}

/** "Ana picks 12 apples." */
function givenSentence(quantity: Quantity): string {
  const { unit, value, phrasing } = quantity;
  return sentence(
    pick(phrasing, [
      () => stateOf(quantity),
      () => stateOf(quantity),
      () => `${clauseOf(quantity)} exactly ${amountOf(unit, value)}`,
      () => `${clauseOf(quantity)} a total of ${amountOf(unit, value)}`,
      () => `${numberOf(unit)} ${clauseOf(quantity)} is ${unit.kind === "money" ? "$" : ""}${value}`,
    ]),
  );
}

/** What a relation says, without capital and full stop: "Ben picks 3 times as many apples as Ana". */
export function relationClause(
  quantity: Quantity,
  { kind, inputs: indices, numbers }: Relation,
  quantities: readonly Quantity[],
  holderPlural: string,
): string {
  const { unit, phrasing } = quantity;
  const inputs = indices.map((index) => quantities[index]!);
  const [source, second] = inputs as [Quantity, ...Quantity[]];
  const [n = 0, m = 1] = numbers;
  switch (kind) {
    case "more":
      return compared(quantity, source, `${moreOf(unit, n)} than`, `${bareAmount(unit, n)} more than`);
    case "fewer":
      return compared(quantity, source, `${fewerOf(unit, n)} than`, `${bareAmount(unit, n)} less than`);
    case "times": {
      const times = n === 2 ? "twice" : `${n} times`;
      return compared(quantity, source, `${times} as ${manyOf(unit)} as`, times);
    }
    case "fraction":
      return fractionClause(quantity, source, FRACTION_WORDS.get(`${n}/${m}`) ?? [`${n}/${m}`, `${n}/${m}`]);
    case "percent":
      return fractionClause(quantity, source, [`${n}%`, `${n}%`]);
    case "percent-change": {
      const short = `${Math.abs(n)}% ${n < 0 ? "less" : "more"} than`;
      return compared(quantity, source, `${percentOf(unit, n)} than`, short);
    }
    case "share":
      return shareClause(quantity, source, n, holderPlural);
    case "rate":
      return rateClause(quantity, source, n, isOnlyOne(source, quantities));
    case "pack":
      return packClause(quantity, source, n, isOnlyOne(source, quantities));
    case "total":
      return totalClause(quantity, inputs, phrasing);
    case "difference":
      return differenceClause(quantity, source, second!);
    case "product": {
      const each = `as ${manyOf(unit)} as ${clauseOf(second!)} in all`;
      return pick(phrasing, [
        () => `for each ${eachOf(source)}, ${clauseOf(quantity)} ${each}`,
        () => `${clauseOf(quantity)}, for every ${eachOf(source)}, ${each}`,
        () => `${everyTime(source)}, ${clauseOf(quantity)} ${each}`,
      ]);
    }
  }
}

const FRACTION_WORDS: ReadonlyMap<string, readonly [before: string, of: string]> = new Map([
  ["1/2", ["half", "half"]],
  ["1/3", ["one third", "one third"]],
  ["1/4", ["one quarter", "one quarter"]],
]);

/** "$5", or the bare number where the noun was said before. */
const bareAmount = (unit: Unit, value: number): string => (unit.kind === "money" ? `$${value}` : String(value));

/**
 * "Ben picks 5 more apples than Ana" and other ways to say it: `link` is what stands between the verb and Ana, and ends
 * in "than" or "as"; `short` goes between "is" and "the number Ana picks".
 */
function compared(quantity: Quantity, source: Quantity, link: string, short: string): string {
  const { unit, phrasing } = quantity;
  const bare = link.replace(/ (?:than|as)$/, "");
  return pick(phrasing, [
    () => `${clauseOf(quantity)} ${link} ${comparedTo(source, quantity)}`,
    () =>
      source.gets === quantity.gets
        ? `compared with ${source.holder}, ${clauseOf(quantity)} ${bare}`
        : `${clauseOf(quantity)} ${link} ${clauseOf(source)}`,
    () => `${numberOf(unit)} ${clauseOf(quantity)} is ${short} ${numberWord(unit)} ${clauseOf(source)}`,
    () => `${clauseOf(quantity)} ${link} ${clauseOf(source)}`,
  ]);
}

/** A part of the source as large as "half", "2/3", "25%". */
function fractionClause(quantity: Quantity, source: Quantity, [part, partOf]: readonly [string, string]): string {
  const { unit, phrasing } = quantity;
  if (quantity.gets) return `${clauseOf(quantity)} ${partOf} of ${thingsOf(source)}`;
  return pick(phrasing, [
    () => `${clauseOf(quantity)} ${part} as ${manyOf(unit)} as ${comparedTo(source, quantity)}`,
    () => `${numberOf(unit)} ${clauseOf(quantity)} is ${partOf} of ${numberWord(unit)} ${clauseOf(source)}`,
    () => `${clauseOf(quantity)} ${part} as ${manyOf(unit)} as ${clauseOf(source)}`,
  ]);
}

function shareClause(quantity: Quantity, source: Quantity, parts: number, holderPlural: string): string {
  const { phrasing, holder, unit } = quantity;
  const things = thingsOf(source);
  if (quantity.gets) {
    return pick(phrasing, [
      () => `${holder} gets one of ${parts} equal shares of ${things}`,
      () => `${parts} ${holderPlural} share ${things} equally, and ${holder} gets one share`,
      () =>
        `${things} are split into ${parts} equal shares, and ${holder} gets one share`.replace("money are", "money is"),
    ]);
  }
  const many = `${clauseOf(quantity)} as ${manyOf(unit)} as`;
  return pick(phrasing, [
    () => `${many} one of ${parts} equal parts of ${things}`,
    () => `split ${things} into ${parts} equal parts: ${many} one part`,
    () => `${numberOf(unit)} ${clauseOf(quantity)} is ${numberWord(unit)} ${clauseOf(source)} divided by ${parts}`,
  ]);
}

/** "per apple" can only mean these apples: no other quantity of the problem counts such things. */
const isOnlyOne = (quantity: Quantity, quantities: readonly Quantity[]): boolean =>
  quantities.every((other) => other === quantity || other.unit.many !== quantity.unit.many);

function rateClause(quantity: Quantity, source: Quantity, each: number, short: boolean): string {
  const { holder, unit, phrasing } = quantity;
  const amount = amountOf(unit, each);
  const clause = `${clauseOf(quantity)} ${amount}`;
  if (source.holder !== holder || !short) {
    return pick(phrasing, [
      () => `for each ${eachOf(source)}, ${clause}`,
      () => `${clause} for every ${eachOf(source)}`,
      () => `${clause} per ${source.unit.one} that ${clauseOf(source)}`,
    ]);
  }
  const { one, kind } = source.unit;
  return pick(phrasing, [
    () => `${clause} per ${one}`,
    () => `${clause} for each ${one}`,
    () => `for every ${one}, ${clause}`,
    () => {
      if (kind === "time") return `${clause} each ${one}`;
      if (unit.kind !== "money" || kind === "act") return `${clause} for every ${one}`;
      return unit.verb === "spend" ? `each ${one} costs ${holder} ${amount}` : `${clause} with each ${one}`;
    },
  ]);
}

function packClause(quantity: Quantity, source: Quantity, size: number, short: boolean): string {
  const { holder, unit, phrasing } = quantity;
  const clause = `${clauseOf(quantity)} ${amountOf(unit, 1)}`;
  const group = amountOf(source.unit, size);
  if (source.holder !== holder || !short) {
    return pick(phrasing, [
      () => `for every ${group} ${clauseOf(source)}, ${clause}`,
      () => `${clause} for every ${group} ${clauseOf(source)}`,
      () => `${clause} per ${group} that ${clauseOf(source)}`,
    ]);
  }
  return pick(phrasing, [
    () => `for every ${group}, ${clause}`,
    () => `${clause} for every ${group}`,
    () => `${clause} per ${group}`,
    () =>
      unit.kind === "container" && unit.verb === "fill" && source.unit.kind === "thing"
        ? `${holder} puts ${group} into each ${unit.one}`
        : `${clause} for every ${group}`,
  ]);
}

function totalClause(quantity: Quantity, inputs: readonly Quantity[], phrasing: number): string {
  const { unit } = quantity;
  const all = allComparedTo(inputs, quantity);
  return pick(phrasing, [
    () => `${clauseOf(quantity)} as ${manyOf(unit)} as ${all} together`,
    () => `${clauseOf(quantity)} as ${manyOf(unit)} as ${all} combined`,
    () => `${numberOf(unit)} ${clauseOf(quantity)} is the total of ${listed(inputs.map(thingsOf))}`,
  ]);
}

function differenceClause(quantity: Quantity, larger: Quantity, smaller: Quantity): string {
  const { holder, unit, phrasing } = quantity;
  const many = `${clauseOf(quantity)} as ${manyOf(unit)} as`;
  const alike = larger.gets === quantity.gets && smaller.gets === quantity.gets;
  return pick(phrasing, [
    () => `${many} the difference between ${thingsOf(larger)} and ${thingsOf(smaller)}`,
    () =>
      `${numberOf(unit)} ${clauseOf(quantity)} is ${numberWord(unit)} ${clauseOf(larger)} minus ${numberWord(unit)} ${clauseOf(smaller)}`,
    () =>
      alike
        ? `together, ${smaller.holder} and ${holder} ${unit.verb} as ${manyOf(unit)} as ${larger.holder}`
        : `${many} the difference between ${thingsOf(larger)} and ${thingsOf(smaller)}`,
  ]);
}

/** The question about one quantity. */
export function quantityQuestion(quantity: Quantity): string {
  const { holder, unit, phrasing } = quantity;
  return pickQuestion(phrasing, [
    () => sentence(`how ${manyOf(unit)} does ${holder} ${baseVerbOf(quantity)}`, "?"),
    () => sentence(`what is ${numberOf(unit)} ${clauseOf(quantity)}`, "?"),
    () => sentence(`find ${numberOf(unit)} ${clauseOf(quantity)}`),
  ]);
}

/** Whether the question can state the relation itself: a total or difference of what all do alike. */
export function canAskDirectly({ kind }: Relation, inputs: readonly Quantity[]): boolean {
  return (kind === "total" || kind === "difference") && inputs.every(({ gets }) => gets === inputs[0]!.gets);
}

/** "How many apples do Ana and Ben pick together?" */
export function directQuestion({ unit, phrasing }: Quantity, { kind }: Relation, inputs: readonly Quantity[]): string {
  const [larger, smaller] = inputs as [Quantity, Quantity];
  const base = baseVerbOf(larger);
  if (kind === "total") {
    const holders = listed(inputs.map(({ holder }) => holder));
    const how = `how ${manyOf(unit)} do ${holders} ${base}`;
    const total = unit.kind === "money" ? "the total amount of money" : `the total number of ${unit.many}`;
    return pickQuestion(phrasing, [
      () => sentence(`${how} together`, "?"),
      () => sentence(`${how} in total`, "?"),
      () => sentence(`what is ${total} ${holders} ${base}`, "?"),
    ]);
  }
  const money = unit.kind === "money";
  return pickQuestion(phrasing, [
    () =>
      sentence(
        `how ${money ? "much more money" : `many more ${unit.many}`} does ${larger.holder} ${base} than ${smaller.holder}`,
        "?",
      ),
    () =>
      sentence(
        `how ${money ? "much less money" : `many fewer ${unit.many}`} does ${smaller.holder} ${base} than ${larger.holder}`,
        "?",
      ),
    () => sentence(`what is the difference between ${thingsOf(larger)} and ${thingsOf(smaller)}`, "?"),
  ]);
}

/** The same as a statement with its value: "Ana and Ben pick 36 apples together". */
export function directStatement(
  { unit, value }: Quantity,
  { kind }: Relation,
  inputs: readonly Quantity[],
  number?: string,
): string {
  const [larger, smaller] = inputs as [Quantity, Quantity];
  if (kind === "difference") return `${clauseOf(larger)} ${moreOf(unit, value, number)} than ${smaller.holder}`;
  const holders = listed(inputs.map(({ holder }) => holder));
  return `${holders} ${baseVerbOf(larger)} ${amountOf(unit, value, number)} together`;
}
