import Fraction from "fraction.js";
import { parseNumber, type Rational } from "../../answer/index.js";

// biome-ignore format: a table
const WORDS: Record<string, number | [number, number]> = {
  zero: 0, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10,
  eleven: 11, twelve: 12, thirteen: 13, fourteen: 14, fifteen: 15, sixteen: 16, seventeen: 17, eighteen: 18,
  nineteen: 19, twenty: 20, thirty: 30, forty: 40, fifty: 50, sixty: 60, seventy: 70, eighty: 80, ninety: 90,
  hundred: 100, thousand: 1000, million: 1_000_000, dozen: 12, couple: 2, pair: 2, twin: 2, twins: 2,
  once: 1, twice: 2, double: 2, doubled: 2, doubles: 2, thrice: 3, triple: 3, tripled: 3, triples: 3,
  half: [1, 2], halved: [1, 2], third: [1, 3], thirds: [1, 3], quarter: [1, 4], quarters: [1, 4], fourth: [1, 4],
  fourths: [1, 4], fifth: [1, 5], fifths: [1, 5],
};

const NUMBERS = /(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*\/\s*\d+)?%?|\.\d+%?/g;

/** Find the numbers that a text gives, in digits or in single words; a percentage counts as both 30 and 0.3. */
export function givenNumbers(text: string): Rational[] {
  const given: Rational[] = [];
  for (const [number] of text.matchAll(NUMBERS)) {
    const value = parseNumber(number);
    if (!value.ok) continue;
    given.push(value.value);
    if (number.endsWith("%")) given.push(value.value.mul(100));
  }
  for (const [word] of text.toLowerCase().matchAll(/[a-z]+/g)) {
    const value = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (typeof value === "number") given.push(new Fraction(value));
    else if (value) given.push(new Fraction(value[0], value[1]));
  }
  return given;
}

export const includesNumber = (numbers: readonly Rational[], value: Rational): boolean =>
  numbers.some((number) => number.equals(value));
