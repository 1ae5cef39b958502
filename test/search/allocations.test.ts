import {
  type Allocate,
  actionImportance,
  prunedRounds,
  SIMULATED_ALLOCATIONS,
  simulateAllocations,
  topTwo,
  uniformPulls,
  wilsonLowerBound,
} from "thoughtbook/search";
import { describe, expect, it } from "vitest";

/** Pulls that give the rewards of a list, one after the other. */
const listed = (rewards: Record<string, readonly number[]>) => {
  const pull = async (arm: string, count: number, from: number) => rewards[arm]!.slice(from, from + count);
  return { arms: Object.keys(rewards), pull };
};
const pullsIn = ({ arms }: { arms: readonly { rewards: readonly number[] }[] }) =>
  arms.map(({ rewards }) => rewards.length);

describe("prunedRounds", () => {
  it("takes 80 pulls for 12 arms, with rewards of both rounds in the mean", async () => {
    const arms = Array.from({ length: 12 }, (_, at) => at);
    const asked: [number, number, number][] = [];
    const found = await prunedRounds()(
      arms,
      async (arm, count, from) => {
        asked.push([arm, from, count]);
        // Arm 11: 3 of 4, then 4 of 4; the others fewer.
        return arm === 11 ? (from === 0 ? [1, 1, 1, 0] : [1, 1, 1, 1]) : [1, 0, 0, 0];
      },
      { pulls: 80 },
    );
    expect(found.best).toBe(11);
    expect(pullsIn(found).reduce((a, b) => a + b)).toBe(80);
    const { rewards } = found.arms[11]!;
    expect(rewards.slice(0, 4).reduce((a, b) => a + b) / 4).toBe(0.75);
    expect(rewards.reduce((a, b) => a + b) / 8).toBe(0.875);
    expect(asked.slice(12)).toHaveLength(8);
    expect(asked.slice(12).every(([, from, count]) => from === 4 && count === 4)).toBe(true);
  });

  it("keeps the highest means, and the earlier of equal ones", async () => {
    const { arms, pull } = listed({
      shorter: [1, 1, 1, 0],
      longer: [1, 1, 1, 0],
      longest: [1, 1, 1, 1],
      none: [0, 0, 0, 0],
    });
    const search = (keep: number[]) => prunedRounds({ keep })(arms, pull, { pulls: 16 });
    expect((await search([1])).best).toBe("longest");
    const without = arms.filter((arm) => arm !== "longest");
    expect((await prunedRounds({ keep: [1] })(without, pull, { pulls: 12 })).best).toBe("shorter");
  });

  it("begins no round beyond the limit, nor one that is settled", async () => {
    const rewards = Array(8).fill(1);
    const { arms, pull } = listed({ a: rewards, b: rewards });
    const search = prunedRounds({ keep: [2, 1] });
    expect(pullsIn(await search(arms, pull, { pulls: 15 }))).toEqual([4, 4]);
    expect(pullsIn(await search(arms, pull, { pulls: 16 }))).toEqual([8, 8]);
    expect(pullsIn(await search(arms, pull, { pulls: 16, isSettled: () => true }))).toEqual([4, 4]);
  });

  it("ranks by the lower end of the interval where it is asked to", async () => {
    // Wilson's interval of 8 of 10 is 0.49 to 0.94.
    expect(wilsonLowerBound([1, 1, 1, 1, 1, 1, 1, 1, 0, 0])).toBeCloseTo(0.4902, 4);
    expect(wilsonLowerBound([])).toBe(0);
    // 1 of 1 is worth less than 7 of 8.
    expect(wilsonLowerBound([1])).toBeLessThan(wilsonLowerBound([1, 1, 1, 1, 1, 1, 1, 0]));
    const { arms, pull } = listed({ a: [0, 1], b: [1, 1] });
    expect((await prunedRounds({ perRound: 2, keep: [1], rankedBy: "wilson" })(arms, pull, { pulls: 4 })).best).toBe(
      "b",
    );
  });

  it("refuses what cannot be searched", async () => {
    const { arms, pull } = listed({ a: [1], b: [1] });
    await expect(prunedRounds()(arms, pull, { pulls: 7 })).rejects.toThrow(/7 pulls are too few for 2 arms, 4 each/);
    await expect(prunedRounds()([], pull, { pulls: 7 })).rejects.toThrow(/no arms/);
    await expect(prunedRounds()(arms, pull, { pulls: 8 })).rejects.toThrow(/gave 1 rewards, 4 were asked for/);
    await expect(prunedRounds()(arms, pull, { pulls: 8, signal: AbortSignal.abort() })).rejects.toThrow(/interrupted/);
    expect(() => prunedRounds({ keep: [] })).toThrow(/no rounds/);
    expect(() => prunedRounds({ perRound: 0 })).toThrow(/perRound/);
  });
});

describe("uniformPulls", () => {
  it("pulls all alike, the first ones once more where it does not come out even", async () => {
    const { arms, pull } = listed({ a: [0, 0, 0], b: [1, 0], c: [1, 1] });
    const found = await uniformPulls(arms, pull, { pulls: 7 });
    expect(found.best).toBe("c");
    expect(pullsIn(found)).toEqual([3, 2, 2]);
    await expect(uniformPulls(arms, pull, { pulls: 2 })).rejects.toThrow(/2 pulls are too few for 3 arms/);
  });
});

