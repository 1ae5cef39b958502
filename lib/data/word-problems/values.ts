import type { Random } from "../../core/index.js";
import { AS_NUMBER, equation } from "./kinds.js";
import type { Relation, RelationKind } from "./problem.js";
import type { Structure } from "./structure.js";

export const LARGEST_VALUE = 9_999;

/** A structure with numbers: for each node its value, and its relation if it is not given. */
export interface Valued {
  value: number;
  relation?: Relation;
}

/** Draws before only the smallest factors and divisors are tried, which nearly always fit. */
const FREE_TRIES = 40;
const MOST_TRIES = 200;
/** The share of draws with a hard multiplication that are kept though others may be had, and of those with a 1 or 0. */
const KEEP_HARD = 0.08;
const KEEP_TRIVIAL = 0.15;

/**
 * Draw the numbers of a structure: all values whole, from 0 to 9,999, all divisions exact. Divisors are drawn first;
 * from the result back to the given quantities follows what each value must be a multiple of; then values are drawn
 * forwards. Operands are mostly small, with a tail of larger ones.
 *
 * @returns undefined if none of many draws fits
 */
export function drawValues(random: Random, { nodes }: Pick<Structure, "nodes">): Valued[] | undefined {
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const smallest = attempt >= FREE_TRIES;
    const numbers = nodes.map((node) => (node ? drawNumbers(random, node.kind, smallest) : []));
    const divisors = requiredDivisors(nodes, numbers);
    const valued = divisors && drawForwards(random, nodes, numbers, divisors);
    if (!valued) continue;
    if (smallest) return valued;
    if (valued.some((node) => isHard(node, valued)) && random.uniform() >= KEEP_HARD) continue;
    if (valued.some(({ value }) => value < 2) && random.uniform() >= KEEP_TRIVIAL) continue;
    return valued;
  }
  return undefined;
}

/** A product beyond two digits times one digit. */
function isHardMultiplication(a: number, b: number): boolean {
  return Math.max(a, b) > 99 || Math.min(a, b) > 9;
}

function isHard({ relation }: Valued, all: readonly Valued[]): boolean {
  if (!relation || !(relation.kind === "times" || relation.kind === "rate" || relation.kind === "product"))
    return false;
  const [first, second] = relation.inputs;
  return isHardMultiplication(all[first!]!.value, second === undefined ? relation.numbers[0]! : all[second]!.value);
}

const FRACTIONS = [
  [1, 2],
  [1, 3],
  [1, 4],
  [2, 3],
  [3, 4],
  [1, 5],
  [2, 5],
  [3, 5],
] as const;
const FRACTION_WEIGHTS = [5, 3, 3, 2, 2, 1, 1, 1];
const PERCENTS = [50, 25, 20, 10, 75, 40, 30, 60, 80];
const PERCENT_WEIGHTS = [4, 4, 4, 4, 2, 1, 1, 1, 1];
const CHANGES = [50, 25, 20, 10];

/** The numbers of a relation that do not depend on its inputs' values. */
function drawNumbers(random: Random, kind: RelationKind, smallest: boolean): number[] {
  switch (kind) {
    case "times":
      return [smallest ? 2 : tail(random, [2, 5], [6, 9], [10, 25])];
    case "rate":
      return [smallest ? 2 : tail(random, [2, 6], [7, 12], [13, 40])];
    case "share":
    case "pack":
      return [smallest ? 2 : tail(random, [2, 6], [7, 10], [11, 20])];
    case "fraction":
      return [...(smallest ? FRACTIONS[0] : FRACTIONS[random.weighted(FRACTION_WEIGHTS)]!)];
    case "percent":
      return [smallest ? 50 : PERCENTS[random.weighted(PERCENT_WEIGHTS)]!];
    case "percent-change": {
      const size = smallest ? 50 : random.choice(CHANGES);
      return [random.uniform() < 0.5 ? size : -size];
    }
    default:
      return [];
  }
}

type Range = readonly [number, number];

