import {
  generateWordProblem,
  lateQuantities,
  type ProceduralProblem,
  problemSteps,
  wordProblems,
} from "thoughtbook/data";
import { graphStatistics } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";
import { RELATION_KINDS } from "../../../lib/dist/data/word-problems/kinds.js";
import type { RelationKind } from "../../../lib/dist/data/word-problems/problem.js";
import { SCENARIOS } from "../../../lib/dist/data/word-problems/scenarios.js";
import { problems, unevenness, varied } from "./helpers.js";

const MERGING: readonly RelationKind[] = ["total", "difference", "product"];

/** Layer of each quantity: 0 if it is given, else one more than its inputs'. */
function layersOf({ quantities }: ProceduralProblem): number[] {
  const layers: number[] = [];
  for (const { relation } of quantities) {
    layers.push(relation ? 1 + Math.max(...relation.inputs.map((input) => layers[input]!)) : 0);
  }
  return layers;
}

describe("generateWordProblem", () => {
  it("gives the same problem for the same options, whatever was generated before", () => {
    const options = { seed: 3, operations: [2, 6], distractors: [0, 2] } as const;
    const inOrder = [...wordProblems(options, 20)];
    const backwards = Array.from({ length: 20 }, (_, at) => generateWordProblem({ ...options, index: 19 - at }));
    expect(backwards.reverse()).toEqual(inOrder);
    expect(generateWordProblem({ ...options, seed: 4 }).question).not.toBe(inOrder[0]!.question);
    expect(Object.isFrozen(inOrder[0])).toBe(true);
    expect(generateWordProblem({ seed: 1, operations: [3, 3] })).toEqual(
      generateWordProblem({ seed: 1, operations: 3 }),
    );
  });

  // A change here changes every committed number that was made with a seed.
  it("gives these problems for these seeds", () => {
    const { question, answer } = generateWordProblem({ seed: 1, index: 2, operations: 3 });
    expect({ question, answer }).toMatchInlineSnapshot(`
      {
        "answer": 2,
        "question": "Many people are busy at the stadium. The new team scores 14 goals. The number of goals the south team scores is 4 less than the number the new team scores. The silver team scores 10 goals. The number of goals the lake team scores is the total of the south team's goals and the silver team's goals. The west team scores as many goals as one of 10 equal parts of the lake team's goals. What is the number of goals the west team scores?",
      }
    `);
  });

  it("has the operations, distractors, depth and width asked for, as lib/graph counts them", () => {
    for (const problem of varied(300)) {
      const { difficulty, quantities } = problem;
      const steps = problemSteps(problem);
      const { depth, width } = graphStatistics(steps.map(({ dependsOn }) => dependsOn));
      const distractors = quantities.filter(({ needed }) => !needed).length;
      expect(difficulty).toEqual({ operations: steps.length, depth, width, distractors });
    }
    for (const { difficulty } of problems(300, { operations: 5, distractors: 2, depth: [2, 2], width: [2, 3] })) {
      expect(difficulty).toMatchObject({ operations: 5, depth: 2, distractors: 2 });
    }
    // Numbers of operations that cannot be so deep do not occur.
    const deep = problems(300, { operations: [2, 6], distractors: 0, depth: [4, 5] });
    expect(new Set(deep.map(({ difficulty }) => difficulty.operations))).toEqual(new Set([5, 6]));
  });

  it("draws each number of operations equally often", () => {
    const counts = new Map<number, number>();
    for (const { difficulty } of problems(6000, { operations: [2, 6] })) {
      counts.set(difficulty.operations, (counts.get(difficulty.operations) ?? 0) + 1);
    }
    expect(counts.size).toBe(5);
    expect(unevenness([...counts.values()])).toBeLessThan(4);
  });

  it("has whole values from 0 to 9,999 throughout, and large products among mostly small ones", () => {
    const products: number[][] = [];
    for (const { quantities, answer, asked } of problems(4000, { operations: [2, 6] })) {
      expect(quantities[asked]!.value).toBe(answer);
      for (const { value, relation } of quantities) {
        expect(Number.isInteger(value) && value >= 0 && value <= 9999).toBe(true);
        if (!relation || !["times", "rate", "product"].includes(relation.kind)) continue;
        products.push([...relation.inputs.map((input) => quantities[input]!.value), ...relation.numbers]);
      }
    }
    const hard = products.filter((factors) => Math.max(...factors) > 99 || Math.min(...factors) > 9);
    expect(hard.length / products.length).toBeGreaterThan(0.05);
    expect(hard.length / products.length).toBeLessThan(0.1);
  });

  it("trains all operations at the same places and depths", () => {
    const sample = problems(20_000, { operations: [1, 6], distractors: 0 });
    const byPlace = new Map<string, number[]>();
    const byDepth = new Map<number, number[]>();
    const count = <K>(table: Map<K, number[]>, key: K, kind: RelationKind) => {
      const counts = table.get(key) ?? RELATION_KINDS.map(() => 0);
      counts[RELATION_KINDS.indexOf(kind)]! += 1;
      table.set(key, counts);
    };
    for (const problem of sample) {
      const layers = layersOf(problem);
      let place = 0;
      for (const [index, { relation }] of problem.quantities.entries()) {
        if (!relation) continue;
        count(byPlace, `${problem.difficulty.operations} operations, place ${place++}`, relation.kind);
        count(byDepth, layers[index]!, relation.kind);
      }
    }
    // Whatever the number of operations, each place has all 12 kinds alike.
    for (const [place, counts] of byPlace) expect(unevenness(counts), place).toBeLessThan(4);
    expect(byPlace.size).toBe(21);
    // At each depth the kinds that merge are alike among themselves, and so are the others; a merged branch has its
    // merging operation below it, so those are somewhat more frequent at depth 2, and less at the greatest.
    for (const [depth, counts] of byDepth) {
      const merging = counts.filter((_, at) => MERGING.includes(RELATION_KINDS[at]!));
      const others = counts.filter((_, at) => !MERGING.includes(RELATION_KINDS[at]!));
      expect(unevenness(merging), `depth ${depth}`).toBeLessThan(4);
      expect(unevenness(others), `depth ${depth}`).toBeLessThan(4);
      const share = merging.reduce((sum, n) => sum + n, 0) / counts.reduce((sum, n) => sum + n, 0);
      expect(share, `depth ${depth}`).toBeGreaterThan(0.15);
      expect(share, `depth ${depth}`).toBeLessThan(0.36);
    }
    expect([...byDepth.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("makes chains, wide graphs, and results used twice", () => {
    const sample = problems(2000, { operations: 5, distractors: 0 });
    const share = (holds: (problem: ProceduralProblem) => boolean) => sample.filter(holds).length / sample.length;
    const usedTwice = (problem: ProceduralProblem) => {
      const used = problemSteps(problem).flatMap(({ dependsOn }) => dependsOn);
      return new Set(used).size < used.length;
    };
    expect(share(({ difficulty }) => difficulty.depth === 4)).toBeGreaterThan(0.3);
    expect(share(({ difficulty }) => difficulty.width >= 2)).toBeGreaterThan(0.25);
    expect(share(({ difficulty }) => difficulty.width >= 3)).toBeGreaterThan(0.01);
    expect(share(usedTwice)).toBeGreaterThan(0.1);
  });

  it("states facts before they are used, or in any order", () => {
    const backwards = ({ facts, quantities }: ProceduralProblem) =>
      facts.some((index, place) => quantities[index]!.relation?.inputs.some((input) => facts.indexOf(input) > place));
    expect(problems(500, { order: "computation" }).filter(backwards)).toEqual([]);
    expect(problems(500, { order: "shuffled", operations: [4, 8] }).filter(backwards).length).toBeGreaterThan(400);
    const mixed = problems(500, { operations: [4, 8] }).filter(backwards).length;
    expect(mixed).toBeGreaterThan(180);
    expect(mixed).toBeLessThan(320);
  });

  it("has at least 40 scenarios, all in use, told apart by what they count", () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(40);
    const used = new Set(problems(3000).map(({ scenario }) => scenario));
    expect(used.size).toBe(SCENARIOS.length);
    const own = SCENARIOS.flatMap(({ units }) =>
      units.filter((unit) => unit.own).map(({ verb, one }) => `${verb} ${one}`),
    );
    expect(new Set(own).size).toBe(own.length);
    for (const { scenario, quantities, question } of varied(300)) {
      const mark = SCENARIOS.find(({ name }) => name === scenario)!.units.filter(({ own }) => own);
      expect(mark).toContain(quantities[0]!.unit);
      expect(question).toContain(quantities[0]!.unit.one.slice(0, -1));
    }
  });

  it("names each quantity once", () => {
    for (const { quantities } of varied(400)) {
      const names = quantities.map(({ holder, unit }) => `${holder} ${unit.verb} ${unit.one}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it("gives the same core with other distractors and in another order", () => {
    const core = ({ quantities, opening, asked }: ProceduralProblem) => [
      quantities.filter(({ needed }) => needed),
      opening,
      asked,
    ];
    for (let index = 0; index < 100; index++) {
      const options = { seed: 8, index, operations: [2, 6] } as const;
      const plain = generateWordProblem({ ...options, order: "computation" });
      const noisy = generateWordProblem({ ...options, order: "computation", distractors: 2 });
      expect(core(noisy)).toEqual(core(plain));
      expect(noisy.facts.filter((fact) => fact < plain.quantities.length)).toEqual(plain.facts);
      expect(core(generateWordProblem({ ...options, order: "shuffled" }))).toEqual(core(plain));
      expect(noisy.id).not.toBe(plain.id);
    }
  });

  it("counts the quantities that are used before it is told how they follow", () => {
    const shuffled = Array.from({ length: 100 }, (_, index) => {
      const options = { seed: 9, index, operations: [2, 6], distractors: 1 } as const;
      expect(lateQuantities(generateWordProblem({ ...options, order: "computation" }))).toBe(0);
      return generateWordProblem({ ...options, order: "shuffled" });
    });
    const late = shuffled.find((problem) => lateQuantities(problem) === 1)!;
    const told = (quantity: number) => late.facts.indexOf(quantity);
    const uses = late.facts.flatMap((fact) => {
      const { needed, relation } = late.quantities[fact]!;
      const inputs = needed && relation ? relation.inputs : [];
      return inputs.filter((input) => late.quantities[input]!.relation && told(input) > told(fact));
    });
    expect(new Set(uses).size).toBe(1);
    expect(shuffled.some((problem) => lateQuantities(problem) > 2)).toBe(true);
  });

  it("takes the numbers of operations that come with the depth and width, all alike", () => {
    for (const shape of [
      { operations: [2, 6], depth: [0, 1] },
      { operations: [7, 12], width: [4, 4] },
    ] as const) {
      const counts = problems(300, shape).map(({ difficulty }) => difficulty.operations);
      const [least, most] = "depth" in shape ? [2, 3] : [9, 12];
      expect([Math.min(...counts), Math.max(...counts)]).toEqual([least, most]);
      expect(counts.filter((count) => count === least).length).toBeGreaterThan(300 / (most - least + 1) / 2);
    }
  });

  it("refuses what it cannot make", () => {
    expect(() => generateWordProblem({ seed: 1, operations: 0 })).toThrow(/operations is 0/);
    expect(() => generateWordProblem({ seed: 1, operations: [5, 2] })).toThrow(/operations is 5-2/);
    expect(() => generateWordProblem({ seed: 1, operations: 2.5 })).toThrow(/operations is 2.5/);
    expect(() => generateWordProblem({ seed: 1, operations: 2, distractors: 7 })).toThrow(/distractors is 7/);
    expect(() => generateWordProblem({ seed: 1, operations: 2, depth: [5, 5] })).toThrow(/depth 5-5/);
    expect(() => generateWordProblem({ seed: 1, operations: [2, 4], width: [3, 3] })).toThrow(/width 3-3/);
    expect(() => generateWordProblem({ seed: 1, operations: 6, depth: [5, 5], width: [2, 2] })).toThrow(
      /depth 5-5 and/,
    );
    expect(() => generateWordProblem({ seed: Number.NaN, operations: 2 })).toThrow(/seed/);
    expect(() => generateWordProblem({ seed: 1, index: -1, operations: 2 })).toThrow(/index is -1/);
  });
});