describe("topTwo", () => {
  const rates = [0.1, 0.2, 0.9, 0.5];
  const pull = async (arm: number, count: number, from: number) =>
    Array.from({ length: count }, (_, at) => Number(((from + at) * 7) % 10 < rates[arm]! * 10));
  const search = (allocate: Allocate, count = 60) => allocate([0, 1, 2, 3], pull, { pulls: count });

  it("gives pulls to arms that may be best, and repeats exactly", async () => {
    const found = await search(topTwo({ seed: 1 }));
    expect(found.best).toBe(2);
    const counts = pullsIn(found);
    expect(counts.reduce((a, b) => a + b)).toBe(60);
    expect(counts[2]).toBeGreaterThan(20);
    expect(counts[0]).toBeLessThan(counts[2]! / 2);
    expect(await search(topTwo({ seed: 1 }))).toEqual(found);
  });

  it("does not take one lucky pull for the best", async () => {
    const lucky = { a: [1], b: [1, 1, 1, 1, 1, 1, 1, 1, 1, 0] } as const;
    const { arms, pull: given } = listed({
      a: [...lucky.a, ...Array(20).fill(0)],
      b: [...lucky.b, ...Array(20).fill(1)],
    });
    expect((await topTwo({ first: 1, seed: 3 })(arms, given, { pulls: 12 })).best).toBe("b");
  });

  it("refuses what cannot be searched", async () => {
    await expect(search(topTwo(), 7)).rejects.toThrow(/7 pulls are too few for 4 arms, 2 each/);
    expect(() => topTwo({ prior: [0, 1] })).toThrow(/the prior is \[0, 1\]/);
    expect(() => topTwo({ together: 0 })).toThrow(/together/);
  });
});

describe("actionImportance", () => {
  const trajectories = ["", "planning", "rewriting"].flatMap((analysis) =>
    ["CoT", "PoT"].flatMap((solution) =>
      ["", "verifier"].map((check) => [analysis, solution, check].filter((each) => each !== "")),
    ),
  );
  /** What the released code samples: 2 of each probe, 2 of each trajectory. */
  const samples = (isRight: (actions: readonly string[]) => boolean) =>
    [["CoT"], ["PoT"], ...trajectories].flatMap((actions) =>
      [0, 1].map(() => ({ actions, score: Number(isRight(actions)) })),
    );
  const actions = ["planning", "rewriting", "CoT", "PoT", "verifier"];
  const important = (found: ReturnType<typeof actionImportance>) =>
    found.filter((each) => each.important).map(({ action }) => action);

  it("finds the program in a world where only programs are right", () => {
    const found = actionImportance(
      actions,
      samples((taken) => taken.includes("PoT")),
    );
    expect(found.map(({ counts }) => counts)).toEqual([
      [8, 20],
      [8, 20],
      [14, 14],
      [14, 14],
      [12, 16],
    ]);
    expect(found.map(({ rates }) => rates)).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
      [0, 1],
      [1, 0],
      [0.5, 0.5],
    ]);
    expect(important(found)).toEqual(["PoT"]);
  });

  it("finds program and check in a world where both are needed", () => {
    const found = actionImportance(
      actions,
      samples((taken) => taken.includes("PoT") && taken.includes("verifier")),
    );
    const rates = Object.fromEntries(
      found.map((each) => [each.action, each.rates.map((rate) => Number(rate.toFixed(4)))]),
    );
    expect(rates).toMatchObject({ planning: [0.25, 0.2], CoT: [0, 0.4286], PoT: [0.4286, 0], verifier: [0.5, 0] });
    expect(important(found)).toEqual(["PoT", "verifier"]);
  });

  it("needs two groups of some size, and does not divide by zero", () => {
    const of = (having: number, lacking: number) => [
      ...Array(having).fill({ actions: ["a"], score: 1 }),
      ...Array(lacking).fill({ actions: [], score: 0 }),
    ];
    expect(important(actionImportance(["a"], of(8, 20)))).toEqual(["a"]);
    expect(important(actionImportance(["a"], of(3, 25)))).toEqual([]);
    expect(important(actionImportance(["a"], of(5, 0)))).toEqual([]);
    expect(actionImportance(["a"], [])[0]).toMatchObject({ rates: [0, 0], counts: [0, 0], important: false });
  });
});

describe("simulateAllocations", () => {
  it("has Algorithm 1 before uniform pulls, and the bandit before both with 70 % of the pulls", {
    timeout: 600_000,
  }, async () => {
    const compared = SIMULATED_ALLOCATIONS.filter(({ name }) => !/halving|Thompson$/.test(name));
    const found = await simulateAllocations(compared, { prior: "actions", questions: 10_000, seed: 0 });
    const [pruned, uniform, bandit] = ["Algorithm 1", "uniform", "top-two Thompson, 70 %"].map(
      (name) => found.find((each) => each.name === name)!,
    );
    expect(found.map(({ pulls }) => Math.round(pulls))).toEqual([80, 80, 56]);
    expect(pruned!.near).toBeGreaterThanOrEqual(uniform!.near);
    expect(bandit!.near).toBeGreaterThan(pruned!.near);
  });

  it("counts the best, the near and the regret of questions, the same for the same seed", async () => {
    const best = { name: "best", pulls: 12, allocate: () => uniformPulls };
    const [one] = await simulateAllocations([best], { prior: "uniform", questions: 50, seed: 1 });
    expect(one!.best).toBeLessThanOrEqual(one!.near);
    expect(one!.regret).toBeGreaterThan(0);
    expect((await simulateAllocations([best], { prior: "uniform", questions: 50, seed: 1 }))[0]).toEqual(one);
    await expect(simulateAllocations([], { prior: "uniform", questions: 1 })).rejects.toThrow(/no allocations/);
  });
});
