import { type Split, splitOverlap } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { RELATION_KINDS } from "../../../lib/dist/data/word-problems/kinds.js";
import { SCENARIOS } from "../../../lib/dist/data/word-problems/scenarios.js";
import { scenariosOf } from "../../../lib/dist/data/word-problems/split.js";
import { problems } from "./helpers.js";

const SPLITS: readonly Split[] = ["train", "validation", "test"];

describe("the splits", () => {
  it("divide the scenarios of every structure among them", () => {
    for (const signature of ["more(given)", "total(given,given)", "share(times(given))"]) {
      const all = SPLITS.flatMap((split) => scenariosOf(split, signature));
      expect(all.sort((a, b) => a - b)).toEqual(SCENARIOS.map((_, index) => index));
      expect(SPLITS.map((split) => scenariosOf(split, signature).length)).toEqual([35, 4, 4]);
    }
    expect(scenariosOf("test", "more(given)")).not.toEqual(scenariosOf("test", "fewer(given)"));
  });

  it("have no combination of scenario and structure and no question in common", () => {
    const [train, validation, test] = SPLITS.map((split) => problems(8000, { operations: [1, 5], split })) as [
      ReturnType<typeof problems>,
      ReturnType<typeof problems>,
      ReturnType<typeof problems>,
    ];
    for (const [a, b] of [
      [train, test],
      [train, validation],
      [validation, test],
    ] as const) {
      expect(splitOverlap(a, b)).toEqual({ combinations: 0, questions: 0 });
    }
    // It would be seen: a split overlaps with itself.
    const again = splitOverlap(train, train.slice(0, 100));
    expect(again.combinations).toBeGreaterThan(20);
    expect(again.questions).toBe(100);
    // What is new in a test problem is the combination only.
    expect(new Set(test.map(({ scenario }) => scenario)).size).toBe(SCENARIOS.length);
    const structures = new Set(train.map(({ signature }) => signature));
    const short = test.filter(({ difficulty }) => difficulty.operations <= 2);
    expect(short.filter(({ signature }) => structures.has(signature)).length / short.length).toBeGreaterThan(0.95);
    const words = new Set(train.flatMap(({ question }) => question.match(/[a-z]+/gi) ?? []));
    expect(test.flatMap(({ question }) => question.match(/[a-z]+/gi) ?? []).filter((word) => !words.has(word))).toEqual(
      [],
    );
  });

  it("have all operations alike", () => {
    const shares = SPLITS.map((split) => {
      const kinds = problems(6000, { operations: 2, split, distractors: 0 }).flatMap(({ quantities }) =>
        quantities.flatMap(({ relation }) => relation?.kind ?? []),
      );
      return RELATION_KINDS.map((kind) => kinds.filter((each) => each === kind).length / kinds.length);
    });
    for (const share of shares.flat()) expect(Math.abs(share - 1 / 12)).toBeLessThan(0.012);
  });
});