/** Mostly from the first range, sometimes from the second, seldom from the third. */
function tail(random: Random, usual: Range, larger: Range, largest: Range): number {
  const [low, high] = [usual, larger, largest][random.weighted([0.8, 0.16, 0.04])]!;
  return low + random.integer(high - low + 1);
}

/** What each value must be a multiple of so that all divisions after it are exact; undefined if that is too large. */
function requiredDivisors(nodes: Structure["nodes"], numbers: readonly number[][]): number[] | undefined {
  const divisors = nodes.map(() => 1);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index];
    // What "more" and "fewer" add or take away is chosen to fit: their inputs need nothing.
    if (!node || node.kind === "more" || node.kind === "fewer") continue;
    const [numerator, denominator] = factor(node.kind, numbers[index]!);
    // input × numerator ÷ denominator must be a multiple of the divisor of this node.
    const needed = divisors[index]! * denominator;
    for (const input of needed === 1 ? [] : node.kind === "product" ? node.inputs.slice(0, 1) : node.inputs) {
      const own = needed / greatestCommonDivisor(needed, numerator);
      const merged = (divisors[input]! / greatestCommonDivisor(divisors[input]!, own)) * own;
      if (merged > LARGEST_VALUE) return undefined;
      divisors[input] = merged;
    }
  }
  return divisors;
}

/** By which reduced fraction a relation multiplies its input. */
function factor(kind: RelationKind, [n = 1, m = 1]: readonly number[]): [number, number] {
  switch (kind) {
    case "times":
    case "rate":
      return [n, 1];
    case "share":
    case "pack":
      return [1, n];
    case "fraction":
      return [n, m];
    case "percent":
    case "percent-change": {
      const part = kind === "percent" ? n : 100 + n;
      const common = greatestCommonDivisor(part, 100);
      return [part / common, 100 / common];
    }
    default:
      return [1, 1];
  }
}

function drawForwards(
  random: Random,
  nodes: Structure["nodes"],
  numbers: readonly number[][],
  divisors: readonly number[],
): Valued[] | undefined {
  const valued: Valued[] = [];
  for (const [index, node] of nodes.entries()) {
    const divisor = divisors[index]!;
    if (!node) {
      valued.push({ value: drawGiven(random, divisor) });
      continue;
    }
    const inputs = [...node.inputs];
    let own = numbers[index]!;
    if (node.kind === "difference" && valued[inputs[0]!]!.value < valued[inputs[1]!]!.value) inputs.reverse();
    if (node.kind === "more" || node.kind === "fewer") {
      const amount = drawAmount(random, valued[inputs[0]!]!.value, node.kind === "more" ? 1 : -1, divisor);
      if (amount === undefined) return undefined;
      own = [amount];
    }
    const values = inputs.map((input) => valued[input]!.value);
    if (values.includes(0)) return undefined; // Nothing is only a result.
    const value = equation(node.kind, values, own, AS_NUMBER);
    if (value < 0 || value > LARGEST_VALUE) return undefined;
    valued.push({ value, relation: { kind: node.kind, inputs, numbers: own } });
  }
  return valued;
}

/** A given quantity: a multiple of the divisor, mostly small. */
function drawGiven(random: Random, divisor: number): number {
  const target = tail(random, [2, 20], [21, 60], [61, 400]);
  return Math.max(1, Math.round(target / divisor)) * divisor;
}

/** What to add (or take away, if the sign is -1), at least 1, so that the result is a multiple of the divisor. */
function drawAmount(random: Random, value: number, sign: 1 | -1, divisor: number): number | undefined {
  const target = tail(random, [2, 15], [16, 50], [51, 300]);
  if (sign === 1) return target + modulo(-(value + target), divisor);
  // Mostly something is left: the least that can be is the divisor.
  const largest = value > divisor ? value - divisor : value;
  if (largest < 1) return undefined;
  const wanted = Math.min(target, largest);
  return wanted + modulo(value - wanted, divisor);
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n;

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
