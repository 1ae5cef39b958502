import { type Family, family, from } from "./family.js";

const range = (n: number): number[] => Array.from({ length: Math.max(0, n) }, (_, at) => at + 1);
const digits = (n: number): number[] => [...String(n)].map(Number);

/** FizzBuzz with any two numbers and words. */
export const fizzBuzz = (a: number, b: number, fizz: string, buzz: string) => ({
  entry: "fizz buzz",
  parameters: ["n"],
  does: `returns "${fizz}" if n is a multiple of ${a}, "${buzz}" if it is a multiple of ${b}, "${fizz}${buzz}" if it is a multiple of both, else n as a string`,
  run: (n: number) => `${n % a === 0 ? fizz : ""}${n % b === 0 ? buzz : ""}` || String(n),
  input: (random: Parameters<Family["draw"]>[0]) => [from(random, 1, 90)],
  edges: [[a * b], [a], [b], [1]],
  javascript: `function {0}(n) {\n  const text = (n % ${a} === 0 ? "${fizz}" : "") + (n % ${b} === 0 ? "${buzz}" : "");\n  return text === "" ? String(n) : text;\n}`,
  python: `def {0}(n):\n    text = ("${fizz}" if n % ${a} == 0 else "") + ("${buzz}" if n % ${b} == 0 else "")\n    return text or str(n)`,
});

