import { type ChainSignals, placeByLength, signalPrecision } from "thoughtbook/astar";
import { describe, expect, it } from "vitest";
import { keptQuality } from "../../../lib/dist/astar/paths/kept-quality.js";

/** Steps of given lengths and masses; question and solution alike, 4 tokens each, NLL 1. */
const chain = (...steps: [tokens: number, mass: number][]): ChainSignals => ({
  heads: 1,
  sinkTokens: 0,
  steps: steps.map(([tokens, mass]) => ({
    tokens,
    question: { tokens: 4, mass, nll: 1 },
    solution: { tokens: 4, mass, nll: 1 },
  })),
});

describe("keptQuality", () => {
  it("is over all steps of all chains", () => {
    const { precision, recall } = keptQuality([
      { kept: [0, 1], necessary: [true, false, true] },
      { kept: [0], necessary: [true] },
    ]);
    expect([precision!.value, recall!.value]).toEqual([2 / 3, 2 / 3]);
  });

  it("leaves out what is not defined", () => {
    expect(keptQuality([{ kept: [], necessary: [false] }])).toEqual({});
    expect(keptQuality([{ kept: [], necessary: [true] }])).toMatchObject({ recall: { value: 0 } });
  });
});

describe("signalPrecision", () => {
  const necessary = [false, true, true, false];

  it("takes as many steps as are necessary, the most important ones", () => {
    const signals = chain([10, 1], [10, 9], [10, 8], [10, 2]);
    expect(signalPrecision([{ signals, necessary }], {}).value).toBe(1);
    const half = chain([10, 9], [10, 8], [10, 2], [10, 1]);
    expect(
      signalPrecision(
        [
          { signals, necessary },
          { signals: half, necessary },
        ],
        {},
      ).value,
    ).toBe(0.75);
  });

  it("of chance is the share of necessary steps, and differs from chain to chain", () => {
    const signals = chain([10, 1], [10, 9], [10, 8], [10, 2]);
    const chains = Array.from({ length: 400 }, () => ({ signals, necessary }));
    expect(signalPrecision(chains, { signal: "random" }).value).toBeCloseTo(0.5, 1);
  });

  it("refuses chains without necessary steps", () => {
    expect(() => signalPrecision([{ signals: chain([1, 1]), necessary: [false] }], {})).toThrow(RangeError);
  });
});

describe("placeByLength", () => {
  it("tells that the released code prefers short steps of the same mass", () => {
    const chains = Array.from({ length: 10 }, () => chain([40, 3], [10, 3], [5, 3], [80, 3]));
    const code = placeByLength(chains, { normalisation: "code", widest: 40 });
    expect(code.x).toEqual([5, 10, 40]);
    expect(code.y).toEqual([12.5, 37.5, 75]);
  });

  it("of steps that get what chance gives is their place in the chain with lift, and their shortness with code", () => {
    const byChance = (tokens: number): [number, number] => [
      tokens,
      [1, 2, 3, 4].reduce((sum, query) => sum + tokens / (tokens + query), 0),
    ];
    const chains = Array.from({ length: 10 }, () => chain(byChance(40), byChance(10), byChance(5), byChance(80)));
    expect(placeByLength(chains, { normalisation: "lift", widest: 40 }).y).toEqual([62.5, 37.5, 50]);
    expect(placeByLength(chains, { normalisation: "code", widest: 40 }).y).toEqual([12.5, 37.5, 75]);
  });
});
