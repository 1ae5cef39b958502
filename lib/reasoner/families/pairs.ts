import { type Family, from, gcd, numbers, phrase, word } from "./family.js";

const isPrime = (n: number): boolean =>
  n > 1 && !Array.from({ length: n }, (_, i) => i).some((i) => i > 1 && n % i === 0);
const digitSum = (n: number): number => [...String(n)].reduce((sum, digit) => sum + Number(digit), 0);
const hofstadter = (n: number, isFemale: boolean): number =>
  n === 0 ? (isFemale ? 1 : 0) : n - hofstadter(hofstadter(n - 1, isFemale), !isFemale);

/** Families of two functions that use each other, or of which one uses the other. */
export const PAIR_FAMILIES: readonly Family[] = [
  {
    name: "even-odd",
    draw(random) {
      const k = from(random, 2, 4);
      return {
        functions: [
          {
            entry: "is even",
            parameters: ["n"],
            does: `returns true if the whole number n (0 or more) can be taken down to 0 by subtracting ${k} again and again an even number of times, else false; n is always a multiple of ${k}`,
            run: (n: number) => (n / k) % 2 === 0,
            input: (r) => [k * from(r, 0, 30)],
            edges: [[0], [k]],
          },
          {
            entry: "is odd",
            parameters: ["n"],
            does: "returns true exactly where the first function returns false; each calls the other with a smaller number",
            run: (n: number) => (n / k) % 2 === 1,
            input: (r) => [k * from(r, 0, 30)],
            edges: [[0], [k]],
          },
        ],
        javascript: `function {0}(n) {\n  return n === 0 ? true : {1}(n - ${k});\n}\nfunction {1}(n) {\n  return n === 0 ? false : {0}(n - ${k});\n}`,
        python: `def {0}(n):\n    return True if n == 0 else {1}(n - ${k})\n\ndef {1}(n):\n    return False if n == 0 else {0}(n - ${k})`,
      };
    },
  },
  {
    name: "ping-pong",
    draw(random) {
      const [ping, pong] = random.choice([
        ["ping", "pong"],
        ["tick", "tock"],
        ["left", "right"],
      ] as const);
      const from0 = (n: number, first: string, second: string) =>
        Array.from({ length: n }, (_, at) => (at % 2 === 0 ? first : second));
      return {
        functions: [
          {
            entry: "begin first",
            parameters: ["n"],
            does: `returns a list of n words that begins with "${ping}" and goes on with what the second function returns for n - 1; an empty list for 0`,
            run: (n: number) => from0(n, ping, pong),
            input: (r) => [from(r, 1, 9)],
            edges: [[0]],
          },
          {
            entry: "begin second",
            parameters: ["n"],
            does: `returns a list of n words that begins with "${pong}" and goes on with what the first function returns for n - 1; an empty list for 0`,
            run: (n: number) => from0(n, pong, ping),
            input: (r) => [from(r, 1, 9)],
            edges: [[0]],
          },
        ],
        javascript: `function {0}(n) {\n  return n === 0 ? [] : ["${ping}", ...{1}(n - 1)];\n}\nfunction {1}(n) {\n  return n === 0 ? [] : ["${pong}", ...{0}(n - 1)];\n}`,
        python: `def {0}(n):\n    return [] if n == 0 else ["${ping}"] + {1}(n - 1)\n\ndef {1}(n):\n    return [] if n == 0 else ["${pong}"] + {0}(n - 1)`,
      };
    },
  },
  {
    name: "hofstadter",
    draw(random) {
      const k = from(random, 0, 5);
      return {
        functions: [
          {
            entry: "female",
            parameters: ["n"],
            does: `returns 1 + ${k} for 0, else n - M(F(n - 1)) + ${k}, where F is this function without the ${k} and M the second function (Hofstadter's sequences, for whole numbers n from 0)`,
            run: (n: number) => hofstadter(n, true) + k,
            input: (r) => [from(r, 1, 14)],
            edges: [[0], [1]],
          },
          {
            entry: "male",
            parameters: ["n"],
            does: "returns 0 for 0, else n - F(M(n - 1))",
            run: (n: number) => hofstadter(n, false),
            input: (r) => [from(r, 1, 14)],
            edges: [[0], [1]],
          },
        ],
        javascript: `function {0}(n) {\n  return n === 0 ? 1 + ${k} : n - {1}({0}(n - 1) - ${k}) + ${k};\n}\nfunction {1}(n) {\n  return n === 0 ? 0 : n - ({0}({1}(n - 1)) - ${k});\n}`,
        python: `def {0}(n):\n    return 1 + ${k} if n == 0 else n - {1}({0}(n - 1) - ${k}) + ${k}\n\ndef {1}(n):\n    return 0 if n == 0 else n - ({0}({1}(n - 1)) - ${k})`,
      };
    },
  },
  {
    name: "add-subtract",
    draw(random) {
      const k = from(random, 1, 5);
      const alternate = (list: readonly number[], sign: number): number =>
        list.length === 0 ? k : sign * list[0]! + alternate(list.slice(1), -sign);
      return {
        functions: [
          {
            entry: "add first",
            parameters: ["numbers"],
            does: `returns the first number of the list plus what the second function returns for the others; ${k} for an empty list`,
            run: (list: readonly number[]) => alternate(list, 1),
            input: (r) => [numbers(r, { most: 6 })],
            edges: [[[]], [[3]]],
          },
          {
            entry: "subtract first",
            parameters: ["numbers"],
            does: `returns what the first function returns for all but the first number of the list, minus that number; ${k} for an empty list`,
            run: (list: readonly number[]) => alternate(list, -1),
            input: (r) => [numbers(r, { most: 6 })],
            edges: [[[]], [[3]]],
          },
        ],
        javascript: `function {0}(numbers) {\n  return numbers.length === 0 ? ${k} : numbers[0] + {1}(numbers.slice(1));\n}\nfunction {1}(numbers) {\n  return numbers.length === 0 ? ${k} : {0}(numbers.slice(1)) - numbers[0];\n}`,
        python: `def {0}(numbers):\n    return ${k} if not numbers else numbers[0] + {1}(numbers[1:])\n\ndef {1}(numbers):\n    return ${k} if not numbers else {0}(numbers[1:]) - numbers[0]`,
      };
    },
  },
  {
    name: "gcd-lcm",
    draw(random) {
      const k = from(random, 1, 3);
      const input = (r: typeof random) => {
        const common = from(r, 1, 6);
        return [common * from(r, 1, 12), common * from(r, 1, 12)];
      };
      return {
        functions: [
          {
            entry: "common multiple",
            parameters: ["a", "b"],
            does: `returns the least common multiple of the whole numbers a and b (1 or more), times ${k}, with the help of the second function`,
            run: (a: number, b: number) => (k * a * b) / gcd(a, b),
            input,
            edges: [[1, 1]],
          },
          {
            entry: "common divisor",
            parameters: ["a", "b"],
            does: "returns the greatest common divisor of the whole numbers a and b (1 or more)",
            run: gcd,
            input,
            edges: [[7, 7]],
          },
        ],
        javascript: `function {0}(a, b) {\n  return (${k} * a * b) / {1}(a, b);\n}\nfunction {1}(a, b) {\n  return b === 0 ? a : {1}(b, a % b);\n}`,
        python: `def {0}(a, b):\n    return ${k} * a * b // {1}(a, b)\n\ndef {1}(a, b):\n    return a if b == 0 else {1}(b, a % b)`,
      };
    },
  },
  {
    name: "count-primes",
    draw(random) {
      const k = from(random, 0, 4);
      return {
        functions: [
          {
            entry: "count primes",
            parameters: ["numbers"],
            does: `returns ${k} plus how many numbers of the list are prime, with the help of the second function`,
            run: (list: readonly number[]) => k + list.filter(isPrime).length,
            input: (r) => [numbers(r, { low: 0, high: 40 })],
            edges: [[[]], [[1, 2]]],
          },
          {
            entry: "is prime",
            parameters: ["n"],
            does: "returns true if the whole number n (0 or more) is prime, else false",
            run: isPrime,
            input: (r) => [from(r, 0, 60)],
            edges: [[0], [1], [2]],
          },
        ],
        javascript: `function {0}(numbers) {\n  return ${k} + numbers.filter(n => {1}(n)).length;\n}\nfunction {1}(n) {\n  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;\n  return n > 1;\n}`,
        python: `def {0}(numbers):\n    return ${k} + sum(1 for n in numbers if {1}(n))\n\ndef {1}(n):\n    return n > 1 and all(n % i for i in range(2, n))`,
      };
    },
  },
  {
    name: "digital-root",
    draw(random) {
      const k = from(random, 0, 9);
      const root = (n: number): number => (n < 10 ? n : root(digitSum(n)));
      return {
        functions: [
          {
            entry: "digital root",
            parameters: ["n"],
            does: `returns ${k} plus the digital root of the whole number n (0 or more): the second function is applied again and again until one digit is left`,
            run: (n: number) => k + root(n),
            input: (r) => [from(r, 0, 99999)],
            edges: [[0], [10]],
          },
          {
            entry: "sum of digits",
            parameters: ["n"],
            does: "returns the sum of the decimal digits of the whole number n (0 or more)",
            run: digitSum,
            input: (r) => [from(r, 0, 9999)],
            edges: [[0]],
          },
        ],
        javascript: `function {0}(n) {\n  while (n >= 10) n = {1}(n);\n  return ${k} + n;\n}\nfunction {1}(n) {\n  return [...String(n)].reduce((sum, digit) => sum + Number(digit), 0);\n}`,
        python: `def {0}(n):\n    while n >= 10:\n        n = {1}(n)\n    return ${k} + n\n\ndef {1}(n):\n    return sum(int(digit) for digit in str(n))`,
      };
    },
  },
  {
    name: "vowel-words",
    draw(random) {
      const k = from(random, 1, 3);
      const vowels = (text: string) => [...text].filter((each) => "aeiou".includes(each)).length;
      return {
        functions: [
          {
            entry: "words with vowels",
            parameters: ["text"],
            does: `returns how many words of the string have at least ${k} ${k === 1 ? "vowel" : "vowels"}, with the help of the second function; words are separated by single spaces`,
            run: (text: string) => text.split(" ").filter((each) => vowels(each) >= k).length,
            input: (r) => [phrase(r)],
            edges: [["xyz"]],
          },
          {
            entry: "count vowels",
            parameters: ["word"],
            does: "returns how many of its letters are a, e, i, o or u",
            run: vowels,
            input: (r) => [word(r)],
            edges: [[""]],
          },
        ],
        javascript: `function {0}(text) {\n  return text.split(" ").filter((each) => {1}(each) >= ${k}).length;\n}\nfunction {1}(word) {\n  return [...word].filter((each) => "aeiou".includes(each)).length;\n}`,
        python: `def {0}(text):\n    return sum(1 for each in text.split(" ") if {1}(each) >= ${k})\n\ndef {1}(word):\n    return sum(1 for each in word if each in "aeiou")`,
      };
    },
  },
];
