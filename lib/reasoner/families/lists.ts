import { type Family, family, from, numbers, words } from "./family.js";

const total = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0);

/** The sum of a list, plus a number. */
export const arraySum = (k: number) => ({
  entry: "array sum",
  parameters: ["numbers"],
  does: `returns the sum of the list of numbers${k === 0 ? "" : `, plus ${k}`}; ${k} for an empty list`,
  run: (list: readonly number[]) => total(list) + k,
  input: (random: Parameters<Family["draw"]>[0]) => [numbers(random)],
  edges: [[[]], [[-3]]],
  javascript: `function {0}(numbers) {\n  return numbers.reduce((sum, each) => sum + each, ${k});\n}`,
  python: `def {0}(numbers):\n    return sum(numbers) + ${k}`,
});

/** Families on lists. */
export const LIST_FAMILIES: readonly Family[] = [
  family("array-sum", (random) => arraySum(from(random, 0, 9))),
  family("count-above", (random) => {
    const k = from(random, 0, 12);
    return {
      entry: "count above",
      parameters: ["numbers"],
      does: `returns how many numbers of the list are greater than ${k}`,
      run: (list: readonly number[]) => list.filter((each) => each > k).length,
      input: (r) => [numbers(r)],
      edges: [[[]], [[k, k + 1]]],
      javascript: `function {0}(numbers) {\n  return numbers.filter((each) => each > ${k}).length;\n}`,
      python: `def {0}(numbers):\n    return sum(1 for each in numbers if each > ${k})`,
    };
  }),
  family("every-nth", (random) => {
    const k = from(random, 2, 4);
    return {
      entry: "every nth",
      parameters: ["items"],
      does: `returns a list of the first item and then every item ${k} places later`,
      run: (list: readonly number[]) => list.filter((_, at) => at % k === 0),
      input: (r) => [numbers(r, { most: 12 })],
      edges: [[[]], [[5]]],
      javascript: `function {0}(items) {\n  return items.filter((_, at) => at % ${k} === 0);\n}`,
      python: `def {0}(items):\n    return items[::${k}]`,
    };
  }),
  family("rotate", (random) => {
    const k = from(random, 1, 3);
    return {
      entry: "rotate left",
      parameters: ["items"],
      does: `returns the list turned ${k} ${k === 1 ? "place" : "places"} to the left: items that fall out on the left come back on the right; an empty list stays empty`,
      run: (list: readonly number[]) => list.map((_, at) => list[(at + k) % list.length]),
      input: (r) => [numbers(r, { most: 7 })],
      edges: [[[]], [[1, 2]]],
      javascript: `function {0}(items) {\n  return items.map((_, at) => items[(at + ${k}) % items.length]);\n}`,
      python: `def {0}(items):\n    return [items[(at + ${k}) % len(items)] for at in range(len(items))]`,
    };
  }),
  family("running-sum", (random) => {
    const k = from(random, 0, 10);
    return {
      entry: "running totals",
      parameters: ["numbers"],
      does: `returns the list of running totals, which start from ${k}: each is the one before plus the number in its place`,
      run(list: readonly number[]) {
        let sum = k;
        return list.map((each) => {
          sum += each;
          return sum;
        });
      },
      input: (r) => [numbers(r, { most: 6 })],
      edges: [[[]], [[0]]],
      javascript: `function {0}(numbers) {\n  let sum = ${k};\n  return numbers.map((each) => (sum += each));\n}`,
      python: `def {0}(numbers):\n    totals = []\n    total = ${k}\n    for each in numbers:\n        total += each\n        totals.append(total)\n    return totals`,
    };
  }),
  family("differences", (random) => {
    const k = from(random, 1, 3);
    return {
      entry: "differences",
      parameters: ["numbers"],
      does: `returns the list of each number minus the one before it, times ${k}; lists with fewer than two numbers give an empty list`,
      run: (list: readonly number[]) => list.slice(1).map((each, at) => (each - list[at]!) * k),
      input: (r) => [numbers(r, { most: 7 })],
      edges: [[[]], [[4]]],
      javascript: `function {0}(numbers) {\n  return numbers.slice(1).map((each, at) => (each - numbers[at]) * ${k});\n}`,
      python: `def {0}(numbers):\n    return [(b - a) * ${k} for a, b in zip(numbers, numbers[1:])]`,
    };
  }),
  family("sort-by-distance", (random) => {
    const k = from(random, 0, 15);
    return {
      entry: "sort by distance",
      parameters: ["numbers"],
      does: `returns the numbers sorted by their distance from ${k}, nearest first; of two at the same distance the smaller one first`,
      run: (list: readonly number[]) => list.toSorted((a, b) => Math.abs(a - k) - Math.abs(b - k) || a - b),
      input: (r) => [numbers(r, { most: 7 })],
      edges: [[[]], [[k + 2, k - 2]]],
      javascript: `function {0}(numbers) {\n  return [...numbers].sort((a, b) => Math.abs(a - ${k}) - Math.abs(b - ${k}) || a - b);\n}`,
      python: `def {0}(numbers):\n    return sorted(numbers, key=lambda each: (abs(each - ${k}), each))`,
    };
  }),
  family("unique-sorted", (random) => {
    const isDown = random.integer(2) === 1;
    return {
      entry: "unique sorted",
      parameters: ["numbers"],
      does: `returns the different numbers of the list, each once, ${isDown ? "largest" : "smallest"} first`,
      run: (list: readonly number[]) => [...new Set(list)].sort((a, b) => (isDown ? b - a : a - b)),
      input: (r) => [numbers(r, { low: 0, high: 6 })],
      edges: [[[]], [[2, 2]]],
      javascript: `function {0}(numbers) {\n  return [...new Set(numbers)].sort((a, b) => ${isDown ? "b - a" : "a - b"});\n}`,
      python: `def {0}(numbers):\n    return sorted(set(numbers)${isDown ? ", reverse=True" : ""})`,
    };
  }),
  family("chunks", (random) => {
    const k = from(random, 2, 4);
    return {
      entry: "chunks",
      parameters: ["items"],
      does: `returns the list cut into lists of ${k} items; the last one has what is left`,
      run: (list: readonly number[]) =>
        Array.from({ length: Math.ceil(list.length / k) }, (_, at) => list.slice(at * k, (at + 1) * k)),
      input: (r) => [numbers(r, { most: 9 })],
      edges: [[[]], [[1]]],
      javascript: `function {0}(items) {\n  const parts = [];\n  for (let at = 0; at < items.length; at += ${k}) parts.push(items.slice(at, at + ${k}));\n  return parts;\n}`,
      python: `def {0}(items):\n    return [items[at:at + ${k}] for at in range(0, len(items), ${k})]`,
    };
  }),
  family("second-largest", (random) => {
    const k = from(random, -5, -1);
    return {
      entry: "second largest",
      parameters: ["numbers"],
      does: `returns the second largest of the different numbers of the list, or ${k} if there are fewer than two`,
      run: (list: readonly number[]) => [...new Set(list)].sort((a, b) => b - a)[1] ?? k,
      input: (r) => [numbers(r, { low: 0, high: 12 })],
      edges: [[[]], [[7, 7]]],
      javascript: `function {0}(numbers) {\n  const sorted = [...new Set(numbers)].sort((a, b) => b - a);\n  return sorted.length < 2 ? ${k} : sorted[1];\n}`,
      python: `def {0}(numbers):\n    found = sorted(set(numbers), reverse=True)\n    return found[1] if len(found) > 1 else ${k}`,
    };
  }),
  family("pair-sum", (random) => {
    const k = from(random, 4, 16);
    return {
      entry: "has pair",
      parameters: ["numbers"],
      does: `returns true if two numbers in different places of the list add up to ${k}, else false`,
      run: (list: readonly number[]) => list.some((a, at) => list.slice(at + 1).includes(k - a)),
      input: (r) => [numbers(r, { low: 0, high: 12, least: 2, most: 6 })],
      edges: [[[]], [[k]], [[1, k - 1]]],
      javascript: `function {0}(numbers) {\n  return numbers.some((a, at) => numbers.slice(at + 1).includes(${k} - a));\n}`,
      python: `def {0}(numbers):\n    return any(${k} - a in numbers[at + 1:] for at, a in enumerate(numbers))`,
    };
  }),
  family("longest-run", () => ({
    entry: "longest run",
    parameters: ["items"],
    does: "returns the length of the longest run of equal items that stand side by side; 0 for an empty list",
    run(list: readonly number[]) {
      let [best, now] = [0, 0];
      for (const [at, each] of list.entries()) {
        now = at > 0 && each === list[at - 1] ? now + 1 : 1;
        best = Math.max(best, now);
      }
      return best;
    },
    input: (r) => [numbers(r, { low: 1, high: 3, most: 10 })],
    edges: [[[]], [[2, 2, 2]]],
    javascript: `function {0}(items) {\n  let best = 0;\n  let now = 0;\n  items.forEach((each, at) => {\n    now = at > 0 && each === items[at - 1] ? now + 1 : 1;\n    best = Math.max(best, now);\n  });\n  return best;\n}`,
    python: `def {0}(items):\n    best = now = 0\n    for at, each in enumerate(items):\n        now = now + 1 if at > 0 and each == items[at - 1] else 1\n        best = max(best, now)\n    return best`,
  })),
  family("dot-product", (random) => {
    const k = from(random, 0, 9);
    return {
      entry: "weighted total",
      parameters: ["a", "b"],
      does: `returns ${k} plus the sum of the products of the numbers in the same places of the lists a and b, which are equally long`,
      run: (a: readonly number[], b: readonly number[]) => k + total(a.map((each, at) => each * b[at]!)),
      input(r) {
        const a = numbers(r, { most: 5 });
        return [a, a.map(() => from(r, -5, 9))];
      },
      edges: [[[], []]],
      javascript: `function {0}(a, b) {\n  return a.reduce((sum, each, at) => sum + each * b[at], ${k});\n}`,
      python: `def {0}(a, b):\n    return ${k} + sum(x * y for x, y in zip(a, b))`,
    };
  }),
  family("merge-sorted", (random) => {
    const k = from(random, 0, 5);
    return {
      entry: "merge lists",
      parameters: ["a", "b"],
      does: `returns all numbers of the lists a and b that are at least ${k}, in ascending order`,
      run: (a: readonly number[], b: readonly number[]) =>
        [...a, ...b].filter((each) => each >= k).sort((x, y) => x - y),
      input: (r) => [numbers(r, { most: 4 }), numbers(r, { most: 4 })],
      edges: [
        [[], []],
        [[k], [k - 1]],
      ],
      javascript: `function {0}(a, b) {\n  return [...a, ...b].filter((each) => each >= ${k}).sort((x, y) => x - y);\n}`,
      python: `def {0}(a, b):\n    return sorted(each for each in a + b if each >= ${k})`,
    };
  }),
  family("lengths", (random) => {
    const k = from(random, 0, 3);
    return {
      entry: "word lengths",
      parameters: ["words"],
      does: `returns the list of the lengths of the words${k === 0 ? "" : `, each plus ${k}`}`,
      run: (list: readonly string[]) => list.map((each) => each.length + k),
      input: (r) => [words(r)],
      edges: [[[]], [[""]]],
      javascript: `function {0}(words) {\n  return words.map((each) => each.length + ${k});\n}`,
      python: `def {0}(words):\n    return [len(each) + ${k} for each in words]`,
    };
  }),
];
