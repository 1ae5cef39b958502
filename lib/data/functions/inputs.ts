import type { Random } from "../../core/index.js";
import type { Value, ValueKind } from "./primitive.js";

// biome-ignore format: a table
const WORDS = [
  "red", "sun", "tree", "river", "stone", "apple", "bird", "moon", "green", "star", "noon", "level", "cat", "rain",
  "note", "sea", "train", "lion", "paper", "table", "ant", "rose", "tent", "ear", "radar", "iron", "onion", "sister",
];

/** Where the numbers of a list are drawn from: often small and whole lists without a sign, at times with. */
const RANGES = [
  [0, 9],
  [1, 20],
  [-9, 9],
  [-5, 30],
] as const;

const several = <T>(random: Random, [low, high]: readonly [number, number], draw: () => T): T[] =>
  Array.from({ length: low + random.integer(high - low + 1) }, draw);

/** An input for a function, of the kind that it takes. */
export function drawInput(random: Random, kind: ValueKind): Value {
  switch (kind) {
    case "number":
      return random.uniform() < 0.5 ? random.integer(20) : random.integer(1000);
    case "numbers": {
      const [low, high] = random.choice(RANGES);
      return several(random, [3, 7], () => low + random.integer(high - low + 1));
    }
    case "text":
      return several(random, [1, 3], () => random.choice(WORDS)).join(" ");
    case "words":
      return several(random, [3, 5], () => random.choice(WORDS));
    case "boolean":
      return random.uniform() < 0.5;
  }
}

/** The input with nothing in it, where there is one. */
export function emptyInput(kind: ValueKind): Value | undefined {
  return kind === "text" ? "" : kind === "numbers" || kind === "words" ? [] : undefined;
}
