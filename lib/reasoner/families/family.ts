import type { Random } from "../../core/index.js";

/** One function of a drawn task: what it is called and does, computed here to know what its calls give. */
export interface FamilyFunction {
  /** Its name in words, such as "sum multiples": sumMultiples in JavaScript, sum_multiples in Python. */
  entry: string;
  parameters: readonly string[];
  /** What it returns, in words. */
  does: string;
  run(...args: readonly never[]): unknown;
  /** Arguments of a call. */
  input(random: Random): readonly unknown[];
  /** Calls that are always tested, such as the empty list. */
  edges?: readonly (readonly unknown[])[];
}

/** A task of a family: the function that is asked for, and those that it works with. */
export interface DrawnFamily {
  /** The first one is the entry; others are to be written beside it. */
  functions: readonly [FamilyFunction, ...FamilyFunction[]];
  /** A right program, with {0}, {1} for the functions' names. */
  javascript: string;
  python: string;
}

/** A family of small functions: the same idea with other constants. */
export interface Family {
  name: string;
  draw(random: Random): DrawnFamily;
}

type OneFunction = FamilyFunction & { javascript: string; python: string };

/** A family of single functions. */
export const family = (name: string, draw: (random: Random) => OneFunction): Family => ({
  name,
  draw(random) {
    const { javascript, python, ...one } = draw(random);
    return { functions: [one], javascript, python };
  },
});

/** A whole number of a range. */
export const from = (random: Random, low: number, high: number): number => low + random.integer(high - low + 1);

export const numbers = (random: Random, { least = 1, most = 8, low = -9, high = 20 } = {}): number[] =>
  Array.from({ length: from(random, least, most) }, () => from(random, low, high));

const LETTERS = "aabcdeeefghiijklmnooprrsttuvw";
export const word = (random: Random, least = 2, most = 7): string =>
  Array.from({ length: from(random, least, most) }, () => LETTERS[random.integer(LETTERS.length)]!).join("");

export const words = (random: Random, least = 1, most = 5): string[] =>
  Array.from({ length: from(random, least, most) }, () => word(random));

export const phrase = (random: Random): string => words(random, 2, 5).join(" ");

/** The greatest common divisor. */
export const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
