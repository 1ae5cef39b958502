import { createHash } from "node:crypto";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { badInput, ThoughtbookError } from "./errors.js";

/** A seeded sequence of random numbers; the same seed and stream names give the same sequence on every machine. */
export interface Random {
  /**
   * A new sequence that depends on the seed and the path of names only: not on what was drawn here, nor on the order in
   * which streams were created. The same name twice gives the same sequence from its start.
   */
  stream(name: string): Random;
  /** Uniform on [0, 1), in steps of 2^-53. */
  uniform(): number;
  /** Uniform on the integers 0 to `bound` - 1, without bias. Throws bad-input unless `bound` is an integer above 0. */
  integer(bound: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
  /** One item, all equally likely. Throws bad-input if there are none. */
  choice<T>(items: readonly T[]): T;
  /** The items in random order, as a new array. */
  shuffle<T>(items: readonly T[]): T[];
  /** `count` different items in random order. Throws bad-input if there are fewer. */
  sample<T>(items: readonly T[], count: number): T[];
  /**
   * An index, drawn with probability proportional to its weight. Throws bad-input unless all weights are finite and
   * not negative and one is above 0.
   */
  weighted(weights: ArrayLike<number>): number;
}

/**
 * Create a random number generator from a seed. The seeds 1 and "1" differ.
 *
 * @throws bad-input if the seed is NaN or infinite
 *
 * @example
 * ```ts
 * import { createRandom } from "thoughtbook/core";
 *
 * const random = createRandom(7);
 * const again = createRandom(7);
 * console.log(random.shuffle([1, 2, 3]).join() === again.shuffle([1, 2, 3]).join()); // true
 * ```
 */
export function createRandom(seed: number | string): Random {
  if (typeof seed === "number" && !Number.isFinite(seed)) {
    throw new ThoughtbookError("bad-input", `the seed is ${seed}, expected a finite number or a string`, {
      hint: "Choose a seed such as 1.",
    });
  }
  return randomAt([seed]);
}

function randomAt(path: readonly (number | string)[]): Random {
  const digest = createHash("sha256").update(JSON.stringify(path)).digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
  const uniform = () => uniformFloat64(generator);

  const integer = (bound: number): number => {
    if (!Number.isSafeInteger(bound) || bound < 1) throw badDraw(`the bound is ${bound}, expected an integer above 0`);
    return uniformInt(generator, 0, bound - 1);
  };

  const sample = <T>(items: readonly T[], count: number): T[] => {
    if (!Number.isInteger(count) || count < 0 || count > items.length) {
      throw badDraw(`cannot sample ${count} of ${items.length} items, expected an integer from 0 to ${items.length}`);
    }
    // Fisher-Yates, stopped after `count` places.
    const pool = [...items];
    for (let place = 0; place < count; place++) {
      const other = place + integer(pool.length - place);
      [pool[place], pool[other]] = [pool[other]!, pool[place]!];
    }
    return pool.slice(0, count);
  };

  return {
    stream: (name) => randomAt([...path, name]),
    uniform,
    integer,
    normal() {
      // Marsaglia's polar method: it needs no sine or cosine, whose last digits differ between versions of V8.
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const square = x * x + y * y;
        if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
      }
    },
    choice(items) {
      if (items.length === 0) throw badDraw("cannot choose from an empty list, expected at least one item");
      return items[integer(items.length)]!;
    },
    shuffle: (items) => sample(items, items.length),
    sample,
    weighted(weights) {
      const total = sumOfWeights(weights);
      let left = uniform() * total;
      let chosen = 0;
      for (let index = 0; index < weights.length; index++) {
        const weight = weights[index]!;
        if (weight === 0) continue;
        // Rounding may leave a remainder after the last weight: then the last positive one stays chosen.
        chosen = index;
        left -= weight;
        if (left < 0) break;
      }
      return chosen;
    },
  };
}

function sumOfWeights(weights: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index]!;
    if (!(weight >= 0)) throw badDraw(`weight ${index} is ${weight}, expected a finite number, 0 or more`);
    total += weight;
  }
  if (total > 0 && Number.isFinite(total)) return total;
  throw badDraw(`the ${weights.length} weights sum to ${total}, expected a finite sum above 0`);
}

const badDraw = (message: string) => badInput(message, "Correct the arguments of this draw.");