/** Families on whole numbers. */
export const NUMBER_FAMILIES: readonly Family[] = [
  family("fizz-buzz", (random) => {
    const a = from(random, 2, 5);
    return fizzBuzz(
      a,
      a + from(random, 1, 4),
      random.choice(["Fizz", "Ping", "Tick"]),
      random.choice(["Buzz", "Pong"]),
    );
  }),
  family("sum-multiples", (random) => {
    const k = from(random, 2, 9);
    return {
      entry: "sum multiples",
      parameters: ["n"],
      does: `returns the sum of the whole numbers from 1 to n, both included, that are multiples of ${k}`,
      run: (n: number) => range(n).reduce((sum, i) => sum + (i % k === 0 ? i : 0), 0),
      input: (r) => [from(r, 1, 60)],
      edges: [[0], [k]],
      javascript: `function {0}(n) {\n  let sum = 0;\n  for (let i = ${k}; i <= n; i += ${k}) sum += i;\n  return sum;\n}`,
      python: `def {0}(n):\n    return sum(range(${k}, n + 1, ${k}))`,
    };
  }),
  family("linear", (random) => {
    const [a, b] = [from(random, 2, 12), from(random, 1, 20)];
    return {
      entry: "scale and shift",
      parameters: ["x"],
      does: `returns x times ${a}, plus ${b}`,
      run: (x: number) => x * a + b,
      input: (r) => [from(r, -20, 60)],
      edges: [[0]],
      javascript: `function {0}(x) {\n  return x * ${a} + ${b};\n}`,
      python: `def {0}(x):\n    return x * ${a} + ${b}`,
    };
  }),
  family("clamp", (random) => {
    const low = from(random, -5, 5);
    const high = low + from(random, 4, 20);
    return {
      entry: "limit to range",
      parameters: ["x"],
      does: `returns x, but ${low} if it is below ${low} and ${high} if it is above ${high}`,
      run: (x: number) => Math.min(Math.max(x, low), high),
      input: (r) => [from(r, low - 12, high + 12)],
      edges: [[low], [high]],
      javascript: `function {0}(x) {\n  return Math.min(Math.max(x, ${low}), ${high});\n}`,
      python: `def {0}(x):\n    return min(max(x, ${low}), ${high})`,
    };
  }),
  family("digit-sum", (random) => {
    const k = from(random, 1, 9);
    return {
      entry: "digit score",
      parameters: ["n"],
      does: `returns the sum of the decimal digits of the whole number n (0 or more), times ${k}`,
      run: (n: number) => k * digits(n).reduce((sum, digit) => sum + digit, 0),
      input: (r) => [from(r, 0, 99999)],
      edges: [[0], [9]],
      javascript: `function {0}(n) {\n  return ${k} * [...String(n)].reduce((sum, digit) => sum + Number(digit), 0);\n}`,
      python: `def {0}(n):\n    return ${k} * sum(int(digit) for digit in str(n))`,
    };
  }),
  family("count-digit", (random) => {
    const d = from(random, 0, 9);
    return {
      entry: "count digit",
      parameters: ["n"],
      does: `returns how often the digit ${d} occurs in the whole number n (0 or more)`,
      run: (n: number) => digits(n).filter((digit) => digit === d).length,
      input: (r) => [Number(`${from(r, 1, 999)}${r.integer(2) ? d : ""}${from(r, 0, 99)}${r.integer(2) ? d : ""}`)],
      edges: [[0], [d]],
      javascript: `function {0}(n) {\n  return [...String(n)].filter((digit) => digit === "${d}").length;\n}`,
      python: `def {0}(n):\n    return str(n).count("${d}")`,
    };
  }),
  family("reverse-digits", (random) => {
    const k = from(random, 0, 50);
    return {
      entry: "reverse digits",
      parameters: ["n"],
      does: `returns the whole number n (0 or more) with its decimal digits in reverse order, plus ${k}`,
      run: (n: number) => Number([...String(n)].reverse().join("")) + k,
      input: (r) => [from(r, 0, 9999)],
      edges: [[0], [10]],
      javascript: `function {0}(n) {\n  return Number([...String(n)].reverse().join("")) + ${k};\n}`,
      python: `def {0}(n):\n    return int(str(n)[::-1]) + ${k}`,
    };
  }),
  family("power-sum", (random) => {
    const p = from(random, 2, 3);
    return {
      entry: "power sum",
      parameters: ["n"],
      does: `returns the sum of the ${p === 2 ? "squares" : "cubes"} of the whole numbers from 1 to n; 0 for n below 1`,
      run: (n: number) => range(n).reduce((sum, i) => sum + i ** p, 0),
      input: (r) => [from(r, 1, 25)],
      edges: [[0], [1]],
      javascript: `function {0}(n) {\n  let sum = 0;\n  for (let i = 1; i <= n; i++) sum += i ** ${p};\n  return sum;\n}`,
      python: `def {0}(n):\n    return sum(i ** ${p} for i in range(1, n + 1))`,
    };
  }),
  family("collatz", (random) => {
    const k = from(random, 1, 3);
    return {
      entry: "collatz steps",
      parameters: ["n"],
      does: `returns how many steps lead from the whole number n (1 or more) to 1, times ${k}: a step halves an even number, and makes 3 times it plus 1 of an odd one`,
      run(n: number) {
        let [at, steps] = [n, 0];
        while (at !== 1) {
          at = at % 2 === 0 ? at / 2 : 3 * at + 1;
          steps++;
        }
        return k * steps;
      },
      input: (r) => [from(r, 2, 60)],
      edges: [[1]],
      javascript: `function {0}(n) {\n  let steps = 0;\n  while (n !== 1) {\n    n = n % 2 === 0 ? n / 2 : 3 * n + 1;\n    steps++;\n  }\n  return ${k} * steps;\n}`,
      python: `def {0}(n):\n    steps = 0\n    while n != 1:\n        n = n // 2 if n % 2 == 0 else 3 * n + 1\n        steps += 1\n    return ${k} * steps`,
    };
  }),
  family("count-divisors", (random) => {
    const k = from(random, 1, 4);
    return {
      entry: "count divisors",
      parameters: ["n"],
      does: `returns how many whole numbers of at least ${k} divide the whole number n (1 or more) without a remainder`,
      run: (n: number) => range(n).filter((i) => i >= k && n % i === 0).length,
      input: (r) => [from(r, 1, 100)],
      edges: [[1], [60]],
      javascript: `function {0}(n) {\n  let count = 0;\n  for (let i = ${k}; i <= n; i++) if (n % i === 0) count++;\n  return count;\n}`,
      python: `def {0}(n):\n    return sum(1 for i in range(${k}, n + 1) if n % i == 0)`,
    };
  }),
  family("to-base", (random) => {
    const base = from(random, 2, 8);
    return {
      entry: "to base",
      parameters: ["n"],
      does: `returns the whole number n (0 or more) written in base ${base}, as a string`,
      run: (n: number) => n.toString(base),
      input: (r) => [from(r, 0, 500)],
      edges: [[0], [base]],
      javascript: `function {0}(n) {\n  return n.toString(${base});\n}`,
      python: `def {0}(n):\n    text = ""\n    while n > 0:\n        text = str(n % ${base}) + text\n        n //= ${base}\n    return text or "0"`,
    };
  }),
  family("fibonacci-like", (random) => {
    const [a, b] = [from(random, 0, 4), from(random, 1, 5)];
    return {
      entry: "sequence value",
      parameters: ["n"],
      does: `returns number n (counted from 0) of the sequence that begins with ${a}, ${b} and goes on with the sum of the last two numbers`,
      run(n: number) {
        let [one, next] = [a, b];
        for (let i = 0; i < n; i++) [one, next] = [next, one + next];
        return one;
      },
      input: (r) => [from(r, 2, 20)],
      edges: [[0], [1]],
      javascript: `function {0}(n) {\n  let [a, b] = [${a}, ${b}];\n  for (let i = 0; i < n; i++) [a, b] = [b, a + b];\n  return a;\n}`,
      python: `def {0}(n):\n    a, b = ${a}, ${b}\n    for _ in range(n):\n        a, b = b, a + b\n    return a`,
    };
  }),
  family("leap-like", (random) => {
    const [a, b] = [from(random, 3, 6), from(random, 7, 12)];
    return {
      entry: "is special",
      parameters: ["n"],
      does: `returns true if n is a multiple of ${a} but not of ${b}, else false`,
      run: (n: number) => n % a === 0 && n % b !== 0,
      input: (r) => [r.integer(2) ? a * from(r, 1, 30) : from(r, 1, 200)],
      edges: [[a], [a * b], [1]],
      javascript: `function {0}(n) {\n  return n % ${a} === 0 && n % ${b} !== 0;\n}`,
      python: `def {0}(n):\n    return n % ${a} == 0 and n % ${b} != 0`,
    };
  }),
  family("ticket-price", (random) => {
    const [child, adult, age] = [from(random, 2, 6), from(random, 8, 15), from(random, 12, 18)];
    return {
      entry: "ticket price",
      parameters: ["ages"],
      does: `returns what tickets for people of these ages (a list) cost together: ${child} for each below ${age}, ${adult} for each of the others`,
      run: (ages: readonly number[]) => ages.reduce((sum, each) => sum + (each < age ? child : adult), 0),
      input: (r) => [Array.from({ length: from(r, 1, 6) }, () => from(r, 3, 70))],
      edges: [[[]], [[age]]],
      javascript: `function {0}(ages) {\n  return ages.reduce((sum, age) => sum + (age < ${age} ? ${child} : ${adult}), 0);\n}`,
      python: `def {0}(ages):\n    return sum(${child} if age < ${age} else ${adult} for age in ages)`,
    };
  }),
  family("minutes", (random) => {
    const per = random.choice([20, 24, 30, 60]);
    return {
      entry: "split units",
      parameters: ["n"],
      does: `returns the list of how many whole groups of ${per} are in the whole number n (0 or more) and how many are left over`,
      run: (n: number) => [Math.floor(n / per), n % per],
      input: (r) => [from(r, 0, 400)],
      edges: [[0], [per]],
      javascript: `function {0}(n) {\n  return [Math.floor(n / ${per}), n % ${per}];\n}`,
      python: `def {0}(n):\n    return [n // ${per}, n % ${per}]`,
    };
  }),
];
