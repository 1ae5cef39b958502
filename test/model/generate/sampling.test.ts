import { createRandom } from "thoughtbook/core";
import { createSamplingMemory, resolveSampling, type SamplingOptions } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { sampleToken } from "../../../lib/dist/model/generate/sampling.js";

const SIZE = 50;

function logSoftmax(logits: readonly number[]): Float32Array {
  const highest = Math.max(...logits);
  const sum = logits.reduce((total, each) => total + Math.exp(each - highest), 0);
  return Float32Array.from(logits, (each) => each - highest - Math.log(sum));
}

function choose(
  logits: readonly number[],
  options: SamplingOptions,
  uniform: () => number,
  seen: number[] = [],
): number {
  const logProbs = logSoftmax(logits);
  const row = { logProbs, start: 0, normaliser: logits[0]! - logProbs[0]! };
  return sampleToken(row, resolveSampling(options), seen, uniform, createSamplingMemory(logits.length));
}

/** The probabilities after all filters, by sorting: what transformers computes. */
function distribution(logits: readonly number[], options: SamplingOptions, seen: number[] = []): number[] {
  const { repetitionPenalty, temperature, topK, topP, minP } = resolveSampling(options);
  const scores = logits.map((logit, id) => {
    if (!seen.includes(id)) return logit;
    return logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
  });
  const highest = Math.max(...scores);
  let kept = scores
    .map((score, id) => ({ id, weight: Math.exp((score - highest) / temperature) }))
    .sort((a, b) => b.weight - a.weight || a.id - b.id);
  if (topK > 0) kept = kept.slice(0, topK);
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  kept = kept.filter(({ weight }) => {
    const needed = before < topP * total * (1 - 1e-12);
    before += weight;
    return needed;
  });
  kept = kept.filter(({ weight }) => weight >= minP);
  const left = kept.reduce((sum, { weight }) => sum + weight, 0);
  const result = new Array<number>(logits.length).fill(0);
  for (const { id, weight } of kept) result[id] = weight / left;
  return result;
}

const CASES: [string, SamplingOptions, number[]?][] = [
  ["the model's own distribution", {}],
  ["temperature", { temperature: 0.6 }],
  ["top-k", { topK: 7 }],
  ["top-k of one", { topK: 1 }],
  ["top-k above the vocabulary", { topK: 80 }],
  ["top-p", { topP: 0.8 }],
  ["a small top-p", { topP: 0.01 }],
  ["min-p", { minP: 0.2 }],
  ["min-p of one", { minP: 1 }],
  ["a repetition penalty", { repetitionPenalty: 1.7 }, [0, 3, 4, 9, 20]],
  ["all of them", { repetitionPenalty: 1.3, temperature: 1.4, topK: 20, topP: 0.9, minP: 0.05 }, [1, 2, 30]],
];

describe("sampleToken", () => {
  it.each(CASES)("draws from what sorting gives: %s", (_, options, seen = []) => {
    for (let seed = 0; seed < 20; seed++) {
      const random = createRandom(seed);
      // Some scores are equal, some very low.
      const logits = Array.from(
        { length: SIZE },
        () => Math.round(random.normal() * 8) / 4 - (random.uniform() < 0.1 ? 90 : 0),
      );
      const expected = distribution(logits, options, seen);
      let sum = 0;
      for (const [id, probability] of expected.entries()) {
        // Just inside both ends of the token's part of [0, 1).
        if (probability > 1e-4) {
          for (const part of [0.02, 0.5, 0.98]) {
            expect(choose(logits, options, () => sum + part * probability, seen)).toBe(id);
          }
        }
        sum += probability;
      }
    }
  });

  it("takes the best token at temperature 0, the first of equals, without a random number", () => {
    const never = () => expect.fail("a random number was drawn");
    expect(choose([1, 5, 2, 5], { temperature: 0 }, never)).toBe(1);
    expect(choose([1, 5, 2, 4], { temperature: 0, repetitionPenalty: 2 }, never, [1])).toBe(3);
    expect(choose([-1, -5], { temperature: 0, repetitionPenalty: 8 }, never, [0])).toBe(1);
  });

  it("never gives a token without probability", () => {
    const logits = [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];
    for (const uniform of [0, 0.5, 1 - 2 ** -53]) {
      for (const options of [{}, { temperature: 2 }, { topK: 2 }, { topP: 0.5 }]) {
        expect(choose([...logits], options, () => uniform)).toBe(1);
      }
    }
  });

  it("says that scores are no numbers", () => {
    expect(() => choose([Number.NaN, 1], { topK: 1 }, () => 0)).toThrow(/no numbers \(NaN\)/);
  });

  it.each([
    [{ temperature: -1 }, /temperature is -1, expected a number from 0/],
    [{ temperature: Number.NaN }, /temperature is NaN/],
    [{ topK: 1.5 }, /topK is 1.5, expected a whole number/],
    [{ topP: 0 }, /topP is 0, expected a number above 0, at most 1/],
    [{ topP: 1.1 }, /topP is 1.1/],
    [{ minP: 2 }, /minP is 2, expected a number from 0 to 1/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty is 0, expected a number above 0/],
  ])("refuses %j", (options, message) => {
    expect(() => resolveSampling(options)).toThrow(message);
  });
});
